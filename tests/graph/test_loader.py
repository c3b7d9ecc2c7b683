"""Which patients come, in which order, and what is said when they are not there."""

from __future__ import annotations

import pytest
import torch
from torch_geometric.data import HeteroData

from gdsfd.errors import InputError
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.graph.loader import PatientLoader, rows_of
from gdsfd.graph.patient_store import PatientStore
from tests.cohort_factory import make_cohort


@pytest.fixture(scope="module")
def graph() -> HeteroData:
    return graph_from_cohort(make_cohort(50))


@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize(("n", "size"), [(0, 4), (1, 4), (8, 4), (9, 4), (3, 10)])
def test_every_row_once_and_len_is_right(graph, n, size, drop_last):
    loader = PatientLoader(graph, torch.arange(n), size, drop_last=drop_last)
    batches = list(loader)
    assert len(batches) == len(loader)
    got = torch.cat([batch.rows for batch in batches]).tolist() if batches else []
    assert got == list(range(n - n % size if drop_last else n))


def test_shuffling_is_a_permutation_drawn_from_the_generator_alone(graph):
    rows = rows_of(graph, "train")
    torch.manual_seed(0)
    before = torch.get_rng_state()

    def epochs(seed: int) -> list[list[int]]:
        loader = PatientLoader(
            PatientStore(graph), rows, 7, shuffle=True, generator=torch.Generator().manual_seed(seed)
        )
        return [torch.cat([batch.rows for batch in loader]).tolist() for _ in range(2)]

    first, second = epochs(0)
    assert sorted(first) == sorted(second) == rows.tolist()
    assert first != second
    assert epochs(0) == [first, second]
    assert epochs(1) != [first, second]
    assert torch.equal(torch.get_rng_state(), before)


def test_bad_arguments(graph):
    with pytest.raises(InputError, match="batch_size: expected at least 1 patient, got 0"):
        PatientLoader(graph, torch.arange(3), 0)
    with pytest.raises(InputError, match=r"needs generator=torch.Generator\(\)"):
        PatientLoader(graph, torch.arange(3), 2, shuffle=True)


def test_rows_of_splits(graph):
    splits = graph["patient"].split
    for name in ("train", "tuning", "test"):
        assert rows_of(graph, name).tolist() == [row for row, split in enumerate(splits) if split == name]
    assert rows_of(graph).tolist() == list(range(50))
    both = sorted(rows_of(graph, "test").tolist() + rows_of(graph, "train").tolist())
    assert rows_of(graph, ["test", "train"]).tolist() == both


def test_rows_of_ids_keep_their_order_and_repeats(graph):
    assert rows_of(graph, ids=["p0007", "p0001", "p0007"]).tolist() == [7, 1, 7]
    assert rows_of(graph, ids=[]).dtype == torch.int64


def test_unknown_split_names_the_known(graph):
    with pytest.raises(
        InputError, match=r"split 'tset' is not in the graph, which has 'test', 'train', 'tuning'\. Did you mean 'test'"
    ):
        rows_of(graph, "tset")


def test_unknown_ids_names_the_first_five(graph):
    ids = ["p0001", *(f"x{number}" for number in range(8))]
    with pytest.raises(InputError, match=r"8 of 9 are not in the graph: 'x0', 'x1', 'x2', 'x3', 'x4' and 3 more"):
        rows_of(graph, ids=ids)


def test_number_ids_are_told_to_be_text(graph):
    with pytest.raises(InputError, match=r"Ids are texts as in the cohort table, for example 'p0000', 'p0001'"):
        rows_of(graph, ids=[141765])  # type: ignore[list-item]
    with pytest.raises(InputError, match=r"write ids=\['p0001'\]"):
        rows_of(graph, ids="p0001")


def test_split_and_ids_together(graph):
    with pytest.raises(InputError, match="give split or ids, not both"):
        rows_of(graph, "test", ids=["p0001"])
