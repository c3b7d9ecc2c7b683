"""Parts of a learner in the report: their own AUROC, of the patients they speak of, against scikit-learn."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from gdsfd.evaluation import evaluate
from gdsfd.evaluation.config import EvaluationConfig
from gdsfd.evaluation.report.section import SectionContext
from gdsfd.evaluation.report.sections.parts import PartsSection
from gdsfd.graph.availability import presence_of
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.graph.loader import rows_of
from gdsfd.graph.patient_store import PatientStore
from gdsfd.training import Debiaser
from tests.cohort_factory import make_cohort


def fitted(outcomes: str, **more):
    graph = graph_from_cohort(make_cohort(200, outcomes=outcomes))
    options = {"fusion": "mean"}
    settings = {"members": 2, "channels": 8, "max_epochs": 2, "backbone_options": options}
    return Debiaser("late", **settings).fit(graph, baselines=False), graph


def judged(model, graph):
    return PartsSection().judge(SectionContext(model, graph, ("test",), EvaluationConfig(resamples=20)))


@pytest.mark.parametrize("outcomes", ["binary", "multilabel", "multiclass"])
def test_each_part_is_judged_on_the_patients_it_speaks_of(outcomes):
    model, graph = fitted(outcomes)
    rows, found = rows_of(graph, "test"), judged(model, graph)
    assert list(dict.fromkeys(each.part for each in found)) == list(graph.schema.names)
    there = presence_of(graph).numpy()[rows]
    y = graph["patient"].y[rows].numpy()
    whole = model.predict_proba(graph, split="test")
    with torch.no_grad():
        outputs = model.network.eval()(PatientStore(graph).batch(rows))
    compared = 0
    for each in found:
        logits = [own.parts[each.part][0] for own in outputs]
        if outcomes == "multiclass":
            column = graph.schema.outcomes[0].classes.index(each.target.split(": ")[1])
            own = torch.stack([one.softmax(1) for one in logits]).mean(0).numpy()[:, column]
            label, other = np.where(y < 0, np.nan, y == column), whole[:, column]
        else:
            column = [one.name for one in graph.schema.outcomes].index(each.target)
            own = torch.stack([one.sigmoid() for one in logits]).mean(0).numpy()[:, column]
            label, other = y[:, column], whole[:, -1] if outcomes == "binary" else whole[:, column]
        mask = there[:, graph.schema.names.index(each.part)] & np.isfinite(label)
        assert each.patients == mask.sum()
        if len(np.unique(label[mask])) < 2:
            assert not each.own.defined
            continue
        compared += 1
        assert each.own.value == pytest.approx(roc_auc_score(label[mask], own[mask]))
        assert each.whole.value == pytest.approx(roc_auc_score(label[mask], other[mask]))
        assert each.own.reason or each.own.low <= each.own.value <= each.own.high
    assert compared >= 3


def test_it_stands_on_the_page_and_in_the_numbers(tmp_path):
    model, graph = fitted("binary")
    evaluate(model, graph, split="test", resamples=20).save(tmp_path / "report")
    rows = json.loads((tmp_path / "report" / "metrics.json").read_text())["parts"]
    assert PartsSection.title in (tmp_path / "report" / "report.html").read_text()
    assert [row["part"] for row in rows] == list(graph.schema.names)
    page = PartsSection().render(judged(model, graph), graph.schema, EvaluationConfig())
    assert "AUROC by itself" in page
    assert "<td>labs</td>" in page
    assert "Outcome</th>" not in page


def test_models_without_parts_have_no_such_section():
    graph = graph_from_cohort(make_cohort(60))
    model = Debiaser("concat", members=1, channels=8, max_epochs=1).fit(graph, baselines=False)
    assert judged(model, graph) is None
    assert judged(object(), graph) is None
