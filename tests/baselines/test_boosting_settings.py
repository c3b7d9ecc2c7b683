from __future__ import annotations

import inspect

import pytest

from gdsfd.baselines.boosting import Boosting
from gdsfd.baselines.boosting_margin import BoostingMargin
from gdsfd.baselines.boosting_settings import BoostingSettings


def test_with_a_margin_and_without_the_settings_are_the_same() -> None:
    plain, beside = vars(Boosting(seed=3)), vars(BoostingMargin(seed=3))
    named = set(inspect.signature(BoostingSettings.__init__).parameters) - {"self"}
    assert len(named) > 3
    assert {name: plain[name] for name in named} == {name: beside[name] for name in named}


@pytest.mark.parametrize("kind", [Boosting, BoostingMargin])
def test_nothing_to_learn_from_is_a_0(kind: type[BoostingSettings]) -> None:
    model = kind(min_tuning=4)
    assert model.min_tuning == 4
    model._chose_nothing()
    assert getattr(model, kind.chosen_as) == model.trees == [0]
