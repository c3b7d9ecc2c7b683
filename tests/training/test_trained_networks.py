"""Which network predicts, and what predictions are asked for by."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from gdsfd.errors import InputError, NotFittedError
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.training import Debiaser
from gdsfd.training.model_selection.evidence import mean_area
from tests.cohort_factory import make_cohort

QUICK = {"max_epochs": 1, "channels": 8, "members": 1}


@pytest.fixture(scope="module")
def graph():
    return graph_from_cohort(make_cohort(80))


@pytest.fixture(scope="module")
def model(graph):
    return Debiaser("concat", **QUICK).fit(graph, baselines=False)


def test_score_is_the_auroc_of_the_split(model, graph):
    rows = [row for row, split in enumerate(graph["patient"].split) if split == "test"]
    wanted = mean_area(graph["patient"].y[rows], model.predict_proba(graph, split="test"))
    assert model.score(graph) == wanted
    assert 0 <= model.score(graph, split=None) <= 1
    assert np.isnan(model.score(graph, split=None, ids=graph["patient"].id[:1]))


def test_classes_are_there_once_fitted(model, graph):
    assert not hasattr(Debiaser("concat"), "classes_")
    with pytest.raises(NotFittedError, match="call fit"):
        Debiaser("concat").classes_  # noqa: B018
    assert model.classes_.tolist() == list(graph.schema.outcomes[0].classes)
    assert len(model.classes_) == model.predict_proba(graph).shape[1]


def test_former_names_of_fitted_attributes(model):
    for name in ("schema", "networks", "guard", "choice", "history", "training", "record"):
        assert getattr(model, name) is getattr(model, f"{name}_")
    changed = copy.copy(model)
    changed.history = []
    assert changed.history_ == []
    assert model.history_
    assert "history_" in Debiaser.history.__doc__


def test_predicting_on_a_device(model, graph):
    every = model.predict_proba(graph)
    for device in ("cpu", "auto"):
        np.testing.assert_allclose(model.predict_proba(graph, device=device), every, atol=1e-5)
    with pytest.raises(InputError, match="device: expected 'auto'"):
        model.predict_proba(graph, device="quantum")


def test_objects_of_other_kinds_are_refused_by_name(model, graph):
    frame = np.zeros((3, 2))
    for call in (model.fit, model.predict_proba, model.embed, model.score):
        for wrong in ("graph", frame, None):
            with pytest.raises(InputError, match=f"expected a graph .* got {type(wrong).__name__}"):
                call(wrong)
