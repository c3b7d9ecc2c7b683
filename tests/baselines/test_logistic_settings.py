from __future__ import annotations

import inspect

import pytest

from gdsfd.baselines.logistic import Logistic
from gdsfd.baselines.logistic_margin import LogisticMargin
from gdsfd.baselines.logistic_settings import LogisticSettings


def test_with_a_margin_and_without_the_settings_are_the_same() -> None:
    plain, beside = vars(Logistic(seed=3)), vars(LogisticMargin(seed=3))
    named = set(inspect.signature(LogisticSettings.__init__).parameters) - {"self"}
    assert len(named) > 3
    assert {name: plain[name] for name in named} == {name: beside[name] for name in named}


@pytest.mark.parametrize("kind", [Logistic, LogisticMargin])
def test_nothing_to_learn_from_is_a_0(kind: type[LogisticSettings]) -> None:
    model = kind(min_tuning=4)
    assert model.min_tuning == 4
    model._chose_nothing()
    assert getattr(model, kind.chosen_as) == model.chosen == [0.0]
