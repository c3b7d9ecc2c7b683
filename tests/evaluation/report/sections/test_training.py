"""How the models were trained: all that describe themselves, also two of one name."""

from __future__ import annotations

import re
from types import SimpleNamespace

from gdsfd.cohort.schema import CohortSchema
from gdsfd.evaluation.config import EvaluationConfig
from gdsfd.evaluation.report.sections.training import TrainingSection, flat_description

LABELS = {"model": "boosting", "boosting": "boosting", "fixed": "of mine", "logistic": "logistic <regression>"}


def shown(**descriptions):
    section = TrainingSection()
    found = section.judge(SimpleNamespace(labels=LABELS, descriptions=descriptions))
    return section.render(found, CohortSchema((), ()), EvaluationConfig())


def test_the_judged_model_comes_first_and_the_silent_are_left_out():
    page = shown(logistic={"C": [0.1]}, model={"trees": 7}, boosting={"trees": 9}, fixed={})
    assert re.findall("<h3>(.*?)</h3>", page) == ["boosting", "boosting", "logistic &lt;regression&gt;"]
    assert re.findall("<dt>(.*?)</dt><dd>(.*?)</dd>", page) == [("trees", "7"), ("trees", "9"), ("C", "0.1")]


def test_a_model_that_says_nothing_is_said_to():
    assert "The model says nothing of its training." in shown()
    assert "says nothing" not in shown(model={"epochs": 3})


def test_nested_descriptions():
    described = {"best_epoch": 3, "config": {"learning_rate": 1e-3, "seed": None}, "guard": {"by_seed": {"a": ()}}}
    expected = {"best epoch": "3", "learning rate": "0.001", "guard: by seed: a": "none"}
    assert flat_description(described) == expected
