"""What suspects tell of a time to an event, against rates by counting; nothing where they tell nothing."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gdsfd.cohort.patients.hazard_labels import hazard_labels, interval_fields
from gdsfd.cohort.schema import CohortSchema, SurvivalFields
from gdsfd.training.suspects.hazard_by_suspects import hazard_by_suspects, told_by_suspects
from gdsfd.training.suspects.outcome_by_suspects import outcome_by_suspects
from gdsfd.training.suspects.suspect_codes import SuspectCodes

FIELDS = SurvivalFields("death", "t", "e", (1.0, 2.0, 4.0, 8.0))
PATIENTS = 3000


def labels(effect: float, patients: int = PATIENTS, seed: int = 0) -> tuple[torch.Tensor, SuspectCodes]:
    random = np.random.default_rng(seed)
    site = random.integers(0, 3, patients)
    time = random.exponential(6 / np.exp(effect * (site == 1)))
    end = random.exponential(12, patients)
    y = hazard_labels(FIELDS, np.minimum(time, end), (time <= end).astype(float))
    return torch.from_numpy(y), SuspectCodes(("environment",), torch.from_numpy(site)[:, None], (3,))


def subjects(patients: int = PATIENTS) -> list[str]:
    return [str(number) for number in range(patients)]


def test_margins_are_those_of_the_rates() -> None:
    y, codes = labels(1.2)
    rows = torch.arange(2000)
    found = hazard_by_suspects(y, codes, rows, subjects())
    assert min(found.cross_entropy_gain) > 0
    for site in range(3):
        inside = codes.codes[:, 0] == site
        for j in range(4):
            own, whole = (float(part[:, j].nanmean()) for part in (y[:2000][inside[:2000]], y[:2000]))
            expected = np.log(own / (1 - own)) - np.log(whole / (1 - whole))
            assert float(found.margin[2000:][inside[2000:], j].mean()) == pytest.approx(expected, abs=0.35)
    # of the same code all new patients have the same margin
    assert found.margin[2000:][codes.codes[2000:, 0] == 1].std(0).max() < 1e-6


def test_weights_take_away_what_the_site_tells() -> None:
    y, codes = labels(1.2)
    found = hazard_by_suspects(y, codes, torch.arange(PATIENTS), subjects())
    site = codes.codes[:, 0]
    for j in range(4):
        known = ~y[:, j].isnan()
        assert float(found.weight[known, j].mean()) == pytest.approx(1, abs=1e-5)
        rates = [
            float(
                (found.weight[:, j] * y[:, j])[known & (site == s)].sum() / found.weight[known & (site == s), j].sum()
            )
            for s in range(3)
        ]
        plain = [float(y[known & (site == s), j].mean()) for s in range(3)]
        assert np.ptp(rates) < np.ptp(plain) / 3


def test_a_weak_effect_is_seen_in_all_intervals_together() -> None:
    y, codes = labels(0.7, patients=900)
    together = hazard_by_suspects(y, codes, torch.arange(900), subjects(900))
    alone = outcome_by_suspects(y, codes, torch.arange(900), subjects(900), 4)
    assert 0.0 in alone.cross_entropy_gain  # taken one by one some intervals have no margin
    assert (together.margin[:, :].abs().amax(0) > 0.1).all()


def test_suspects_that_tell_nothing_have_no_margin() -> None:
    y, codes = labels(0.0)
    found = hazard_by_suspects(y, codes, torch.arange(PATIENTS), subjects())
    assert not found.margin.any()
    assert found.cross_entropy_gain == [0.0] * 4
    assert (found.weight == 1).all()


def test_no_suspects_and_too_few_events() -> None:
    y, codes = labels(1.2, patients=30)
    none = hazard_by_suspects(
        y, SuspectCodes((), torch.zeros(30, 0, dtype=torch.long), ()), torch.arange(30), ["a"] * 30
    )
    assert not none.margin.any()
    assert not hazard_by_suspects(y, codes, torch.arange(30), subjects(30)).margin.any()


def test_labels_outside_of_train_are_not_looked_at() -> None:
    y, codes = labels(1.2)
    other = y.clone()
    other[2000:] = torch.nan_to_num(1 - other[2000:], nan=1.0)
    first, second = (hazard_by_suspects(one, codes, torch.arange(2000), subjects()) for one in (y, other))
    torch.testing.assert_close(first.margin, second.margin)


def test_the_schema_says_which_way() -> None:
    y, codes = labels(1.2, patients=900)
    rows, people = torch.arange(900), subjects(900)
    schema = CohortSchema((), interval_fields(FIELDS), survival=FIELDS)
    torch.testing.assert_close(
        told_by_suspects(schema, y, codes, rows, people).margin, hazard_by_suspects(y, codes, rows, people).margin
    )
    torch.testing.assert_close(
        told_by_suspects(CohortSchema((), schema.outcomes), y, codes, rows, people).margin,
        outcome_by_suspects(y, codes, rows, people, 4).margin,
    )
