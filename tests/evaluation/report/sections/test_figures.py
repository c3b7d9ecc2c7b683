"""Figures of every split: all models in the table and in the curves, however many there are."""

from __future__ import annotations

import re

import numpy as np
import pytest

from gdsfd.evaluation.assess import assess, thresholds_of
from gdsfd.evaluation.config import EvaluationConfig
from gdsfd.evaluation.report.numbers import number
from gdsfd.evaluation.report.sections.figures import Figures, FiguresSection
from gdsfd.graph.from_cohort import graph_from_cohort
from tests.cohort_factory import make_cohort
from tests.evaluation.scores import Fixed

RULES = EvaluationConfig(resamples=0)


def judged(models=1, outcomes="binary", columns=2, splits=("test",)):
    """What the page says of some models that know nothing, and their results."""
    graph = graph_from_cohort(make_cohort(300, outcomes=outcomes))
    rng = np.random.default_rng(0)
    names = ["model", *(f"rival {k}" for k in range(1, models))]
    answers = {name: Fixed(graph, rng.dirichlet(np.ones(columns), 300)) for name in names}
    points = thresholds_of(graph, answers, RULES)
    results = tuple(assess(graph, answers, points, split, RULES) for split in splits)
    labels = {name: f"<{name}>" for name in names}
    return results, FiguresSection().render(Figures(results, labels), graph.schema, RULES)


def test_eight_models_all_stand_in_the_table_and_in_the_curves():
    (result,), page = judged(8)
    rows = re.findall(r'<span class="key (\w+)"></span>&lt;([\w ]+)&gt;</td><td class="n">([\d.]+)', page)
    styles = ["model", "first", "second", "third", "fourth", "fifth", "sixth", "first"]
    assert rows == [
        (style, name, number(arm.overall["auroc"].value)) for style, (name, arm) in zip(styles, result.arms.items())
    ]
    roc = page[page.index("ROC curve</figcaption>") : page.index("Precision and recall")]
    drawn = re.findall(r'class="curve (\w+)"', roc)
    assert drawn == styles[::-1]  # the model judged is drawn last, on top


def test_differences_are_the_models_less_the_others():
    (result,), page = judged(2)
    table = page[page.index("The model less each simpler one") :]
    gap = result.arms["model"].overall["auroc"].value - result.arms["rival 1"].overall["auroc"].value
    assert f'&lt;rival 1&gt;</td><td class="n">{number(gap, signed=True)}' in table
    assert "less each simpler" not in judged(1)[1]


def test_slices_without_figures_are_listed_with_their_reason():
    (result,), page = judged()
    at = [one.name for one in result.slices[0]].index("with scan")
    assert result.model.slices[0][at].n == 0
    assert re.search(r'<td>with scan</td><td class="n">0</td><td class="reason">no labelled patient</td>', page)
    assert page.count("<h3>By environment</h3>") == 1


@pytest.mark.parametrize(("outcomes", "columns"), [("multiclass", 3), ("multilabel", 2)])
def test_targets_are_named_and_only_the_first_is_unfolded(outcomes, columns):
    results, page = judged(2, outcomes, columns, ("test", "tuning"))
    targets = results[0].names
    assert page.count("<h2>Figures: “") == 2
    assert [page.count(f"<h3>Curves: {name}</h3>") for name in targets] == [2] * len(targets)
    assert page.count("<details open>") == 1
    mean = [row for row in re.findall(r'<tr class="target"><td colspan="\d">(.*?)</td>', page) if row not in targets]
    assert len(mean) == 2  # one per split
