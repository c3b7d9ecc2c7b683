"""What moves the scores: figures of the section against explanations patient by patient."""

from __future__ import annotations

import numpy as np
import pytest

from gdsfd.evaluation import evaluate
from gdsfd.evaluation.config import EvaluationConfig
from gdsfd.evaluation.report.section import SectionContext
from gdsfd.evaluation.report.sections import explained as module
from gdsfd.evaluation.report.sections.explained import ExplainedSection
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.training import Debiaser
from tests.cohort_factory import make_cohort

QUICK = {"members": 2, "channels": 8, "max_epochs": 2, "guard_folds": 0, "guard": "debiased"}


def fitted(debias: str = "none", outcomes: str = "binary"):
    graph = graph_from_cohort(make_cohort(200, outcomes=outcomes))
    return Debiaser("concat", debias, **QUICK).fit(graph, baselines=False), graph


def judged(model, graph):
    return ExplainedSection().judge(SectionContext(model, graph, ("test",), EvaluationConfig(resamples=20)))


@pytest.mark.parametrize("debias", ["none", "full"])
def test_effects_are_means_over_the_patients_who_have_them(debias):
    model, graph = fitted(debias)
    (found,) = judged(model, graph)
    each = model.explain(graph, split="test")
    assert found.patients == len(each.patients) <= module.PATIENTS
    sizes = each.modalities.assign(size=each.modalities["deletion"].abs()).groupby("modality")["size"]
    assert {own.name: own.patients for own in found.modalities} == sizes.count().to_dict()
    for own in found.modalities:
        assert own.size == pytest.approx(sizes.mean()[own.name], abs=1e-5)
    overall = each.overall()
    means = {f"{row['modality']}.{row['column']}": row["mean_size"] for row in overall.to_dict("records")}
    assert {own.name for own in found.values} == set(means)
    for own in found.values:
        assert own.size == pytest.approx(means[own.name], abs=1e-5)
    assert [own.size for own in found.values] == sorted((own.size for own in found.values), reverse=True)
    biased = {own.name: own.biased for own in found.values}
    if debias == "none":
        assert np.isnan(list(biased.values())).all()
    else:
        theirs = model.explain(graph, split="test", of="biased").overall()
        for row in theirs.to_dict("records"):
            assert biased[f"{row['modality']}.{row['column']}"] == pytest.approx(row["mean_size"], abs=1e-5)


def test_the_strongest_first_move_a_score_most(monkeypatch):
    monkeypatch.setattr(module, "FAITHFUL", 40)
    (found,) = judged(*fitted())
    assert found.faithful.high < 0


def test_a_sample_is_drawn_and_targets_are_few(monkeypatch):
    monkeypatch.setattr(module, "PATIENTS", 7)
    monkeypatch.setattr(module, "MOST_TARGETS", 2)
    model, graph = fitted(outcomes="multiclass")
    found = judged(model, graph)
    assert [each.patients for each in found] == [7, 7]
    assert found[0].to_dict() == judged(model, graph)[0].to_dict()


def test_it_stands_on_the_page_and_in_the_file():
    model, graph = fitted("full")
    report = evaluate(model, graph, resamples=20)
    html = report.html()
    assert "What moves the scores" in html
    assert "in the biased stream" in html
    (own,) = report.metrics["explained"]
    assert own["values"][0]["name"] in html


def test_other_models_have_none():
    model, graph = fitted()

    class Other:
        def predict_proba(self, *given, **named):
            return model.predict_proba(*given, **named)

    assert judged(Other(), graph) is None
