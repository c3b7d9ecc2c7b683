"""Probes find what was planted, and nothing where there is nothing."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from gdsfd.errors import InputError, NotFittedError
from gdsfd.evaluation.diagnostics import probes as probes_module
from gdsfd.evaluation.diagnostics.probe_targets import ProbeTarget
from gdsfd.evaluation.diagnostics.probes import probe_codes, probe_streams
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.training import Debiaser
from tests.cohort_factory import make_cohort

N = 900


@pytest.fixture(scope="module")
def planted():
    """A suspect that agrees with the outcome in 85 %, one of four levels, and one that is pure chance."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, N)
    suspect = np.where(rng.random(N) < 0.85, y, 1 - y)
    levels = rng.integers(0, 4, N)
    subject = np.sort(rng.integers(0, N * 2 // 3, N))
    targets = [
        ProbeTarget("suspect", "suspect", suspect),
        ProbeTarget("four", "fact", levels),
        ProbeTarget("coin", "fact", rng.integers(0, 2, N)),
        ProbeTarget("died", "outcome", y),
    ]
    noise = rng.normal(size=(N, 10))
    hot = np.eye(4)[levels]
    codes = {
        "suspect": np.concatenate([suspect[:, None] + 0.05 * noise[:, :1], noise], axis=1),
        "outcome": np.concatenate([y[:, None] + 0.05 * noise[:, :1], noise], axis=1),
        "levels": np.concatenate([hot + 0.1 * noise[:, :4], noise], axis=1),
        "noise": noise,
    }
    probes = probe_codes(codes, targets, y, subject, permutations=40, boosting=False)
    return {(one.stream, one.target): one for one in probes}


def test_a_code_that_is_the_suspect_is_found_out(planted):
    found = planted["suspect", "suspect"]
    assert found.all.auc > 0.99
    assert found.same_outcome.auc > 0.99
    assert found.all.beyond_chance


def test_noise_falls_into_the_band(planted):
    for target in ("suspect", "four", "coin", "died"):
        found = planted["noise", target].all
        assert found.low - 0.02 < found.auc < found.high + 0.02
        assert found.low < 0.5 < found.high
        assert abs(found.chance - 0.5) < 0.02


def test_a_code_that_knows_only_the_outcome_is_at_chance_given_it(planted):
    found = planted["outcome", "suspect"]
    assert found.all.auc > 0.8  # by the outcome alone
    assert found.all.beyond_chance
    assert abs(found.same_outcome.auc - 0.5) < 0.06
    assert not found.same_outcome.beyond_chance


def test_several_levels_each_against_the_rest(planted):
    found = planted["levels", "four"]
    assert found.levels == 4
    assert found.all.auc > 0.98
    assert planted["levels", "coin"].all.auc < found.all.high + 0.06


def test_the_outcome_given_the_outcome_is_no_question(planted):
    assert math.isnan(planted["noise", "died"].same_outcome.auc)
    assert planted["outcome", "died"].all.auc > 0.99


def test_bands_widen_with_fewer_patients():
    rng = np.random.default_rng(5)
    widths = []
    for n in (150, 1200):
        target = ProbeTarget("coin", "fact", rng.integers(0, 2, n))
        code = rng.normal(size=(n, 5))
        (one,) = probe_codes({"noise": code}, [target], np.zeros(n, np.int64), np.arange(n), 40, False)
        widths.append(one.all.high - one.all.low)
    assert widths[0] > 2 * widths[1]


def test_a_person_does_not_give_the_suspect_away():
    """Each person has a code of their own and a suspect of their own: other persons say nothing of it."""
    rng = np.random.default_rng(6)
    subject = np.repeat(np.arange(100), 4)
    code = rng.normal(size=(100, 8))[subject] + 0.01 * rng.normal(size=(400, 8))
    target = ProbeTarget("own", "fact", rng.integers(0, 2, 100)[subject])
    (one,) = probe_codes({"own": code}, [target], np.zeros(400, np.int64), subject, 40, True)
    assert one.all.low < one.all.auc < one.all.high
    assert one.boosted < 0.7
    (leaky,) = probe_codes({"own": code}, [target], np.zeros(400, np.int64), np.arange(400), 40, True)
    assert leaky.boosted > 0.9  # the same patients, persons ignored


def test_too_few_permutations():
    with pytest.raises(InputError, match="at least 2, got 1"):
        probe_codes({}, [], np.zeros(0, np.int64), np.zeros(0, np.int64), permutations=1)


@pytest.fixture(scope="module")
def graph():
    return graph_from_cohort(make_cohort(500, seed=1))


def small(debias: str, graph, **settings) -> Debiaser:
    settings = {"max_epochs": 2, "members": 2, "channels": 8, "guard_folds": 0, **settings}
    return Debiaser("concat", debias, **settings).fit(graph, baselines=False)


@pytest.mark.parametrize(
    ("debias", "streams"),
    [
        ("full", ("causal", "biased", "reference")),
        ("strata", ("debiased", "reference")),
        ("none", ("pooled",)),
    ],
)
def test_streams_of_every_mode(debias, streams, graph):
    model = small(debias, graph)
    before = model.choice
    probes = probe_streams(model, graph, "train", permutations=2, boosting=False)
    assert probes.streams == streams
    assert model.choice == before
    kinds = dict(zip(probes.to_frame()["target"], probes.to_frame()["kind"]))
    assert kinds["environment"] == ("suspect" if debias != "none" else "fact")
    assert kinds["o"] == "outcome" if "o" in kinds else "outcome" in kinds.values()


def test_one_split_is_probed_and_the_same_again(graph):
    model = small("full", graph)
    probes, again = (probe_streams(model, graph, "test", permutations=3, boosting=False, seed=4) for _ in range(2))
    assert probes.patients == graph["patient"].split.count("test")
    pd.testing.assert_frame_equal(probes.to_frame(), again.to_frame())
    assert probes.to_dict()["probes"][0]["all"]["auc"] == probes.probes[0].all.auc
    some = probe_streams(model, graph, "train", permutations=2, boosting=False, most=120)
    assert some.patients == 120


def test_a_planted_site_in_the_codes_is_found():
    """The whole way: a model whose embedding is replaced by the environment."""
    graph = graph_from_cohort(make_cohort(500, seed=1))
    names = np.asarray(graph["patient"].environment, dtype=str)
    row = {one: number for number, one in enumerate(graph["patient"].id)}
    hot = np.eye(len(np.unique(names)))[np.unique(names, return_inverse=True)[1]]
    rng = np.random.default_rng(0)

    class Planted(Debiaser):
        def embed(self, graph, split=None, ids=None):
            places = [row[one] for one in ids]
            return {"pooled": np.concatenate([hot[places], rng.normal(size=(len(places), 3))], axis=1)}

    model = Planted("concat", "none", max_epochs=1, members=1, channels=8).fit(graph, baselines=False)
    found = probe_streams(model, graph, "train").find("pooled", "environment")
    assert found.all.auc > 0.99
    assert found.boosted > 0.99


@pytest.mark.parametrize("outcomes", ["multiclass", "multilabel"])
def test_other_outcomes(outcomes):
    graph = graph_from_cohort(make_cohort(400, outcomes=outcomes, unlabelled=0.2))
    probes = probe_streams(small("full", graph, max_epochs=1), graph, "train", permutations=2, boosting=False)
    told = [one for one in probes.probes if one.kind == "outcome" and one.stream == "causal"]
    assert len(told) == (1 if outcomes == "multiclass" else 2)
    assert told[0].levels == (3 if outcomes == "multiclass" else 2)
    assert any(np.isfinite(one.same_outcome.auc) for one in probes.probes)


def test_an_untrained_model(graph):
    with pytest.raises(NotFittedError):
        probe_streams(Debiaser("concat", "full"), graph)


@pytest.mark.parametrize("n", [0, 1, 3, 12])
def test_few_patients_and_no_targets_give_no_figures(n):
    rng = np.random.default_rng(0)
    code, subject = rng.normal(size=(n, 4)), np.arange(n)
    assert probe_codes({"a": code}, [], np.zeros(n, np.int64), subject, 2) == []
    target = ProbeTarget("coin", "fact", np.arange(n) % 2)
    (one,) = probe_codes({"a": code}, [target], np.full(n, -1), subject, 2)
    assert math.isnan(one.same_outcome.auc)
    assert n > 3 or math.isnan(one.all.auc)
    constant = probe_codes({"a": np.ones((n, 4))}, [target], np.full(n, -1), subject, 2, boosting=False)
    assert n < 12 or constant[0].all.auc == 0.5


def test_without_lightgbm_only_the_boosted_probe_is_missing(monkeypatch, caplog):
    def missing():
        raise InputError("LightGBM cannot be loaded here")

    monkeypatch.setattr(probes_module, "load_lightgbm", missing)
    rng = np.random.default_rng(0)
    code, label = rng.normal(size=(200, 3)), rng.integers(0, 2, 200)
    [found] = probe_codes({"code": code}, [ProbeTarget("a", "suspect", label)], label, np.arange(200))
    assert np.isnan(found.boosted)
    assert 0.3 < found.all.auc < 0.7
    assert "no boosted probe: LightGBM cannot be loaded here" in caplog.text
