"""Pattern and presence tables against the graph's edges, patient by patient."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from torch_geometric.data import HeteroData

from gdsfd.errors import InputError
from gdsfd.graph.availability import pattern_table, presence_table
from gdsfd.graph.from_cohort import edge_type, graph_from_cohort
from tests.cohort_factory import make_cohort


@pytest.fixture(scope="module")
def graph() -> HeteroData:
    return graph_from_cohort(make_cohort(90))


def pattern_of(graph: HeteroData, row: int) -> str:
    has = [name for name in graph.schema.names if row in graph[edge_type(name)].edge_index[0].tolist()]
    return " + ".join(has) or "(nothing)"


def test_patterns(graph):
    table = pattern_table(graph)
    expected = pd.Series([pattern_of(graph, row) for row in range(90)]).value_counts()
    assert dict(zip(table["pattern"], table["patients"])) == expected.to_dict()
    assert table["patients"].is_monotonic_decreasing
    assert table["share"].sum() == pytest.approx(1)
    y = graph["patient"].y[:, 0].numpy()
    for _, row in table.iterrows():
        members = [patient for patient in range(90) if pattern_of(graph, patient) == row["pattern"]]
        known = y[members][~np.isnan(y[members])]
        assert row["rate: mortality"] == pytest.approx(known.mean() if len(known) else np.nan, nan_ok=True)
        assert row["modalities"] == (0 if row["pattern"] == "(nothing)" else row["pattern"].count("+") + 1)


@pytest.mark.parametrize("by", ["environment", "split", "sex"])
def test_patterns_by(graph, by):
    table = pattern_table(graph, by)
    patient = graph["patient"]
    labels = patient.groups["sex"] if by == "sex" else patient[by]
    assert table.index.tolist() == pattern_table(graph)["pattern"].tolist()
    expected = pd.crosstab(pd.Series([pattern_of(graph, row) for row in range(90)]), pd.Series(labels))
    pd.testing.assert_frame_equal(
        table.sort_index().sort_index(axis=1), expected, check_names=False, check_dtype=False, check_index_type=False,
        check_column_type=False,
    )  # fmt: skip


@pytest.mark.parametrize("by", ["environment", "split", "sex"])
def test_presence(graph, by):
    table = presence_table(graph, by)
    patient = graph["patient"]
    labels = patient.groups["sex"] if by == "sex" else patient[by]
    assert set(table.index.get_level_values(0)) == set(labels)
    for (label, patients), row in table.iterrows():
        members = [place for place, value in enumerate(labels) if value == label]
        assert patients == len(members)
        for name in graph.schema.names:
            owner = graph[edge_type(name)].edge_index[0].tolist()
            assert row[name] == pytest.approx(np.mean([place in owner for place in members]))


def test_environments_come_the_largest_first_and_splits_train_first(graph):
    assert pd.Series(presence_table(graph).index.get_level_values("patients")).is_monotonic_decreasing
    assert presence_table(graph, "split").index.get_level_values(0).tolist() == ["train", "tuning", "test"]


def test_an_environment_may_be_called_like_a_column():
    cohort = make_cohort(20)
    cohort.environment = ["patients"] * 20
    assert pattern_table(graph_from_cohort(cohort), "environment")["patients"].sum() == 20


def test_unknown_by_names_the_known(graph):
    with pytest.raises(
        InputError, match=r"by='sxe': expected 'environment', 'split' or the name of a group\. Did you mean 'sex'"
    ):
        presence_table(graph, "sxe")


def test_no_environment_says_how_to_declare_one():
    graph = graph_from_cohort(make_cohort(20, environments=None))
    with pytest.raises(InputError, match=r"declares no environment\. Name one in the spec .* or use by='split'"):
        pattern_table(graph, "environment")


def test_empty_graph():
    graph = graph_from_cohort(make_cohort(0))
    assert len(pattern_table(graph)) == 0
    assert presence_table(graph).shape == (0, 5)
