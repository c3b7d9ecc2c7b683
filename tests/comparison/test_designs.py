"""Which graphs are compared on, by which names and with which truth."""

from __future__ import annotations

import copy
import warnings
from dataclasses import replace

import numpy as np
import pytest

import gdsfd
from gdsfd.cohort.spec import SplitSpec, load_spec
from gdsfd.comparison import compare
from gdsfd.comparison.designs import cases_of, confounder_of, named_sources, oracle_of
from gdsfd.comparison.leave_one_environment_out import environments_to_leave_out
from gdsfd.errors import InputError
from gdsfd.simulation.truth import load_truth

QUICK = {"max_epochs": 1, "members": 1, "channels": 8, "accelerator": "cpu", "guard_folds": 0}


def test_a_graph_for_each_seed(graph, tmp_path):
    for seed in range(2):
        gdsfd.save_graph(graph, tmp_path / f"draw-{seed}" / "graph")
    graphs = [tmp_path / f"draw-{seed}" / "graph" for seed in range(2)]
    given = {"arms": ["none"], "backbones": ["concat"], "baselines": [], "seeds": 2}
    found = compare(graphs, graph_per_seed=True, **given, **QUICK)
    assert {(record["design"], record["seed"]) for record in found.records} == {("draw", 0), ("draw", 1)}
    crossed = compare(graphs, **given, **QUICK)
    assert {(record["design"], record["seed"]) for record in crossed.records} == {
        (f"draw-{number}/graph", seed) for number in range(2) for seed in range(2)
    }
    with pytest.raises(InputError, match="same name"):
        compare([graphs[0], graphs[0]], **given, **QUICK)


def test_the_truth_of_another_cohort_is_refused(graph, tmp_path):
    gdsfd.simulate(tmp_path / "other", patients=100, modalities=2)
    with pytest.raises(InputError, match="of another cohort"):
        compare(graph, ["none"], ["concat"], 1, truth=tmp_path / "other", **QUICK)


def test_names_of_sources(graph, tmp_path):
    assert list(named_sources(graph)) == ["graph"]
    assert list(named_sources([graph, copy.copy(graph)])) == ["graph 0", "graph 1"]
    folders = [tmp_path / "a" / "graph", tmp_path / "b" / "graph", tmp_path / "ward", tmp_path / "icu.toml"]
    assert list(named_sources(folders)) == ["a/graph", "b/graph", "ward", "icu"]
    with pytest.raises(InputError, match="expected at least one graph, got none"):
        named_sources([])


def test_environments_that_are_never_left_out_are_told(graph):
    place = environments_to_leave_out(graph)[0]
    changed = copy.copy(graph)
    inside = np.array([name == place for name in graph["patient"].environment])
    changed["patient"].y = graph["patient"].y.clone()
    changed["patient"].y[inside] = 0
    with pytest.warns(UserWarning, match=f"one: 1 environments are never left out, .* two classes .*: '{place}'"):
        cases = list(cases_of({"one": changed}, [0, 1], leave_one_environment_out=True))
    assert place not in {case.holdout for case in cases}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert list(cases_of({"one": graph}, [0], leave_one_environment_out=True))


def test_seed_by_seed_and_every_environment_in_turn(graph):
    places = environments_to_leave_out(graph)
    cases = list(cases_of({"one": graph, "two": graph}, [4, 2], leave_one_environment_out=True))
    assert [(case.seed, case.design, case.holdout) for case in cases] == [
        (seed, name, place) for seed in (4, 2) for name in ("one", "two") for place in places
    ]
    left_out = cases[1].make()
    inside = [name == places[1] for name in left_out["patient"].environment]
    assert [split == "test" for split in left_out["patient"].split] == inside


def test_a_spec_is_read_anew_with_the_split_of_every_seed(exports):
    spec = load_spec(exports / "spec.toml").model_copy(update={"split": SplitSpec()})
    first, second = (case.make() for case in cases_of(named_sources(spec), [0, 1]))
    assert first["patient"].id == second["patient"].id
    assert first["patient"].split != second["patient"].split


def test_draws_of_one_design_share_a_name_and_have_a_seed_each(graph):
    cases = list(cases_of({"s-0/graph": graph, "s-1/graph": graph}, [7, 9], graph_per_seed=True))
    assert [(case.design, case.seed) for case in cases] == [("s", 7), ("s", 9)]
    (case,) = cases_of({"12": graph}, [0], graph_per_seed=True)
    assert case.design == "graphs"  # nothing is left of the name without its number


def test_the_truth_is_found_beside_the_spec_and_put_in_the_graphs_order(exports):
    (case,) = cases_of(named_sources(exports / "spec.toml"), [0])
    assert case.truth == exports
    graph = case.make()
    scores, known = oracle_of(case, graph), load_truth(exports).patients["oracle"]
    assert scores.tolist() == [known[one] for one in graph["patient"].id]
    assert oracle_of(replace(case, truth=None), graph) is None
    practice = load_truth(exports).patients["u"]
    assert confounder_of(case, graph).tolist() == [practice[one] for one in graph["patient"].id]
