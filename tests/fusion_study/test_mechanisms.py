"""Who loses what: rates, drivers, donors; by hand and by loops."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from gdsfd.fusion_study.mechanisms import anchor_of, by_driver, covariate_of, ill_and_well, risk_of, transplanted
from gdsfd.graph.availability import presence_of
from gdsfd.graph.flatten import flatten
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.graph.modality_ablation import hide_observations
from tests.cohort_factory import make_cohort


@pytest.fixture(scope="module")
def graph():
    return graph_from_cohort(make_cohort(400))


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_chances_have_the_rate_as_mean_and_rise_with_the_driver(rate):
    driver = np.random.default_rng(0).normal(3, 5, 300)
    found = by_driver(driver, rate)
    assert found.mean() == pytest.approx(rate, abs=1e-9)
    assert spearmanr(driver, found).statistic == pytest.approx(1)
    driver[:10] = np.nan
    assert len(set(by_driver(driver, rate)[:10])) == 1
    np.testing.assert_allclose(by_driver(np.ones(5), rate), rate, rtol=1e-12)


def test_who_is_ill_is_the_first_outcome(graph):
    ill, well = ill_and_well(graph)
    y = graph["patient"].y[:, 0].numpy()
    np.testing.assert_array_equal(ill, y == 1)
    np.testing.assert_array_equal(well, y == 0)
    many = graph_from_cohort(make_cohort(100, outcomes="multiclass"))
    ill, well = ill_and_well(many)
    np.testing.assert_array_equal(ill, many["patient"].y.numpy() > 0)


def test_the_anchor_is_had_by_most_and_has_the_covariate(graph):
    presence = presence_of(graph).numpy()
    anchor = anchor_of(graph)
    assert presence[:, graph.schema.names.index(anchor)].sum() == presence.sum(0).max()
    name, values = covariate_of(graph)
    table, names = flatten(graph)
    np.testing.assert_array_equal(values, table[:, names.index(name)])
    assert name.startswith(f"{anchor}.")
    assert len(np.unique(values[np.isfinite(values)])) > 2


def test_risk_is_of_models_that_have_not_seen_the_subject(graph):
    """A label that nothing tells of cannot be told, though in-sample models with so many columns would."""
    made = graph.clone()
    made["patient"].y = torch.from_numpy((np.random.default_rng(1).random((400, 1)) < 0.5).astype(np.float32))
    risk = risk_of(made, 0)
    ill, _ = ill_and_well(made)
    assert np.isfinite(risk).all()
    assert abs(spearmanr(risk, ill).statistic) < 0.2
    made["patient"].y[:50] = float("nan")
    assert np.isnan(risk_of(made, 0)[:50]).all()
    made["patient"].y[:] = 1.0
    assert set(risk_of(made, 0)) == {0.0}


def test_transplanted_patterns_are_those_of_donors_cut_down_to_what_is_there(graph):
    presence = presence_of(graph).numpy()
    environment = np.array(graph["patient"].environment, dtype=str)
    site = environment[0]
    lost = transplanted(graph, site, np.random.default_rng(0))
    there = environment == site
    assert not lost[there].any()
    assert not (lost & ~presence).any()
    patterns = {tuple(row) for row in presence[there]}
    for row in np.flatnonzero(~there):
        after = presence[row] & ~lost[row]
        assert any(tuple(presence[row] & np.array(pattern)) == tuple(after) for pattern in patterns)


def test_a_site_that_lacks_a_modality_takes_it_from_everybody(graph):
    names = list(graph.schema.names)
    environment = np.array(graph["patient"].environment, dtype=str)
    site, place = environment[0], names.index("labs")
    hidden = np.zeros((len(environment), len(names)), dtype=bool)
    hidden[environment == site, place] = True
    bare = hide_observations(graph, torch.from_numpy(hidden))
    lost = transplanted(bare, site, np.random.default_rng(0))
    after = presence_of(bare).numpy() & ~lost
    assert not after[:, place].any()


def test_donors_are_like_the_patient_in_what_everybody_has():
    """Of a site that takes images of the old alone, the old of other sites keep theirs and the young lose them."""
    from tests.fusion_study.two_sites import two_sites

    graph, age = two_sites()
    lost = transplanted(graph, "careful", np.random.default_rng(0))
    names = list(graph.schema.names)
    other = np.array(graph["patient"].environment, dtype=str) == "other"
    gone = lost[:, names.index("imaging")]
    assert gone[other & (age < -0.3)].mean() > 0.95
    assert gone[other & (age > 0.3)].mean() < 0.05
