"""A graph without modalities is the graph of the exports without their rows."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch_geometric.data import HeteroData

from gdsfd.errors import InputError
from gdsfd.graph.build import build_graph
from gdsfd.graph.from_cohort import edge_type, graph_from_cohort
from gdsfd.graph.loader import rows_of
from gdsfd.graph.modality_ablation import drop_modalities, hide_observations, keep_modalities
from gdsfd.graph.patient_store import PatientStore
from gdsfd.graph.serialization import load_graph, save_graph
from gdsfd.simulation import simulate
from gdsfd.training import Debiaser
from tests.cohort_factory import make_cohort


@pytest.fixture(scope="module")
def graph() -> HeteroData:
    return graph_from_cohort(make_cohort(40))


def assert_same_tensors(one: HeteroData, other: HeteroData, name: str) -> None:
    mine, theirs = one[edge_type(name)], other[edge_type(name)]
    assert set(mine.keys()) == set(theirs.keys())
    for key, value in mine.items():
        assert value.dtype == theirs[key].dtype
        torch.testing.assert_close(value, theirs[key], rtol=0, atol=0, equal_nan=True)


def test_all_patients_lose_the_modality_and_nothing_else(graph):
    names = graph.schema.names
    nobody = graph_from_cohort(make_cohort(40, nobody_has=names))
    for name in names:
        made = drop_modalities(graph, [name])
        assert made.validate()
        assert made.edge_types == graph.edge_types
        assert made.schema is graph.schema
        assert_same_tensors(made, nobody, name)
        for other in names:
            if other != name:
                assert_same_tensors(made, graph, other)
        assert made["patient"].id == graph["patient"].id
        assert made["patient"].split == graph["patient"].split


def test_the_graph_itself_is_not_changed():
    graph = graph_from_cohort(make_cohort(40))
    before = graph.clone()
    made = drop_modalities(graph, graph.schema.names, range(0, 40, 2))
    for name in graph.schema.names:
        assert_same_tensors(graph, before, name)
        made[edge_type(name)].edge_index.fill_(0)  # nor by what is done to the copy's new edges
        assert_same_tensors(graph, before, name)


def test_some_patients_lose_some_modalities(graph):
    rows = torch.tensor([1, 2, 5, 39, 5])
    made = drop_modalities(graph, ("labs", "note"), rows)
    whole, part = PatientStore(graph).batch(torch.arange(40)), PatientStore(made).batch(torch.arange(40))
    expected = whole.layout.presence.clone()
    for number, name in enumerate(graph.schema.names):
        if name in ("labs", "note"):
            expected[rows, number] = False
    assert torch.equal(part.layout.presence, expected)
    assert expected.sum() < whole.layout.presence.sum()
    rest = torch.tensor([row for row in range(40) if row not in rows])
    kept, same = PatientStore(graph).batch(rest), PatientStore(made).batch(rest)
    for name in graph.schema.names:
        torch.testing.assert_close(same.observations[name], kept.observations[name], rtol=0, atol=0, equal_nan=True)


def test_only_is_without_all_others(graph):
    rows = rows_of(graph, "test")
    made = keep_modalities(graph, "labs", rows)
    other = drop_modalities(graph, [name for name in graph.schema.names if name != "labs"], rows)
    for name in graph.schema.names:
        assert_same_tensors(made, other, name)
    assert_same_tensors(made, graph, "labs")
    assert PatientStore(keep_modalities(graph, [])).batch(torch.arange(40)).layout.num_edges == 0


def test_nothing_to_leave_out(graph):
    for made in (
        drop_modalities(graph, []),
        drop_modalities(graph, graph.schema.names, torch.empty(0, dtype=torch.long)),
        drop_modalities(graph, graph.schema.names, []),
        keep_modalities(graph, graph.schema.names),
    ):
        for name in graph.schema.names:
            assert_same_tensors(made, graph, name)


def test_a_graph_of_nobody():
    empty = graph_from_cohort(make_cohort(0))
    assert drop_modalities(empty, "labs")["patient"].num_nodes == 0


def test_edges_in_any_order(graph):
    """Another tool may have permuted the edges; patients' values may not change hands."""
    shuffled = graph.clone()
    store = shuffled[edge_type("chart")]
    order = torch.randperm(store.num_edges, generator=torch.Generator().manual_seed(0))
    for key in ("numeric", "categorical"):
        store[key] = store[key][order]
    store.edge_index = store.edge_index[:, order]
    assert_same_tensors(
        drop_modalities(shuffled, "chart", [0, 4, 7]), drop_modalities(graph, "chart", [0, 4, 7]), "chart"
    )


def test_it_can_be_written_and_read(graph, tmp_path):
    made = drop_modalities(graph, "labs", rows_of(graph, "test"))
    save_graph(made, tmp_path / "graph")
    for name in graph.schema.names:
        assert_same_tensors(load_graph(tmp_path / "graph"), made, name)


def test_unknown_names_and_rows(graph):
    for function in (drop_modalities, keep_modalities):
        with pytest.raises(InputError, match=r"modality 'lab' is not in the graph\. Did you mean 'labs'"):
            function(graph, "lab")
        with pytest.raises(InputError, match="rows: expected patients between 0 and 39, got -1 to 40"):
            function(graph, "labs", [-1, 40])
        with pytest.raises(InputError, match=r"rows: expected whole numbers .* got torch.bool"):
            function(graph, "labs", [True] * 40)


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return simulate(tmp_path_factory.mktemp("without") / "exports", patients=300, modalities=8, seed=2)


@pytest.fixture(scope="module")
def simulated(exports: Path) -> HeteroData:
    return build_graph(exports / "spec.toml", progress=False)


@pytest.fixture(scope="module", params=["concat", "muse", "grape"])
def fitted(request: pytest.FixtureRequest, simulated: HeteroData) -> Debiaser:
    return Debiaser(request.param, max_epochs=2, channels=8, members=1).fit(simulated, baselines=False)


@dataclass
class Case:
    """The same modalities left out of the graph, and of the exports that another graph is built from."""

    names: list[str]
    split: str | None
    made: HeteroData
    rebuilt: HeteroData


@pytest.fixture(
    scope="module",
    params=[
        (["labs"], None),
        (["imaging"], "test"),
        (["demographics", "history", "vitals"], "test"),
        (["demographics", "labs", "history", "vitals"], None),
    ],
    ids=lambda param: f"{'+'.join(param[0])}-{param[1] or 'all'}",
)
def case(request, exports, simulated, tmp_path_factory) -> Case:
    names, split = request.param
    rows = None if split is None else rows_of(simulated, split)
    ids = set(simulated["patient"].id) if rows is None else {simulated["patient"].id[row] for row in rows.tolist()}
    spec = thin_exports(exports, tmp_path_factory.mktemp("thinned"), names, ids)
    rebuilt = build_graph(spec, like=simulated, progress=False)
    return Case(names, split, drop_modalities(simulated, names, rows), rebuilt)


def thin_exports(exports: Path, out: Path, names: list[str], ids: set[str]) -> Path:
    """Writes the exports without the rows of ``ids`` in the files of ``names``; gives the spec back."""
    for file in exports.iterdir():
        if file.name.split(".")[0] not in names:
            shutil.copy(file, out)
            continue
        packed = file.suffix == ".parquet"
        frame = pd.read_parquet(file) if packed else pd.read_csv(file, dtype=str, keep_default_na=False)
        gone = frame["patient_id"].astype(str).isin(ids)
        assert gone.any()
        if packed:
            frame[~gone].to_parquet(out / file.name, index=False)
        else:
            frame[~gone].to_csv(out / file.name, index=False)
    return out / "spec.toml"


def test_the_graph_is_that_of_exports_without_the_rows(simulated, case):
    for name in simulated.schema.names:
        assert_same_tensors(case.made, case.rebuilt, name)


def test_predictions_are_those_of_exports_without_the_rows(simulated, fitted, case):
    probability = fitted.predict_proba(case.made)
    np.testing.assert_array_equal(probability, fitted.predict_proba(case.rebuilt))
    assert np.abs(probability - fitted.predict_proba(simulated)).max() > 1e-4
    if case.split is not None:
        patient = simulated["patient"]
        others = [name for name, split in zip(patient.id, patient.split) if split != case.split]
        same = fitted.predict_proba(case.made, ids=others)
        np.testing.assert_array_equal(same, fitted.predict_proba(simulated, ids=others))


def test_hiding_by_a_mask_is_dropping_row_by_row(graph):
    names = list(graph.schema.names)
    mask = torch.from_numpy(np.random.default_rng(0).random((40, len(names))) < 0.4)
    expected = graph
    for number, name in enumerate(names):
        expected = drop_modalities(expected, name, mask[:, number].nonzero().squeeze(1))
    found = hide_observations(graph, mask)
    for name in names:
        assert_same_tensors(found, expected, name)
    with pytest.raises(InputError, match=r"hidden: expected bool \[40, "):
        hide_observations(graph, mask[:39])
