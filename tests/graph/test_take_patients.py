"""Patients taken by row, id or split keep all that is their own."""

from __future__ import annotations

import pytest
import torch
from torch_geometric.data import HeteroData

from gdsfd.errors import InputError
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.graph.take_patients import take_patients
from tests.cohort_factory import make_cohort
from tests.graph.patient_records import assert_is_part, records


@pytest.fixture(scope="module")
def graph() -> HeteroData:
    return graph_from_cohort(make_cohort(40))


def test_by_row_id_and_split(graph: HeteroData) -> None:
    before, ids = records(graph), graph["patient"].id
    assert_is_part(take_patients(graph, ids=[ids[9], ids[4]]), graph, [ids[9], ids[4]])
    assert_is_part(take_patients(graph, rows=torch.tensor([4, 9])), graph, [ids[4], ids[9]])
    assert_is_part(take_patients(graph, rows=[9]), graph, [ids[9]])
    test = [own for own, split in zip(ids, graph["patient"].split) if split == "test"]
    assert_is_part(take_patients(graph, split="test"), graph, test)
    several = [own for own, split in zip(ids, graph["patient"].split) if split != "train"]
    assert_is_part(take_patients(graph, split=["test", "tuning"]), graph, several)
    assert records(graph) == before


def test_nobody_is_a_graph_too(graph: HeteroData) -> None:
    assert_is_part(take_patients(graph, rows=torch.tensor([], dtype=torch.long)), graph, [])


def test_schema_spec_and_receipt_stay_those_of_the_whole(graph: HeteroData) -> None:
    part = take_patients(graph, rows=[2])
    assert (part.schema, part.spec, part.receipt) == (graph.schema, graph.spec, graph.receipt)


def test_wrong_patients_are_refused(graph: HeteroData) -> None:
    ids = graph["patient"].id
    for given in ({}, {"rows": [1], "ids": [ids[1]]}, {"split": "test", "rows": [1]}):
        with pytest.raises(InputError, match="expected one of rows, split and ids"):
            take_patients(graph, **given)
    for row in (40, -1):
        with pytest.raises(InputError, match=f"patients between 0 and 39, got {row}"):
            take_patients(graph, rows=torch.tensor([row]))
    for given in ({"ids": [ids[0], ids[0]]}, {"rows": [3, 3]}):
        with pytest.raises(InputError, match="more than once"):
            take_patients(graph, **given)
    with pytest.raises(InputError, match="'nobody'"):
        take_patients(graph, ids=["nobody"])
    with pytest.raises(InputError, match=r"split 'tset' is not in the graph.*Did you mean 'test'"):
        take_patients(graph, split="tset")
