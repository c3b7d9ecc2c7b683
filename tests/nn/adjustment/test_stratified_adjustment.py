"""The average of a head over strata: the exact sum, and draws of strata in training."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from gdsfd.nn.adjustment import StratifiedAdjustment

OWN = {"strata": ("cluster",), "clusters": 4, "least": 5}


def fitted(outputs: int = 1, multiclass: bool = False, **settings: Any) -> tuple[StratifiedAdjustment, Tensor]:
    """An adjustment over four strata of two groups, and codes of five patients."""
    torch.manual_seed(0)
    made = StratifiedAdjustment(4, outputs, multiclass, **{**OWN, "clusters": 2, **settings})
    codes, group = torch.randn(80, 4), torch.arange(80) % 2
    made.fit(codes + 3 * (torch.arange(80) % 4 > 1).unsqueeze(1), group)
    assert made.prototypes.num_strata == 4
    return made, torch.randn(5, 4)


def by_hand(made: StratifiedAdjustment, code: Tensor) -> Tensor:
    """The average of probabilities, stratum by stratum."""
    read = (lambda logits: logits.softmax(-1)) if made.multiclass else torch.sigmoid
    return sum(mass * read(made.own(code, torch.full((len(code),), s))) for s, mass in enumerate(made.centers[1]))


@pytest.mark.parametrize(("outputs", "multiclass"), [(1, False), (2, False), (3, True)])
def test_the_prediction_is_the_sum_over_strata(outputs: int, multiclass: bool) -> None:
    made, code = fitted(outputs, multiclass)
    read = (lambda logits: logits.softmax(-1)) if multiclass else torch.sigmoid
    torch.testing.assert_close(read(made.eval()(code)), by_hand(made, code))


def test_before_a_fit_there_is_one_stratum_at_zero() -> None:
    made, code = StratifiedAdjustment(4, 1, **OWN).eval(), torch.randn(5, 4)
    torch.testing.assert_close(made(code), made.own(code, torch.zeros(5, dtype=torch.long)))
    assert made.strata(code, torch.zeros(5, dtype=torch.long)).tolist() == [0] * 5


def test_draws_in_training_only_and_only_where_strata_are_many() -> None:
    made, code = fitted(estimator="sampled", draws=2)
    exact = made.eval()(code)
    assert not torch.allclose(made.train()(code), exact)
    few, code = fitted(estimator="sampled", draws=4)
    torch.testing.assert_close(few.train()(code), few.eval()(code))
    assert made(code[:0]).shape == (0, 1)


@pytest.mark.parametrize(("outputs", "multiclass"), [(1, False), (3, True)])
def test_draws_are_unbiased_in_probability(outputs: int, multiclass: bool) -> None:
    made, code = fitted(outputs, multiclass, estimator="sampled", draws=3)
    read = (lambda logits: logits.softmax(-1)) if multiclass else torch.sigmoid
    with torch.no_grad():
        exact = read(made.eval()(code))
        drawn = torch.stack([read(made.train()(code)) for _ in range(1500)])
    assert ((drawn.mean(0) - exact).abs() < 4 * drawn.std(0) / 1500**0.5 + 1e-6).all()
    assert (drawn.std(0) > 1e-4).any()


def test_training_fits_the_own_stratum_or_the_average() -> None:
    made, code = fitted()
    group = torch.tensor([0, 1, 0, 1, 0])
    stratum = made.training_strata(code, group)
    assert stratum is not None
    assert stratum.equal(made.prototypes.assign(code, group))
    torch.testing.assert_close(made.outcome_logits(code, stratum), made.own(code, stratum))
    average, _ = fitted(fit="backdoor")
    assert average.training_strata(code, group) is None
    torch.testing.assert_close(average.outcome_logits(code, None), average(code))
