"""How the figures were made: the settings stand in the text, and so does another cohort."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from gdsfd.cohort.schema import CohortSchema, OutcomeFields
from gdsfd.evaluation.config import EvaluationConfig
from gdsfd.evaluation.report.sections.method import MethodSection

ONE, TWO, THREE = (
    CohortSchema((), tuple(OutcomeFields(f"o{k}", "o", classes, len(classes) > 2) for k in range(number)))
    for number, classes in ((1, ("no", "yes")), (2, ("no", "yes")), (1, ("a", "b", "c")))
)


def shown(*kinds, schema=ONE, **settings):
    populations = tuple(SimpleNamespace(kind=kind) for kind in kinds)
    found = MethodSection().judge(SimpleNamespace(populations=populations))
    return MethodSection().render(found, schema, EvaluationConfig(**settings))


def test_settings_are_those_of_the_evaluation():
    page = shown("held out", resamples=1234, seed=77, level=0.9, bins=12, min_patients=41, min_per_class=6)
    for words in ("in 90 % of such", "1,234 resamples", "(seed 77)", "in 12 groups", "10 of 100", "than 41 labelled"):
        assert words in page
    assert "Fewer than 6 with or without the outcome" in page


def test_another_cohort_is_said_where_any_split_is_of_one():
    words = "all of them of the cohort that the model was trained on"
    assert words not in shown("held out", "tuning")
    assert words in shown("held out", "new")


@pytest.mark.parametrize(
    ("schema", "said"), [(ONE, None), (TWO, "<b>Several outcomes.</b>"), (THREE, "<b>Several classes.</b>")]
)
def test_several_targets_are_explained(schema, said):
    page = shown("held out", schema=schema)
    assert page.count("<b>Several") == (said is not None)
    assert said is None or said in page
