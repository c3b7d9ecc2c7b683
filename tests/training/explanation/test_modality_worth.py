"""Values of modalities against the definition, on graphs from which modalities were really taken."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.graph.modality_ablation import keep_modalities
from gdsfd.graph.patient_batch import PatientBatch
from gdsfd.graph.patient_store import PatientStore
from gdsfd.training import Debiaser
from gdsfd.training.explanation import modality_worth as module
from gdsfd.training.explanation.log_odds import LogOdds
from gdsfd.training.explanation.modality_worth import modality_worth
from tests.cohort_factory import make_cohort

QUICK: dict[str, Any] = {"members": 2, "channels": 8, "max_epochs": 2}


@pytest.fixture(scope="module")
def fitted() -> tuple[Any, Debiaser]:
    graph = graph_from_cohort(make_cohort(160))
    return graph, Debiaser("muse", **QUICK).fit(graph, baselines=False)


def test_by_all_orders(fitted: tuple[Any, Debiaser]) -> None:
    graph, model = fitted
    names = graph.schema.names
    store, rows = PatientStore(graph), torch.tensor([0, 3, 50])  # the second has nothing
    assert model.network is not None
    deletion, worth, nothing = modality_worth(store, rows, LogOdds(model.network, graph.schema))
    presence = store.batch(rows).layout.presence.numpy()
    assert not presence[1].any()
    assert np.isnan(deletion[~presence]).all()
    assert np.isnan(worth[~presence]).all()

    def score(row: int, kept: tuple[str, ...]) -> float:
        p = model.predict_proba(keep_modalities(graph, kept, [row]))[row, 1]
        return float(np.log(p / (1 - p)))

    for place, row in enumerate(rows.tolist()):
        own = tuple(name for name, there in zip(names, presence[place]) if there)
        assert_allclose(nothing[place], score(row, ()), atol=1e-6)
        gains: dict[str, list[float]] = {name: [] for name in own}
        for order in permutations(own):
            for step, name in enumerate(order):
                gains[name].append(score(row, order[: step + 1]) - score(row, order[:step]))
        for name in own:
            assert_allclose(worth[place, names.index(name)], np.mean(gains[name]), atol=1e-6)
            less = score(row, own) - score(row, tuple(each for each in own if each != name))
            assert_allclose(deletion[place, names.index(name)], less, atol=1e-6)


@pytest.mark.parametrize("most_exact", [8, 1])
def test_they_add_up(fitted: tuple[Any, Debiaser], monkeypatch: pytest.MonkeyPatch, most_exact: int) -> None:
    """Also over drawn orders, which come near the exact values."""
    graph, model = fitted
    store, rows = PatientStore(graph), torch.arange(10, 30)
    assert model.network is not None
    score = LogOdds(model.network, graph.schema)
    _, exact, _ = modality_worth(store, rows, score)
    monkeypatch.setattr(module, "MOST_EXACT", most_exact)
    _, worth, nothing = modality_worth(store, rows, score)
    assert_allclose(np.nansum(worth, axis=1), score(store.batch(rows)) - nothing, atol=1e-6)
    assert_allclose(worth, exact, atol=0.3 * np.nanstd(exact))


def test_what_a_network_does_not_read_has_no_worth(fitted: tuple[Any, Debiaser]) -> None:
    graph, _ = fitted

    def first_only(batch: PatientBatch) -> np.ndarray:
        return batch.layout.presence[:, 0].numpy() * 2.0

    store, rows = PatientStore(graph), torch.arange(40)
    deletion, worth, nothing = modality_worth(store, rows, first_only)
    has = store.batch(rows).layout.presence[:, 0].numpy()
    assert_allclose(worth[has, 0], 2.0)
    assert_allclose(deletion[has, 0], 2.0)
    assert_allclose(np.nan_to_num(worth[:, 1:]), 0, atol=1e-12)
    assert_allclose(nothing, 0)
