"""Holes inside of modalities, against loops over patients."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gdsfd.cohort.schema import SUMMARY_COLUMNS
from gdsfd.fusion_study.inside_modalities import has_time, without_cells, without_window
from gdsfd.graph.availability import presence_of
from gdsfd.graph.check_graph import check_graph
from gdsfd.graph.flatten import flatten
from gdsfd.graph.from_cohort import edge_type, graph_from_cohort
from tests.cohort_factory import STEPS, make_cohort


@pytest.fixture(scope="module")
def graph():
    return graph_from_cohort(make_cohort(200))


def events_of(graph) -> dict[tuple[int, int, int], float]:
    """(patient, step, item) -> value."""
    edges, found = graph[edge_type("labs")], {}
    for number, owner in enumerate(edges.edge_index[0].tolist()):
        for place in range(int(edges.run_ptr[number]), int(edges.run_ptr[number + 1])):
            found[owner, int(edges.step[place]), int(edges.item[place])] = float(edges.value[place])
    return found


def test_cells_are_deleted_at_the_rate_and_none_is_changed(graph):
    made = without_cells(graph, 0.4, np.random.default_rng(0))
    check_graph(made)
    before, after = flatten(graph)[0], flatten(made)[0]
    names = flatten(graph)[1]
    numeric = [place for place, name in enumerate(names) if name.startswith("chart.") and "=" not in name]
    known, left = np.isfinite(before[:, numeric]), np.isfinite(after[:, numeric])
    assert not (left & ~known).any()
    np.testing.assert_array_equal(before[:, numeric][left], after[:, numeric][left])
    first, last = events_of(graph), events_of(made)
    assert set(last.items()) < set(first.items())
    series = {(owner, item) for owner, _, item in first}
    kept = {(owner, item) for owner, _, item in last}
    assert len(kept) / len(series) == pytest.approx(0.6, abs=4 * np.sqrt(0.24 / len(series)))
    for owner, step, item in first:  # an item goes with all its times
        assert ((owner, step, item) in last) == ((owner, item) in kept)


def test_only_those_named_lose_cells(graph):
    rows = torch.arange(0, 200, 2)
    made = without_cells(graph, 0.9, np.random.default_rng(0), rows, "labs")
    before, after = flatten(graph)[0], flatten(made)[0]
    np.testing.assert_array_equal(before[1::2], after[1::2])
    mine = np.array([name.startswith("labs") for name in flatten(graph)[1]])
    np.testing.assert_array_equal(before[:, ~mine], after[:, ~mine])
    assert presence_of(made)[::2, graph.schema.names.index("labs")].sum() < presence_of(graph)[::2, 1].sum()


def test_nothing_is_left_of_a_modality_without_cells(graph):
    made = without_cells(graph, 1.0, np.random.default_rng(0))
    present = presence_of(made).any(0)
    kinds = [fields.kind for fields in graph.schema.modalities]
    assert [bool(each) for each in present] == [
        kind == "embedding" and bool(presence_of(graph)[:, place].any()) for place, kind in enumerate(kinds)
    ]


def test_a_stretch_of_time_is_gone_and_summaries_are_of_what_remains(graph):
    assert has_time(graph)
    made = without_window(graph, 0.5, np.random.default_rng(0))
    check_graph(made)
    first, last = events_of(graph), events_of(made)
    assert set(last.items()) < set(first.items())
    by_patient: dict[int, set[int]] = {}
    for owner, step, _ in set(first) - set(last):
        by_patient.setdefault(owner, set()).add(step)
    for owner, steps in by_patient.items():
        assert max(steps) - min(steps) < STEPS / 2
        assert not [1 for one, step, _ in last if one == owner and min(steps) <= step <= max(steps)]
    edges, old = made[edge_type("labs")], graph[edge_type("labs")]
    originals = {
        (owner, int(old.summary_item[place])): old.summary[place]
        for number, owner in enumerate(old.edge_index[0].tolist())
        for place in range(int(old.summary_ptr[number]), int(old.summary_ptr[number + 1]))
    }
    seen = 0
    for number, owner in enumerate(edges.edge_index[0].tolist()):
        for place in range(int(edges.summary_ptr[number]), int(edges.summary_ptr[number + 1])):
            item = int(edges.summary_item[place])
            steps = sorted(step for one, step, what in last if one == owner and what == item)
            values = [last[owner, step, item] for step in steps]
            was = originals[owner, item]
            before = sum(1 for one, _, what in first if one == owner and what == item)
            seen += 1
            if len(values) == before:
                assert torch.equal(edges.summary[place], was)
                continue
            count = max(1, round(float(was[0]) * len(values) / before))
            expected = [count, np.mean(values), min(values), max(values), values[0], values[-1]]
            assert list(SUMMARY_COLUMNS) == ["count", "mean", "min", "max", "first", "last"]
            np.testing.assert_allclose(edges.summary[place].numpy(), expected, rtol=1e-5)
    assert seen == len({(owner, item) for owner, _, item in last})


def test_without_events_of_several_steps_there_is_no_time():
    from tests.fusion_study.two_sites import two_sites

    assert not has_time(two_sites(60)[0])
