"""Strata of another site: masses found without labels, and predictions that follow them."""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import multivariate_normal

import gdsfd
from gdsfd.errors import InputError, NotFittedError
from gdsfd.graph.availability import presence_of
from gdsfd.graph.flatten import flatten
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.graph.loader import rows_of
from gdsfd.simulation import load_truth
from gdsfd.training import Debiaser
from gdsfd.training.site_strata import reweighted
from gdsfd.training.stratum_assignment import assign_strata, member_groups
from tests.cohort_factory import make_cohort

QUICK = {"members": 1, "channels": 8, "max_epochs": 2, "guard_folds": 0}


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    place = tmp_path_factory.mktemp("site") / "exports"
    gdsfd.simulate(place, patients=1200, preset="latent", modalities=("labs", "imaging"))
    graph = gdsfd.build_graph(place / "spec.toml", progress=False)
    return graph, load_truth(place).patients["u"].reindex(graph["patient"].id).to_numpy()


@pytest.fixture
def model(simulated):
    return Debiaser("concat", "latent", **QUICK).fit(simulated[0], baselines=False).use("debiased")


def test_masses_of_found_strata_are_those_of_the_sites_patients(simulated, model):
    graph, u = simulated
    before = model.predict_proba(graph)
    here = [name for name, own in zip(graph["patient"].id, u) if own == 1]
    assert model.adapt(graph, ids=here) is model
    (masses,) = model.training_["adapted"]["masses"].values()
    (stored,) = model.strata_.values()
    practice = int(stored.mixture.share[1].argmax() == 1)  # the class in which the outcome is more frequent
    assert max(masses) > 0.85
    assert model.training_["adapted"]["patients"] == len(here)
    after = model.predict_proba(graph)
    assert np.abs(after - before).max() > 1e-6
    np.testing.assert_allclose(after.sum(1), 1.0)
    np.testing.assert_array_equal(model.use("reference").predict_proba(graph), model.predict_proba(graph))
    everyone = model.use("debiased").adapt(graph).strata_
    (all_masses,) = (each.masses for each in everyone.values())
    assert all_masses[practice] == pytest.approx(stored.mixture.marginal[practice], abs=0.12)


def test_labels_of_the_site_are_not_read(simulated, model):
    graph = simulated[0]
    masses = model.adapt(graph, split="test").training_["adapted"]
    unlabelled = graph.clone()
    unlabelled["patient"].y = graph["patient"].y * float("nan")
    assert model.adapt(unlabelled, split="test").training_["adapted"] == masses


def test_predictions_move_by_the_ratio_of_densities(simulated, model):
    """One patient after the other, with scipy's Gaussians."""
    graph = simulated[0]
    rows = rows_of(graph, "test")[:15]
    ids = [graph["patient"].id[int(row)] for row in rows]
    before = model.predict_proba(graph, ids=ids)
    ((name, own),) = model.strata_.items()
    model.strata_ = {name: replace(own, masses=np.array([0.9, 0.1]))}
    after = model.predict_proba(graph, ids=ids)
    content = own.reader(flatten(graph, rows.numpy())[0])
    moved = 0.0
    for place in range(len(rows)):
        density = np.zeros((2, 2))
        for y in range(2):
            for u in range(2):
                for number, block in enumerate(own.mixture.blocks):
                    x = content[place, own.mixture.block == number]
                    seen = np.isfinite(x)
                    if seen.any():
                        mean = block.outcome[y] + block.stratum[u]
                        part = multivariate_normal(mean[seen], block.covariance[np.ix_(seen, seen)])
                        density[y, u] += part.logpdf(x[seen])
        density = np.exp(density)
        weight = before[place] * (density @ [0.9, 0.1]) / (density @ own.mixture.marginal)
        np.testing.assert_allclose(after[place], weight / weight.sum(), rtol=1e-6)
        moved = max(moved, float(np.abs(after[place] - before[place]).max()))
    assert moved > 1e-4


def test_of_several_outcomes_only_those_with_strata_move(simulated, model):
    graph = simulated[0]
    ((name, own),) = model.strata_.items()
    own = replace(own, masses=np.array([0.9, 0.1]))
    (outcome,) = graph.schema.outcomes
    both = replace(graph.schema, outcomes=(replace(outcome, name="other"), outcome))
    features, _ = flatten(graph, np.arange(20))
    chance = np.linspace(0.1, 0.9, 40).reshape(20, 2)
    found = reweighted(chance, {name: own}, both, features)
    np.testing.assert_array_equal(found[:, 0], chance[:, 0])
    alone = reweighted(np.stack([1 - chance[:, 1], chance[:, 1]], 1), {name: own}, graph.schema, features)
    np.testing.assert_allclose(found[:, 1], alone[:, 1])


def test_masses_are_saved_with_the_model(simulated, model, tmp_path):
    graph = simulated[0]
    plain = model.predict_proba(graph)
    model.save(tmp_path / "plain")
    np.testing.assert_array_equal(Debiaser.load(tmp_path / "plain").predict_proba(graph), plain)
    model.adapt(graph, split="test").save(tmp_path / "adapted")
    again = Debiaser.load(tmp_path / "adapted")
    np.testing.assert_array_equal(again.predict_proba(graph), model.predict_proba(graph))
    assert again.training_["adapted"] == model.training_["adapted"]
    (tmp_path / "adapted" / "strata.safetensors").write_bytes(b"")
    with pytest.raises(InputError, match=r"strata\.safetensors"):
        Debiaser.load(tmp_path / "adapted")


def test_prototypes_weigh_by_the_patterns_of_the_site():
    graph = graph_from_cohort(make_cohort(300))
    config = {"head": "causal", "prototypes": {"strata": ["pattern"], "least": 8, "clusters": 1}}
    model = Debiaser("concat", config, **QUICK).fit(graph, baselines=False).use("debiased")
    before = model.predict_proba(graph)
    presence = presence_of(graph)
    rows = (presence.sum(1) == presence.sum(1).max()).nonzero().flatten()  # a site that measures everything
    ids = [graph["patient"].id[int(row)] for row in rows]
    ((masses,),) = (model.adapt(graph, ids=ids).training_["adapted"]["masses"]["prototypes"],)
    network = model.networks["debiased"]
    groups = member_groups(network, graph, rows_of(graph, "train")[:0])
    counts = np.bincount(assign_strata(network, graph, rows, groups)[0], minlength=len(masses))
    np.testing.assert_allclose(masses, counts / counts.sum(), rtol=1e-6)
    assert np.abs(model.predict_proba(graph) - before).max() > 1e-6


def test_what_has_no_strata_is_refused_and_where_none_were_found_nothing_changes(caplog):
    graph = graph_from_cohort(make_cohort(120))
    with pytest.raises(NotFittedError):
        Debiaser("concat", "full").adapt(graph)
    with pytest.raises(InputError, match="averages over no strata"):
        Debiaser("concat", "margin", **QUICK).fit(graph, baselines=False).adapt(graph)
    model = Debiaser("concat", "full", **QUICK).fit(graph, baselines=False).use("debiased")
    before = model.predict_proba(graph)
    with pytest.raises(InputError, match="expected patients to work the masses"):
        model.adapt(graph, ids=[])
    with caplog.at_level(logging.WARNING, logger="gdsfd"):
        model.adapt(graph)
    assert "no practice was found in training" in caplog.text
    np.testing.assert_array_equal(model.predict_proba(graph), before)


def test_what_is_explained_is_the_adapted_prediction(simulated, model):
    graph, u = simulated
    here = [name for name, own in zip(graph["patient"].id, u) if own == 1]
    before = model.explain(graph, ids=here[:8], progress=False).patients["probability"]
    found = model.adapt(graph, ids=here).explain(graph, ids=here[:8], progress=False)
    expected = model.predict_proba(graph, ids=here[:8])[:, 1]
    np.testing.assert_allclose(found.patients["probability"], expected, atol=1e-6)
    assert (found.patients["probability"] - before).abs().max() > 1e-7
    added = found.modalities.groupby("id", sort=False)["shapley"].sum().reindex(found.patients["id"], fill_value=0.0)
    sums = found.patients["log_odds_without_any"].to_numpy() + added.to_numpy()
    np.testing.assert_allclose(sums, found.patients["log_odds"], atol=1e-6)


def test_that_a_recalibration_is_of_before_is_said(caplog):
    graph = graph_from_cohort(make_cohort(300))
    config = {"head": "causal", "prototypes": {"strata": ["pattern"], "least": 8, "clusters": 1}}
    model = Debiaser("concat", config, recalibrate="logistic", **QUICK).fit(graph, baselines=False)
    assert model.record_.calibrations["debiased"][0].method == "logistic"
    with caplog.at_level(logging.WARNING):
        model.adapt(graph, split="test")
    assert "recalibration of the risks given out was fitted before" in caplog.text
