"""Rivals: which there are, and that what was fitted before is taken as it is."""

from __future__ import annotations

import pytest

from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.training.run_record.rivals import Rivals, fit_rivals
from tests.cohort_factory import make_cohort


@pytest.fixture(scope="module")
def graph():
    return graph_from_cohort(make_cohort(120))


def test_what_was_fitted_before_is_not_fitted_again(graph):
    before = fit_rivals(graph)
    assert list(before.fitted) == ["boosting", "logistic"]
    told = fit_rivals(graph, suspects=("pattern",), found=True, done=before)
    assert list(told.fitted) == [
        "boosting", "logistic", "logistic_margin", "boosting_margin", "latent_linear", "boosting_strata"
    ]  # fmt: skip
    assert all(told.fitted[key] is each for key, each in before.fitted.items())
    assert list(before.fitted) == ["boosting", "logistic"]
    assert told.seconds >= before.seconds > 0


def test_why_there_are_none_stays(graph):
    none = Rivals(why_none="nobody has a label")
    assert fit_rivals(graph, suspects=("pattern",), done=none) is none
