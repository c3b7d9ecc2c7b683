"""Graphs that contenders are fitted on: whose observations are where."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gdsfd.fusion_study.training_changes import changed, dealt_out_anew, fewer_in_training
from gdsfd.graph.availability import presence_of
from gdsfd.graph.flatten import flatten
from gdsfd.graph.from_cohort import graph_from_cohort
from tests.cohort_factory import make_cohort


@pytest.fixture(scope="module")
def graph():
    return graph_from_cohort(make_cohort(200))


@pytest.mark.parametrize("name", ["chart", "labs", "diagnosis", "note"])
def test_a_modality_is_dealt_out_whole_inside_each_split(graph, name):
    made = dealt_out_anew(graph, name, 3)
    before, columns = flatten(graph)
    after, _ = flatten(made)
    own = np.array([column.startswith(name) for column in columns])
    split = np.array(graph["patient"].split)
    assert np.array_equal(before[:, ~own], after[:, ~own], equal_nan=True)
    assert not np.array_equal(before[:, own], after[:, own], equal_nan=True)
    for each in np.unique(split):
        rows = split == each
        one, other = (sorted(map(str, np.round(table[rows][:, own], 5).tolist())) for table in (before, after))
        assert one == other
    place = graph.schema.names.index(name)
    assert presence_of(made)[:, place].sum() == presence_of(graph)[:, place].sum()
    assert np.array_equal(flatten(graph)[0], before, equal_nan=True)  # the graph itself is as it was


def test_fewer_train_whole_subjects_and_smaller_shares_are_inside_larger_ones(graph):
    before = np.array(graph["patient"].split)
    subject = np.array(graph["patient"].subject)
    trained = {}
    for share in (0.1, 0.5):
        after = np.array(fewer_in_training(graph, share, 1)["patient"].split)
        assert set(after[before == "train"]) == {"train", "left out"}
        assert (after[before != "train"] == before[before != "train"]).all()
        trained[share] = set(subject[after == "train"])
        assert not trained[share] & set(subject[after == "left out"])
        assert len(trained[share]) == round(share * len(set(subject[before == "train"])))
    assert trained[0.1] < trained[0.5]
    assert (np.array(graph["patient"].split) == before).all()


def test_other_words_are_conditions(graph):
    made = changed(graph, "without labs", 0)
    rows = torch.from_numpy(np.isin(np.array(graph["patient"].split), ["train", "tuning"]))
    place = graph.schema.names.index("labs")
    assert not presence_of(made)[rows, place].any()
    assert torch.equal(presence_of(made)[~rows], presence_of(graph)[~rows])
    assert np.array_equal(
        flatten(changed(graph, "permuted labs", 5))[0], flatten(dealt_out_anew(graph, "labs", 5))[0], equal_nan=True
    )
    assert changed(graph, "share 0.5", 5)["patient"].split == fewer_in_training(graph, 0.5, 5)["patient"].split
