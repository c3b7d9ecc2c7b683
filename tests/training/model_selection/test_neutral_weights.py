"""Weights under which strata and environments tell nothing: recounted with loops, and against a known practice."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import gdsfd
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.graph.loader import rows_of
from gdsfd.training.model_selection import neutral_weights as module
from gdsfd.training.model_selection.neutral_weights import neutral_weights, practice_shares
from tests.cohort_factory import make_cohort


@pytest.mark.parametrize("classes", [2, 3])
def test_without_strata_they_are_smoothed_counts_by_environment(classes):
    rng = np.random.default_rng(0)
    label, environment = rng.integers(0, classes, 150), rng.choice(["a", "b", "c"], 150)
    expected = []
    for row in range(150):
        same = [other for other in range(150) if environment[other] == environment[row]]
        share = sum(label == label[row]) / 150
        here = (sum(label[other] == label[row] for other in same) + 5 * share) / (len(same) + 5)
        expected.append(min(share / here, 5.0))
    np.testing.assert_allclose(neutral_weights(label, environment), expected)


def test_shares_of_strata_weigh_in_expectation():
    rng = np.random.default_rng(1)
    label, share = rng.integers(0, 2, 80), rng.dirichlet([1, 1], 80)
    found = neutral_weights(label, ["one"] * 80, share)
    for row in range(80):
        weight = 0.0
        for stratum in range(2):
            total = share[:, stratum].sum()
            inside = sum(share[other, stratum] for other in range(80) if label[other] == label[row])
            overall = np.mean(label == label[row])
            weight += share[row, stratum] * min(overall / ((inside + 5 * overall) / (total + 5)), 5.0)
        assert found[row] == pytest.approx(weight, rel=0.02)  # one environment: its factor is 1 but for the smoothing


def practice(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Outcome, practice (which agrees with it in 80 %), and a site that tells a little of the practice."""
    y = rng.integers(0, 2, n)
    u = np.where(rng.random(n) < 0.8, y, 1 - y)
    return y, u, np.where(rng.random(n) < 0.6, u, rng.integers(0, 2, n))


def test_under_the_weights_a_practice_tells_little_and_sites_nothing_more():
    y, u, site = practice(6000, np.random.default_rng(2))
    known = 0.98 * np.eye(2)[u] + 0.01
    with_strata, without = neutral_weights(y, site.astype(str), known), neutral_weights(y, site.astype(str))

    def told(by: np.ndarray, weight: np.ndarray) -> float:
        shares = [np.average(y[by == level], weights=weight[by == level]) for level in (0, 1)]
        return abs(shares[1] - shares[0])

    assert told(u, np.ones(6000)) == pytest.approx(0.6, abs=0.03)
    assert told(u, without) > 0.4  # inside sites the bias holds as well
    assert told(u, with_strata) < 0.05
    assert told(site, with_strata) < 0.05
    assert told(site, without) < 0.05


def test_patients_whose_strata_are_not_known_count_one():
    label = np.array([0, 1] * 20)
    share = np.tile([0.9, 0.1], (40, 1))
    share[5] = 0
    weight = neutral_weights(label, ["one"] * 40, share)
    assert weight[5] == pytest.approx(neutral_weights(label, ["one"] * 40)[5], rel=0.05)


def test_strata_are_asked_for_only_where_they_can_be_a_practice():
    graph = graph_from_cohort(make_cohort(300))
    assert practice_shares(graph, ()) is None
    assert practice_shares(graph_from_cohort(make_cohort(80, outcomes="multilabel")), ("pattern",)) is None
    assert practice_shares(graph_from_cohort(make_cohort(60)), ("pattern",)) is None  # too few


def test_where_all_patients_cannot_tell_the_strata_are_those_of_training(tmp_path, monkeypatch):
    gdsfd.simulate(tmp_path, patients=1200, preset="latent", modalities=("labs", "imaging"))
    graph = gdsfd.build_graph(tmp_path / "spec.toml", progress=False)
    look, asked = module.choose_strata, []

    def undecided(graph, outcome, suspects, seed, fit_tuning=True):
        asked.append(fit_tuning)
        choice = look(graph, outcome, suspects, seed, fit_tuning=fit_tuning)
        return replace(choice, used=choice.used and not fit_tuning)

    monkeypatch.setattr(module, "choose_strata", undecided)
    assert practice_shares(graph, ("pattern", "environment")) is None
    assert asked == [True]
    share = practice_shares(graph, ("pattern", "environment"), found_in_training=True)
    assert asked == [True, True, False]
    found = look(graph, 0, ("pattern", "environment"), 0, fit_tuning=False).found
    labelled = ~graph["patient"].y[:, 0].isnan().numpy()
    rows = {name: rows_of(graph, name).numpy() for name in ("train", "tuning", "test")}
    rows = {name: each[labelled[each]] for name, each in rows.items()}
    np.testing.assert_array_equal(found.rows, rows["train"])
    np.testing.assert_allclose(share[rows["train"]], found.share)
    np.testing.assert_allclose(share[rows["tuning"]].sum(1), 1)
    y = graph["patient"].y[rows["tuning"], 0].numpy().astype(int)
    for row, label, own in zip(rows["tuning"][:5], y[:5], share[rows["tuning"]][:5], strict=True):
        np.testing.assert_allclose(found.responsibilities(graph, np.array([row]), np.array([label]))[0], own)
    assert not share[rows["test"]].any()
