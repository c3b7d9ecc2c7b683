"""The top of the page: whom it is about, and four figures with what chance would give."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, roc_auc_score

from gdsfd.evaluation.assess import assess, thresholds_of
from gdsfd.evaluation.config import EvaluationConfig
from gdsfd.evaluation.report.sections.figures import Figures
from gdsfd.evaluation.report.sections.headline import Headline
from gdsfd.graph.from_cohort import graph_from_cohort
from tests.cohort_factory import make_cohort
from tests.evaluation.scores import Fixed

RULES = EvaluationConfig(resamples=0)


def shown(outcomes, columns):
    graph = graph_from_cohort(make_cohort(300, outcomes=outcomes, unlabelled=0.2))
    answer = np.random.default_rng(0).dirichlet(np.ones(columns), 300)
    models = {"model": Fixed(graph, answer)}
    result = assess(graph, models, thresholds_of(graph, models, RULES), "test", RULES)
    found = Figures((result,), {"model": "<mine>"})
    return graph, answer, result, Headline().render(found, graph.schema, RULES)


def test_figures_and_what_chance_would_give():
    graph, answer, result, page = shown("binary", 2)
    y = graph["patient"].y.numpy()[:, 0]
    rows = [row for row, split in enumerate(graph["patient"].split) if split == "test" and not np.isnan(y[row])]
    share = y[rows].mean()
    assert "<h1>Predicting mortality</h1>" in page
    assert f"Model “&lt;mine&gt;”, judged on the {len(rows)} with a known outcome of {result.n} patients" in page
    for value in (roc_auc_score(y[rows], answer[rows, 1]), brier_score_loss(y[rows], answer[rows, 1])):
        assert f'<div class="value">{value:.3f}</div>' in page
    assert f"{share:.3f} is chance (the prevalence)" in page
    assert f"{share * (1 - share):.3f} for always saying the prevalence" in page
    assert page.count('<div class="tile">') == 4


@pytest.mark.parametrize(("outcomes", "columns"), [("multiclass", 3), ("multilabel", 2)])
def test_several_targets_say_that_they_are_means(outcomes, columns):
    *_, page = shown(outcomes, columns)
    assert page.count("mean over targets") == 4
    assert "always saying" not in page
