"""The hash of a graph: every value counts, and a saved graph is the same graph."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch_geometric.data import HeteroData

from gdsfd.graph.content_hash import content_hash
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.graph.serialization import load_graph, save_graph
from tests.cohort_factory import make_cohort


def made() -> HeteroData:
    return graph_from_cohort(make_cohort(60))


def edges(graph: HeteroData, name: str):
    return graph["patient", name, "modality"]


def swap(texts: list[str], one: int, other: int) -> None:
    texts[one], texts[other] = texts[other], texts[one]


def other_labels(graph: HeteroData) -> None:
    graph["patient"].y = 1 - graph["patient"].y


def one_label_lost(graph: HeteroData) -> None:
    known = (~torch.isnan(graph["patient"].y[:, 0])).nonzero()[0]
    graph["patient"].y[known] = float("nan")


def other_group(graph: HeteroData) -> None:
    graph["patient"].groups["sex"][0] = "X"


def other_value(graph: HeteroData) -> None:
    edges(graph, "labs").value[3] += 1e-4


def other_code(graph: HeteroData) -> None:
    edges(graph, "diagnosis").code[0] += 1


def other_owner(graph: HeteroData) -> None:
    free = set(range(60)) - set(edges(graph, "note").edge_index[0].tolist())
    edges(graph, "note").edge_index[0, 0] = min(free)


def other_type(graph: HeteroData) -> None:
    edges(graph, "note").vector = edges(graph, "note").vector.double()


def less_of_a_modality(graph: HeteroData) -> None:
    edges(graph, "scan").edge_index = edges(graph, "scan").edge_index[:, :-1]


CHANGES: dict[str, tuple[Callable[[HeteroData], None], str]] = {
    "labels": (other_labels, "labels"),
    "a label": (one_label_lost, "labels"),
    "ids": (lambda graph: swap(graph["patient"].id, 0, 1), "ids"),
    "subjects": (lambda graph: graph["patient"].subject.__setitem__(0, "x"), "subjects"),
    "splits": (lambda graph: graph["patient"].split.__setitem__(0, "elsewhere"), "splits"),
    "environments": (lambda graph: graph["patient"].environment.__setitem__(0, "elsewhere"), "environments"),
    "groups": (other_group, "groups"),
    "a value": (other_value, "modality 'labs'"),
    "a code": (other_code, "modality 'diagnosis'"),
    "an owner": (other_owner, "modality 'note'"),
    "a type": (other_type, "modality 'note'"),
    "an edge": (less_of_a_modality, "modality 'scan'"),
}


@pytest.mark.parametrize("kind", list(CHANGES))
def test_every_change_shows_where_it_is(kind: str) -> None:
    change, part = CHANGES[kind]
    graph = made()
    before = content_hash(graph)
    change(graph)
    after = content_hash(graph)
    assert [name for name in before if before[name] != after[name]] == [part]


def test_a_saved_graph_is_the_same(tmp_path: Path) -> None:
    graph = graph_from_cohort(make_cohort(60, environments=None, outcomes="multiclass", nobody_has=("labs", "note")))
    save_graph(graph, tmp_path / "graph")
    assert content_hash(load_graph(tmp_path / "graph")) == content_hash(graph)


def test_how_a_tensor_lies_in_memory_does_not_matter() -> None:
    graph = made()
    before = content_hash(graph)
    numeric = edges(graph, "chart").numeric
    edges(graph, "chart").numeric = numeric.t().contiguous().t()
    assert not edges(graph, "chart").numeric.is_contiguous()
    assert content_hash(graph) == before


def test_counts_of_levels_that_earlier_versions_lack_do_not_count() -> None:
    graph, other = made(), made()
    chart, *others = other.schema.modalities
    assert chart.categorical
    counts = tuple(tuple(range(len(levels))) for levels in chart.levels)
    other.schema = replace(other.schema, modalities=(replace(chart, level_counts=counts), *others))
    assert content_hash(graph) == content_hash(other)
    turned = tuple(levels[::-1] for levels in chart.levels)
    other.schema = replace(other.schema, modalities=(replace(chart, levels=turned), *others))
    assert content_hash(graph)["schema"] != content_hash(other)["schema"]
