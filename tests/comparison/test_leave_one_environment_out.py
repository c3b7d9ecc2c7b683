from __future__ import annotations

import copy

import numpy as np
import pytest

from gdsfd.cohort.spec import load_spec
from gdsfd.comparison.leave_one_environment_out import (
    LEAST_PER_CLASS,
    environments_to_leave_out,
    spec_without,
    with_seed,
    without_environment,
)
from gdsfd.comparison.scores import any_label
from gdsfd.errors import InputError
from gdsfd.graph.from_cohort import graph_from_cohort
from tests.cohort_factory import make_cohort


def test_the_environment_is_the_test_split_and_no_subject_straddles(graph):
    name = environments_to_leave_out(graph)[0]
    before = list(graph["patient"].split)
    made = without_environment(graph, name, seed=0)
    split, place = np.array(made["patient"].split), np.array(graph["patient"].environment)
    assert set(split[place == name]) == {"test"}
    assert set(split[place != name]) <= {"train", "tuning", ""}
    assert {"train", "tuning"} <= set(split)
    subject = np.array(graph["patient"].subject)
    assert not set(subject[split == "test"]) & set(subject[np.isin(split, ["train", "tuning"])])
    assert list(graph["patient"].split) == before


def test_the_seed_draws_tuning(graph):
    name = environments_to_leave_out(graph)[0]
    drawn = [list(without_environment(graph, name, seed)["patient"].split) for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1] != drawn[2]


def test_small_environments_are_not_left_out_and_none_is_an_error(graph):
    names = environments_to_leave_out(graph)
    place = np.array(graph["patient"].environment)
    assert [int((place == name).sum()) for name in names] == sorted(
        (int((place == n).sum()) for n in names), reverse=True
    )
    tiny = copy.copy(graph)
    tiny["patient"].environment = [*(["tiny"] * 3), *graph["patient"].environment[3:]]
    assert "tiny" not in environments_to_leave_out(tiny)
    alone = copy.copy(graph)
    alone["patient"].environment = ["here"] * len(place)
    with pytest.raises(InputError, match="at least two environments"):
        environments_to_leave_out(alone)
    none = copy.copy(graph)
    del none["patient"].environment
    with pytest.raises(InputError, match="name their column as `environment`"):
        environments_to_leave_out(none)


def test_an_environment_is_left_out_from_five_labelled_patients_of_each_of_two_classes(graph):
    label = any_label(graph)
    rarer = int(np.bincount(label[label >= 0]).argmin())
    for size, judged in ((LEAST_PER_CLASS - 1, False), (LEAST_PER_CLASS, True)):
        place = np.array(["one"] * len(label), dtype=object)
        place[::2] = "another"
        here = np.flatnonzero(label == rarer)[:size]
        place[np.concatenate([here, np.flatnonzero(label == 1 - rarer)[:40]])] = "of few cases"
        moved = copy.copy(graph)
        moved["patient"].environment = place.tolist()
        assert ("of few cases" in environments_to_leave_out(moved)) == judged


def test_an_environment_with_labels_of_a_later_outcome_alone_is_left_out_too():
    graph = graph_from_cohort(make_cohort(300, outcomes="multilabel", environments=3))
    everywhere = environments_to_leave_out(graph)
    rows = [row for row, name in enumerate(graph["patient"].environment) if name == everywhere[0]]
    graph["patient"].y[rows, 0] = float("nan")
    assert environments_to_leave_out(graph) == everywhere
    graph["patient"].y[rows, 1] = 1.0  # and of one label nothing can be judged
    assert environments_to_leave_out(graph) == everywhere[1:]


def test_specs(exports):
    spec = load_spec(exports / "spec.toml")
    assert with_seed(spec, 7).split.seed == 7
    held = spec_without(spec, "site 1", 3).split
    assert (held.kind, held.holdout, held.seed) == ("environment", ["site 1"], 3)
    assert spec.split.kind == "column"
