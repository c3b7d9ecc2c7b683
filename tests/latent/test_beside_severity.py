"""Severity moves every number and decides the outcome; a practice that goes with the outcome is found beside it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

import gdsfd
from gdsfd.cohort.spec import CohortSpec
from gdsfd.latent import beside_severity, found_strata
from gdsfd.latent.beside_severity import likelier_than_one, practice_beside_severity, written
from gdsfd.latent.content import ranked_reader
from gdsfd.latent.evidence import overlap
from gdsfd.latent.found_strata import find_strata, observe
from gdsfd.latent.mixture import Fit, Mixture, Observed
from gdsfd.latent.search import Search
from tests.latent.drawn import a_mixture, draw

MODALITIES, COLUMNS = ("labs", "gases", "vitals", "scores"), 4


def ward(agreement: float, seed: int = 0, patients: int = 2400):
    """A graph, and everybody's practice, which agrees with the outcome at a rate.

    Severity moves all sixteen numbers, which have long tails, and decides the outcome; the practice moves half of them,
    shows in who has gases, and is half told by the site.
    """
    rng = np.random.default_rng(seed)
    severity = rng.standard_normal(patients)
    y = (rng.random(patients) < 1 / (1 + np.exp(-2.0 * severity))).astype(int)
    u = np.where(rng.random(patients) < agreement, y, 1 - y)
    cohort = pd.DataFrame(
        {
            "pid": [f"p{number}" for number in range(patients)],
            "died": y,
            "site": np.where(rng.random(patients) < 0.5, u, rng.integers(0, 2, patients)).astype(str),
        }
    )
    modalities = []
    for name in MODALITIES:
        columns = {"pid": cohort["pid"]}
        for number in range(COLUMNS):
            moved = rng.choice([-1.0, 1.0]) * (2 * u - 1) if number % 2 else 0.0
            columns[f"x{number}"] = np.exp(0.8 * (severity + moved + rng.standard_normal(patients)))
        frame = pd.DataFrame(columns)
        if name == "gases":
            frame = frame[rng.random(patients) < np.where(u == 1, 0.9, 0.5)]
        modalities.append({"name": name, "kind": "table", "source": frame, "id": "pid"})
    spec = {
        "cohort": {"source": cohort, "id": "pid", "environment": "site"},
        "outcome": {"name": "died", "column": "died", "positive": 1, "negative": 0},
        "split": {"kind": "subject", "fractions": [0.7, 0.15, 0.15], "seed": 0},
        "modality": modalities,
    }
    return gdsfd.build_graph(CohortSpec(**spec), progress=False), u


@pytest.fixture(scope="module")
def planted():
    return ward(0.9)


def of_training(graph):
    """A search among training patients."""
    split, y = np.asarray(graph["patient"].split, dtype=str), graph["patient"].y.numpy().ravel().astype(np.int64)
    train = np.flatnonzero(split == "train")
    reader = ranked_reader(graph, train)
    assert reader is not None
    return Search(observe(graph, reader, train, train), y[train])


def test_the_practice_is_found_where_the_first_look_sees_severity(planted, monkeypatch):
    graph, u = planted
    found = find_strata(graph)
    assert found.evidence.verdict == "practice"
    assert found.mixture.classes == found.number.chosen == 2
    assert "beside classes of severity" in found.evidence.sentence
    for label in (0, 1):
        own = found.y == label
        assert roc_auc_score(u[found.rows][own], found.share[own, 1]) > 0.95
    assert found.offsets() == pytest.approx([-2.2, 2.2], abs=0.7)  # logit .9
    monkeypatch.setattr(found_strata, "practice_beside_severity", lambda search: None)
    first = find_strata(graph)
    assert first.evidence.verdict == "severity", "there would be nothing to do for the second look"


def test_a_practice_that_says_nothing_of_the_outcome_is_left_alone():
    graph, _ = ward(0.5)
    assert not find_strata(graph).evidence.adjust


def test_severity_alone_is_left_alone(planted):
    graph, _ = ward(0.9)
    search = of_training(graph)
    rng = np.random.default_rng(0)
    views = {name: rng.permutation(codes) for name, codes in search.seen.views.items()}  # nothing ties anything
    assert practice_beside_severity(Search(Observed(search.seen.content, search.seen.block, views), search.y)) is None


@pytest.mark.parametrize(("name", "value"), [("LEAST_LOG_ODDS", 9.0), ("LEAST_WRITTEN", 99.0)])
def test_each_of_the_further_conditions_counts(planted, monkeypatch, name, value):
    search = of_training(planted[0])
    two = practice_beside_severity(search)
    assert two is not None
    assert likelier_than_one(two[0], search.seen, search.y).chosen == 2
    monkeypatch.setattr(beside_severity, name, value)
    assert practice_beside_severity(search) is None


def test_how_far_apart_contents_are_is_mahalanobis_distance():
    mixture = a_mixture()
    expected = 0.0
    for block in mixture.blocks:
        shift = block.stratum[1] - block.stratum[0]
        expected += shift @ np.linalg.inv(block.covariance) @ shift
    assert written(mixture) == pytest.approx(expected**0.5)


def leaning(agreement: float, angle: float) -> Mixture:
    """Two classes that agree with the outcome at a rate and write at an angle (degrees) to where it writes."""
    made = a_mixture()
    blocks = []
    for block in made.blocks:
        along, across = block.outcome[1] - block.outcome[0], block.stratum[1] - block.stratum[0]
        shift = 1.9 * np.cos(np.radians(angle)) * along + np.sin(np.radians(angle)) * across
        blocks.append(replace(block, stratum=np.stack([-shift / 2, shift / 2])))
    share = np.array([[agreement, 1 - agreement], [1 - agreement, agreement]])
    return replace(made, share=share, marginal=share.mean(0), blocks=tuple(blocks))


@pytest.mark.parametrize(
    ("agreement", "angle", "words"),
    [
        (0.93, 90, "write elsewhere than the outcome does"),
        (0.93, 60, "write partly where the outcome writes"),
        (0.85, 60, ""),
        (0.93, 30, ""),
    ],
)
def test_only_classes_that_go_with_the_outcome_very_strongly_may_write_where_it_writes(agreement, angle, words):
    mixture = leaning(agreement, angle)
    seen, y, _ = draw(mixture, 3000)
    assert overlap(mixture, np.ones(3)) == pytest.approx(np.cos(np.radians(angle)), abs=0.12)  # columns correlate
    two = practice_beside_severity(Search(seen, y))
    assert (two is not None) == bool(words)
    if two is not None:
        assert words in two[1].sentence
        assert two[1].verdict == "practice"


def test_classes_that_lie_close_may_not_write_where_it_writes(monkeypatch):
    seen, y, _ = draw(leaning(0.93, 60), 3000)
    search = Search(seen, y)
    two = practice_beside_severity(search)
    assert two is not None
    monkeypatch.setattr(beside_severity, "STRONG_WRITTEN", written(two[0]) + 0.5)
    assert practice_beside_severity(search) is None


def test_classes_count_by_patients_whom_they_were_not_fitted_on():
    seen, y, _ = draw(a_mixture(), 600)
    two, _ = Search(seen, y).best(2)
    number = likelier_than_one(two, seen, y, seed=3)
    assert number is not None
    gain = np.full(600, np.nan)
    part = np.random.default_rng(3).permutation(600) % 5
    for held in range(5):
        rows, others = np.flatnonzero(part != held), np.flatnonzero(part == held)
        fit = Fit(seen.rows(rows), y[rows], 2)
        own, _ = fit.run(fit.first(two.responsibilities(seen, y)[rows]), 60)
        one, _ = Search(seen.rows(rows), y[rows]).best(1)
        left_out = seen.rows(others)
        gain[others] = own.log_likelihood(left_out, y[others]) - one.log_likelihood(left_out, y[others])
    assert number.gain == (pytest.approx(gain.mean()),)
    assert number.error == (pytest.approx(gain.std(ddof=1) / 600**0.5),)
    plain = two.log_likelihood(seen, y) - Search(seen, y).best(1)[0].log_likelihood(seen, y)
    assert number.gain[0] < plain.mean(), "patients who were fitted on look likelier than others"


def test_classes_of_patients_who_are_of_one_kind_are_not_surely_there():
    made = a_mixture(0.0)
    same = {name: table[[0, 0]] for name, table in made.views.items()}
    for seed in range(10):
        seen, y, _ = draw(replace(made, views=same), 600, seed)
        assert likelier_than_one(Search(seen, y).best(2)[0], seen, y) is None
