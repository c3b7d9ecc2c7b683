"""A graph and a report of it; no presence picture, which takes half a second and which no figure depends on."""

from __future__ import annotations

import pytest
from torch_geometric.data import HeteroData

from gdsfd.evaluation.evaluation import evaluate
from gdsfd.evaluation.report.report import Report
from gdsfd.evaluation.report.sections import presence
from gdsfd.graph.from_cohort import graph_from_cohort
from tests.cohort_factory import make_cohort
from tests.evaluation.scores import QUICK, Fixed, probabilities


@pytest.fixture(autouse=True)
def _without_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence, "presence_picture", lambda graph: None)


@pytest.fixture(scope="module")
def graph() -> HeteroData:
    return graph_from_cohort(make_cohort(900))


@pytest.fixture(scope="module")
def report(graph: HeteroData) -> Report:
    """Of test and train, beside a model with noisier probabilities."""
    baselines = {"noisier": Fixed(graph, probabilities(graph, 1, 3.0))}
    return evaluate(Fixed(graph, probabilities(graph)), graph, ["test", "train"], baselines=baselines, **QUICK)
