"""Layouts with fewer edges equal layouts built from those edges."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gdsfd.graph.edge_layout import EdgeLayout

FIELDS = ("patient", "modality", "modality_ptr", "modality_degree", "presence")
OF_EDGES = ("by_left", "left_ptr", "left_degree")


def assert_same(one: EdgeLayout, other: EdgeLayout) -> None:
    for name in FIELDS:
        assert getattr(one, name).tolist() == getattr(other, name).tolist(), name
    for name in OF_EDGES:
        assert getattr(one.edges, name).tolist() == getattr(other.edges, name).tolist(), name
    assert (one.num_patients, one.num_modalities, one.num_edges) == (
        other.num_patients,
        other.num_modalities,
        other.num_edges,
    )


@given(
    st.lists(st.lists(st.integers(0, 7), unique=True).map(sorted), min_size=1, max_size=4),
    st.randoms(use_true_random=False),
)
@settings(deadline=None)
def test_taking_edges_equals_building_from_them(lists, random):
    layout = EdgeLayout.from_lists([torch.tensor(each, dtype=torch.long) for each in lists], 8)
    kept = [[patient for patient in each if random.random() < 0.6] for each in lists]
    places, at = [], 0
    for each, fewer in zip(lists, kept, strict=True):
        places += [at + each.index(patient) for patient in fewer]
        at += len(each)
    expected = EdgeLayout.from_lists([torch.tensor(each, dtype=torch.long) for each in kept], 8)
    assert_same(layout.take(torch.tensor(places, dtype=torch.long)), expected)
    mask = torch.zeros(layout.num_edges, dtype=torch.bool)
    mask[places] = True
    assert_same(layout.keep(mask), expected)


def test_pointers_permutation_and_degrees_by_hand():
    layout = EdgeLayout.from_lists([torch.tensor([0, 2]), torch.tensor([], dtype=torch.long), torch.tensor([2])], 4)
    assert layout.modality_ptr.tolist() == [0, 2, 2, 3]
    assert layout.edges.by_left.tolist() == [0, 1, 2]
    assert layout.edges.left_ptr.tolist() == [0, 1, 1, 3, 3]
    assert layout.edges.left_degree.tolist() == [1, 0, 2, 0]
    assert layout.modality_degree.tolist() == [2, 0, 1]
    assert layout.presence.tolist() == [[True, False, False], [False] * 3, [True, False, True], [False] * 3]
