"""Effects of values against graphs in which they were really not measured."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from gdsfd.graph.column_ablation import columns_of, has_cells
from gdsfd.graph.from_cohort import edge_type, graph_from_cohort
from gdsfd.graph.patient_store import PatientStore
from gdsfd.training import Debiaser
from gdsfd.training.explanation import cell_worth as module
from gdsfd.training.explanation.cell_worth import cell_worth, deletion_curve
from gdsfd.training.explanation.log_odds import LogOdds
from tests.cohort_factory import make_cohort

QUICK: dict[str, Any] = {"members": 2, "channels": 8, "max_epochs": 2}


@pytest.fixture(scope="module")
def fitted() -> tuple[Any, Debiaser]:
    graph = graph_from_cohort(make_cohort(160))
    return graph, Debiaser("concat", **QUICK).fit(graph, baselines=False)


def log_odds(model: Debiaser, graph: Any, row: int) -> float:
    p = model.predict_proba(graph)[row, 1]
    return float(np.log(p / (1 - p)))


def test_numbers_and_levels_of_a_table(fitted: tuple[Any, Debiaser]) -> None:
    graph, model = fitted
    columns = list(columns_of(graph.schema))
    owner = graph[edge_type("chart")].edge_index[0]
    edge = int(graph[edge_type("chart")].numeric.isfinite().sum(1).argmax())
    row = int(owner[edge])
    assert model.network is not None
    places, effects, whole = cell_worth(PatientStore(graph), row, columns, LogOdds(model.network, graph.schema))
    assert_allclose(whole, log_odds(model, graph, row), atol=1e-6)
    tried = 0
    for place, effect in zip(places.tolist(), effects):
        column = columns[place]
        if column.modality.name != "chart":
            continue
        blank = graph.clone()
        blank.schema = graph.schema
        missing = float("nan") if column.part == "numeric" else 0
        blank[edge_type("chart")][column.part][edge, column.place] = missing
        assert_allclose(effect, whole - log_odds(model, blank, row), atol=1e-6)
        tried += 1
    assert tried > 2


def test_every_value_a_patient_has_is_there_and_no_other(
    fitted: tuple[Any, Debiaser], monkeypatch: pytest.MonkeyPatch
) -> None:
    graph, model = fitted
    columns, store = list(columns_of(graph.schema)), PatientStore(graph)
    assert model.network is not None
    score = LogOdds(model.network, graph.schema)
    for row in (0, 3, 21):
        places, effects, _ = cell_worth(store, row, columns, score)
        assert_array_equal(places, np.flatnonzero(has_cells(store.batch(torch.tensor([row])), columns)[0].numpy()))
        monkeypatch.setattr(module, "MOST_COPIES", 3)
        assert_allclose(cell_worth(store, row, columns, score)[1], effects, atol=1e-6)
        monkeypatch.undo()


def test_a_curve_begins_with_all_and_takes_values_away_in_order(fitted: tuple[Any, Debiaser]) -> None:
    graph, model = fitted
    columns, store = list(columns_of(graph.schema)), PatientStore(graph)
    assert model.network is not None
    score = LogOdds(model.network, graph.schema)
    places, effects, whole = cell_worth(store, 0, columns, score)
    order = places[np.argsort(-np.abs(effects))].tolist()
    curve = deletion_curve(store, 0, columns, order, score)
    assert len(curve) == len(order) + 1
    assert_allclose(curve[0], whole, atol=1e-9)
    assert_allclose(whole - curve[1], effects[places.tolist().index(order[0])], atol=1e-6)
    other = deletion_curve(store, 0, columns, order[::-1], score)
    assert_allclose(curve[-1], other[-1], atol=1e-6)
