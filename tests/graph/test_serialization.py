"""What is saved comes back exactly; what is damaged is refused with a reason."""

from __future__ import annotations

import json
import os
import shutil
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch_geometric.data import HeteroData

import gdsfd.graph.serialization as files
from gdsfd.errors import InputError
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.graph.serialization import load_graph, save_graph
from tests.cohort_factory import make_cohort


def assert_same(one: HeteroData, other: HeteroData) -> None:
    assert one.edge_types == other.edge_types
    assert one.node_types == other.node_types
    for mine, theirs in zip(one.stores, other.stores, strict=True):
        assert set(mine.keys()) == set(theirs.keys())
        for key, value in mine.items():
            if isinstance(value, torch.Tensor):
                assert value.dtype == theirs[key].dtype, key
                np.testing.assert_array_equal(value.numpy(), theirs[key].numpy())
            else:
                assert value == theirs[key], key


def test_whoever_may_read_one_file_may_read_all(tmp_path):
    save_graph(graph_from_cohort(make_cohort(5)), tmp_path / "graph")
    assert len({path.stat().st_mode for path in (tmp_path / "graph").iterdir()}) == 1


@pytest.mark.parametrize("outcomes", ["binary", "multiclass", "multilabel"])
@pytest.mark.parametrize("num_patients", [0, 1, 60])
def test_round_trip_is_exact(tmp_path, num_patients, outcomes):
    graph = graph_from_cohort(make_cohort(num_patients, outcomes=outcomes, nobody_has=["labs", "diagnosis"]))
    save_graph(graph, tmp_path / "graph")
    assert_same(graph, load_graph(tmp_path / "graph"))


def test_names_and_ids_of_any_script_come_back(tmp_path):
    cohort = make_cohort(environments=None)
    cohort.id[0], cohort.id[1] = "Ж/001 \u2028 .", "001"
    graph = graph_from_cohort(cohort)
    save_graph(graph, str(tmp_path / "graph"))
    again = load_graph(str(tmp_path / "graph"))
    assert again["patient"].id[:2] == ["Ж/001 \u2028 .", "001"]
    assert "environment" not in again["patient"]


def test_views_are_saved_without_their_storage(tmp_path):
    graph = graph_from_cohort(make_cohort())
    store = graph["patient", "note", "modality"]
    whole = torch.zeros(100_000, 4)
    store.vector = whole[: store.edge_index.shape[1]]
    graph["patient", "scan", "modality"].vector = whole[: graph["patient", "scan", "modality"].edge_index.shape[1]]
    save_graph(graph, tmp_path / "graph")
    assert (tmp_path / "graph" / "tensors.safetensors").stat().st_size < 100_000
    assert_same(graph, load_graph(tmp_path / "graph"))


def test_the_receipt_stands_beside_it_as_json(tmp_path):
    graph = graph_from_cohort(make_cohort())
    save_graph(graph, tmp_path / "graph")
    assert json.loads((tmp_path / "graph" / "receipt.json").read_text()) == graph.receipt.to_dict()


def test_overwrites_a_graph_but_nothing_else(tmp_path):
    save_graph(graph_from_cohort(make_cohort(5)), tmp_path / "graph")
    save_graph(graph_from_cohort(make_cohort(7)), tmp_path / "graph")
    assert load_graph(tmp_path / "graph")["patient"].num_nodes == 7
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("years of work")
    with pytest.raises(InputError, match="thesis: the folder is not empty and holds no gdsfd graph"):
        save_graph(graph_from_cohort(make_cohort(5)), tmp_path / "thesis")
    assert os.listdir(tmp_path / "thesis") == ["chapter.txt"]


def test_a_save_that_fails_leaves_the_old_graph(tmp_path, monkeypatch):
    save_graph(graph_from_cohort(make_cohort(5)), tmp_path / "graph")

    def full_disk(*_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(files, "write_tensors", full_disk)
    with pytest.raises(InputError, match="No space left on device; free space there"):
        save_graph(graph_from_cohort(make_cohort(7)), tmp_path / "graph")
    assert load_graph(tmp_path / "graph")["patient"].num_nodes == 5
    assert os.listdir(tmp_path) == ["graph"]


@pytest.fixture
def saved(tmp_path) -> Path:
    save_graph(graph_from_cohort(make_cohort()), tmp_path / "graph")
    return tmp_path / "graph"


def test_no_folder(tmp_path):
    with pytest.raises(InputError, match=r"nowhere: there is no such folder; expected a graph made by `gdsfd build`"):
        load_graph(tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["graph.json", "receipt.json", "tensors.safetensors"])
def test_a_missing_file_is_named(saved, name):
    (saved / name).unlink()
    with pytest.raises(InputError, match=rf"{name}: .*missing"):
        load_graph(saved)


@pytest.mark.parametrize("name", ["graph.json", "receipt.json", "tensors.safetensors"])
@pytest.mark.parametrize("keep", [0, 0.5, 0.99])
def test_a_truncated_file_is_named(saved, name, keep):
    content = (saved / name).read_bytes()
    (saved / name).write_bytes(content[: int(len(content) * keep)])
    with pytest.raises(InputError, match=rf"{name}: the graph's file is missing or damaged .* build the graph again"):
        load_graph(saved)


@pytest.mark.parametrize("drop", ["schema", "patient", "groups", "spec"])
def test_a_graph_file_without_a_part_is_refused(saved, drop):
    stored = json.loads((saved / "graph.json").read_text())
    del stored[drop]
    (saved / "graph.json").write_text(json.dumps(stored))
    with pytest.raises(InputError, match=rf"graph.json: .*{drop}"):
        load_graph(saved)


def test_files_of_two_graphs_do_not_mix(saved, tmp_path):
    save_graph(graph_from_cohort(make_cohort(7)), tmp_path / "other")
    shutil.copy(tmp_path / "other" / "tensors.safetensors", saved)
    with pytest.raises(
        InputError,
        match=r"tensors.safetensors: .*damaged \(labels .* \[60, 1\], got torch.float32 \[7, 1\]",
    ):
        load_graph(saved)


def test_a_newer_version_is_refused(saved):
    stored = json.loads((saved / "graph.json").read_text())
    stored["version"] = 99
    (saved / "graph.json").write_text(json.dumps(stored))
    with pytest.raises(InputError, match=r"the graph has format version 99, this gdsfd reads 2. Build the graph again"):
        load_graph(saved)


def test_something_else_is_refused(saved):
    (saved / "graph.json").write_text('{"nodes": []}')
    with pytest.raises(InputError, match="this is not a gdsfd graph"):
        load_graph(saved)


def test_graphs_of_the_first_version_of_the_format_load(saved):
    """Version 1 called the pointers of packed values ``ptr``."""
    graph = load_graph(saved)
    tensors = load_file(saved / "tensors.safetensors")
    old = {key.replace(".run_ptr", ".ptr"): tensor for key, tensor in tensors.items()}
    assert set(old) != set(tensors)
    save_file(old, saved / "tensors.safetensors")
    stored = json.loads((saved / "graph.json").read_text())
    (saved / "graph.json").write_text(json.dumps({**stored, "version": 1}))
    assert_same(graph, load_graph(saved))


def _paths(part, path=()):
    """Every place in nested JSON."""
    yield path
    children = part.items() if isinstance(part, dict) else enumerate(part[:1]) if isinstance(part, list) else ()
    for key, value in children:
        yield from _paths(value, (*path, key))


@pytest.mark.parametrize("name", ["graph.json", "receipt.json"])
def test_any_missing_or_wrong_field_is_refused_or_harmless(saved, name):
    """Each field in turn is taken out, or becomes a text, a number, null, a list: refused, or the same patients."""
    text = (saved / name).read_text()
    ids = load_graph(saved)["patient"].id
    for path in list(_paths(json.loads(text)))[1:]:
        for wrong in ("missing", "text", -7, [None]):
            damaged = json.loads(text)
            part = damaged
            for key in path[:-1]:
                part = part[key]
            if wrong == "missing":
                del part[path[-1]]
            else:
                part[path[-1]] = wrong
            (saved / name).write_text(json.dumps(damaged))
            with suppress(InputError):
                assert load_graph(saved)["patient"].id in (ids, ["text", *ids[1:]]), (path, wrong)


def test_any_tensor_of_another_length_type_or_range_is_refused(saved):
    tensors = load_file(saved / "tensors.safetensors")
    for key, tensor in tensors.items():
        changed = {"missing": None, "longer": torch.cat([tensor, tensor[-1:]]), "type": tensor.to(torch.complex64)}
        if tensor.is_floating_point():
            changed["infinite"] = torch.full_like(tensor, torch.inf)
        else:
            changed["beyond"] = tensor + 1000
            changed["negative"] = tensor - 1000
        for wrong in changed.values():
            others = {name: one for name, one in tensors.items() if name != key}
            save_file(others if wrong is None else {**others, key: wrong.contiguous()}, saved / "tensors.safetensors")
            with pytest.raises(InputError, match="damaged"):
                load_graph(saved)
