from __future__ import annotations

from dataclasses import replace

import pytest

import gdsfd
from gdsfd.errors import InputError
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.training.plan import fits_at_once
from tests.cohort_factory import make_cohort

SETTINGS = {"channels": 4, "max_epochs": 1, "seed": 0, "members": 2}


@pytest.mark.parametrize("debias", ["none", "full"])
@pytest.mark.parametrize("environments", [True, False])
def test_the_plan_is_what_is_then_done(debias, environments):
    graph = graph_from_cohort(make_cohort(120))
    if not environments:
        del graph["patient"].environment
    model = gdsfd.Debiaser("concat", debias, **SETTINGS)
    plan = model.plan(graph)
    rows: list[dict[str, object]] = []
    model.fit(graph, on_epoch=rows.append, baselines=False)
    done = [row.get("model", "reference") for row in rows if row["epoch"] == 1]
    assert tuple(name for name in done if name != "guard") == plan.models
    assert len(done) in (len(plan.models), plan.fits)  # the guard may decide without leaving anything out
    beside = [model.biased_] if model.biased_ is not None else []
    networks = [*model.networks_.values(), *beside]
    assert [len(network.members) for network in networks] == [plan.members] * len(plan.models)
    assert (plan.left_out > 0) == (environments and debias == "full")


def test_the_words():
    graph = graph_from_cohort(make_cohort(120))
    assert gdsfd.Debiaser("concat", **SETTINGS).plan(graph).explanation == (
        "1 fit of 2 networks, 1 beside boosted trees (reference); at most 1 epoch each"
    )
    words = gdsfd.Debiaser("concat", "full", **{**SETTINGS, "members": 1, "max_epochs": 9}).plan(graph).explanation
    assert words.startswith("3 fits of 1 network (reference, debiased, biased), then up to ")
    assert words.endswith("groups of environments in turn; at most 9 epochs each")


@pytest.mark.parametrize(
    ("debias", "patients", "accelerator", "threads", "at_once"),
    [
        ("full", 2000, "cpu", 2, 2),
        ("full", 2000, "cpu", 1, 1),
        ("full", 2000, "cpu", 64, 4),
        ("none", 2000, "cpu", 64, 1),  # one fit
        ("full", 10_000, "cpu", 64, 1),  # every process holds the cohort
        ("full", 2000, "cuda", 64, 1),
    ],
)
def test_fits_at_once_where_nobody_says_how_many(debias, patients, accelerator, threads, at_once):
    plan = gdsfd.Debiaser("concat", debias, **SETTINGS).plan(graph_from_cohort(make_cohort(120)))
    assert fits_at_once(plan, patients, accelerator, threads) == at_once
    assert fits_at_once(replace(plan, devices=2), patients, accelerator, threads) == 1
    said = replace(plan, at_once=at_once).explanation
    assert said.endswith(f", {at_once} fits at a time") == (at_once > 1)


def test_one_fit_at_a_time_where_processes_cannot_be_forked(monkeypatch):
    monkeypatch.setattr("gdsfd.training.plan.get_all_start_methods", lambda: ["spawn"])
    plan = gdsfd.Debiaser("concat", "full", **SETTINGS).plan(graph_from_cohort(make_cohort(120)))
    assert fits_at_once(plan, 2000, "cpu", 8) == 1


def test_what_cannot_be_trained_on_has_no_plan():
    graph = graph_from_cohort(make_cohort(40))
    graph["patient"].split = ["test"] * 40
    with pytest.raises(InputError):
        gdsfd.Debiaser("concat").plan(graph)
