"""Gains had everyone been measured: whose chances, and whose patients, against scikit-learn's weighted AUROC."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from gdsfd.fusion_study.measured import chances, gains_if_measured
from gdsfd.fusion_study.questions.when import when
from gdsfd.fusion_study.weights import inverse_weights
from gdsfd.graph.availability import presence_of
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.graph.modality_ablation import drop_modalities
from tests.cohort_factory import make_cohort
from tests.fusion_study.material import material

SHIFTS = {
    ("boosting", "natural"): 1.5,
    ("concat", "natural"): 1.5,
    ("boosting, only labs", "natural"): 1.0,
    ("boosting, without labs", "natural"): 0.8,
}


def test_chances_are_of_what_some_lack_given_what_everyone_has():
    graph = graph_from_cohort(make_cohort(300))
    presence = presence_of(graph)
    nobody_has_all = chances(graph)
    assert set(nobody_has_all) <= {
        name for number, name in enumerate(graph.schema.names) if not presence[:, number].all()
    }
    always = [name for number, name in enumerate(graph.schema.names) if presence[:, number].all()]
    if not always:
        assert nobody_has_all == {}
    for own in nobody_has_all.values():
        assert own.shape == (300,)
        assert ((own >= 0) & (own <= 1)).all()
    nothing = drop_modalities(graph, always) if always else graph
    assert chances(nothing) == {}


def test_gains_are_weighted_aurocs_of_those_who_have_it():
    made = material(SHIFTS, patients=600)
    rng = np.random.default_rng(0)
    facts = made.patients.assign(**{"has:labs": rng.random(len(made.patients)) < 0.6})
    facts["chance:labs"] = np.clip(0.6 + 0.3 * rng.normal(size=len(facts)), 0.1, 0.95)
    made = replace(made, patients=facts)
    (row,) = gains_if_measured(made).to_dict("records")
    looks, weighed, worth = [], [], []
    for seed in made.plan.seeds:
        own = made.predictions[made.predictions["seed"] == seed].merge(facts, on="id")
        own = own[own["has:labs"]]
        with_it, rest = (own[own["learner"] == name] for name in ("boosting", "boosting, without labs"))
        weights = inverse_weights(np.ones(len(with_it), dtype=bool), with_it["chance:labs"].to_numpy())
        plain = [roc_auc_score(each["y"], each["p"]) for each in (with_it, rest)]
        looks.append(plain[0] - plain[1])
        both = [roc_auc_score(each["y"], each["p"], sample_weight=weights.values) for each in (with_it, rest)]
        weighed.append(both[0] - both[1])
        worth.append(weights.effective)
    assert row["as_it_looks"] == pytest.approx(np.mean(looks))
    assert row["if_measured"] == pytest.approx(np.mean(weighed))
    assert row["effective"] == pytest.approx(np.mean(worth))
    assert row["if_measured_low"] < row["if_measured"] < row["if_measured_high"]
    assert row["tipping_point"] > 1
    said = when(made).sentences[-1]
    assert said.startswith("On those who have labs it looks like +.")
    assert "had everyone been measured, " in said


def test_without_chances_there_is_nothing_to_say():
    assert len(gains_if_measured(material(SHIFTS))) == 0
