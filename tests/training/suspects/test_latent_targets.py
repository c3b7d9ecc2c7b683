"""Found strata in training: whose labels are read, what the margin is, and what is done where the evidence says no."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

import gdsfd
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.graph.loader import rows_of
from gdsfd.latent.found_strata import observe
from gdsfd.nn.streams import StreamConfig
from gdsfd.simulation import load_truth
from gdsfd.training import Debiaser
from gdsfd.training.arm import Arm
from gdsfd.training.config import TrainConfig
from gdsfd.training.suspects.latent_targets import latent_targets
from tests.cohort_factory import make_cohort

DECLARED = ("pattern", "environment")
QUICK = {"members": 1, "channels": 8, "max_epochs": 2, "guard_folds": 0}


def only(found):
    """What was found for the one outcome."""
    (choice,) = found.choices.values()
    return choice


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    place = tmp_path_factory.mktemp("latent") / "exports"
    gdsfd.simulate(place, patients=1200, preset="latent", modalities=("labs", "imaging"), unlabelled=0.1)
    return gdsfd.build_graph(place / "spec.toml", progress=False), load_truth(place).patients


@pytest.fixture(scope="module")
def rows(simulated):
    return {split: rows_of(simulated[0], split) for split in ("train", "tuning")}


@pytest.fixture(scope="module")
def told(simulated, rows):
    return latent_targets(simulated[0], rows, DECLARED, 0)


def test_the_practice_is_told_with_the_margin_of_its_table(simulated, rows, told):
    graph, truth = simulated
    found = only(told).found
    assert only(told).used
    assert set(found.rows) <= set(rows["train"].tolist())  # nobody else is fitted on
    u = truth["u"].reindex(graph["patient"].id).to_numpy()
    for each in rows.values():
        known = each[~graph["patient"].y[each, 0].isnan()]
        assert roc_auc_score(u[known], told.share[known, 1]) > 0.95
    assert told.margin.shape == (len(u), 2, 1)
    given = found.mixture.share  # P(u | y)
    np.testing.assert_allclose(told.margin[7, :, 0], np.log(given[1] / given[0]), rtol=1e-5)


def test_shares_are_bayes_rule_of_what_was_seen(simulated, rows, told):
    graph, found = simulated[0], only(told).found
    known = rows["tuning"][~graph["patient"].y[rows["tuning"], 0].isnan()].numpy()[:5]
    y = graph["patient"].y[known, 0].numpy().astype(int)
    seen = observe(graph, found.reader, known, found.rows)
    density = found.mixture.content_log_density(seen, y)
    for place, row in enumerate(known):
        weight = []
        for u in range(2):
            views = [table[u, seen.views[name][place]] for name, table in found.mixture.views.items()]
            weight.append(found.mixture.share[y[place], u] * np.prod(views) * np.exp(density[place, u]))
        np.testing.assert_allclose(told.share[row].numpy(), np.array(weight) / sum(weight), rtol=1e-4, atol=1e-6)


def test_no_label_but_those_of_train_and_tuning_is_read(simulated, rows, told):
    graph = simulated[0].clone()
    y = graph["patient"].y.clone()
    outside = torch.ones(len(y), dtype=torch.bool)
    outside[torch.cat(list(rows.values()))] = False
    graph["patient"].y = torch.where(outside[:, None], 1 - y, y)
    again = latent_targets(graph, rows, DECLARED, 0)
    assert torch.equal(again.share, told.share)
    masses = torch.from_numpy(only(told).found.mixture.marginal).float()
    unlabelled = y[:, 0].isnan() | outside
    assert unlabelled[rows["train"]].any()
    torch.testing.assert_close(told.share[unlabelled], masses.expand(int(unlabelled.sum()), 2))


def test_the_mode_trains_beside_them_and_says_so(simulated, tmp_path):
    graph = simulated[0]
    model = Debiaser("concat", "latent", **QUICK).fit(graph, out=tmp_path / "run", baselines=False)
    strata = model.training["strata"]
    assert (strata["used"], strata["verdict"], strata["classes"]) == (True, "practice", 2)
    read = Debiaser.load(tmp_path / "run")
    assert read.training["strata"] == strata
    np.testing.assert_array_equal(read.predict_proba(graph), model.predict_proba(graph))


def test_where_the_evidence_says_no_it_is_margin_to_the_bit():
    graph = graph_from_cohort(make_cohort(300))
    config = TrainConfig(**QUICK).resolved(200)
    fitted = {
        mode: Arm("concat", StreamConfig.read(mode), config, 0, DECLARED).fit(graph) for mode in ("margin", "latent")
    }
    strata = fitted["latent"].suspect_signal.strata
    assert (strata["used"], strata["verdict"]) == (False, "cannot tell")
    assert "nothing ties them to pattern or environment" in strata["sentence"]
    assert fitted["margin"].suspect_signal.strata == {}
    for mine, theirs in zip(fitted["latent"].network.parameters(), fitted["margin"].network.parameters()):
        assert torch.equal(mine, theirs)


def test_too_few_patients_are_no_reason_to_stop():
    graph = graph_from_cohort(make_cohort(60))
    found = latent_targets(graph, {split: rows_of(graph, split) for split in ("train", "tuning")}, DECLARED, 0)
    assert (found.share, found.margin) == (None, None)
    assert "need at least 50 labelled" in only(found).sentence
    assert only(found).to_dict() == {"used": False, "sentence": only(found).sentence}


def test_a_multiclass_outcome_has_a_margin_per_class():
    graph = graph_from_cohort(make_cohort(700, outcomes="multiclass", seed=2))
    rows = {split: rows_of(graph, split) for split in ("train", "tuning")}
    found = latent_targets(graph, rows, DECLARED, 0, force=True)
    assert only(found).used
    table = only(found).found.mixture
    np.testing.assert_allclose(found.margin[0], np.log(table.share / table.marginal).T, rtol=1e-5)
    torch.testing.assert_close(found.share.sum(1), torch.ones(700))


def test_each_of_several_outcomes_has_its_own(simulated, rows, told):
    graph = simulated[0].clone()
    toss = (torch.rand(len(graph["patient"].id), 1, generator=torch.Generator().manual_seed(0)) < 0.4).float()
    graph["patient"].y = torch.cat([graph["patient"].y, toss], dim=1)
    (outcome,) = graph.schema.outcomes
    graph.schema = replace(graph.schema, outcomes=(outcome, replace(outcome, name="toss")))
    declared = torch.randn(len(toss), 2, generator=torch.Generator().manual_seed(1))
    found = latent_targets(graph, rows, DECLARED, 0, declared=declared)
    assert [each.used for each in found.choices.values()] == [True, False]
    assert "tell nothing of the outcome" in found.choices["toss"].sentence
    torch.testing.assert_close(found.share[:, :, 0], told.share)
    torch.testing.assert_close(found.margin[:, :, :1], told.margin)
    assert torch.equal(found.share[:, :, 1], torch.tensor([1.0, 0.0]).expand(len(toss), 2))
    assert torch.equal(found.margin[:, :, 1], declared[:, 1:].expand(-1, 2))
    stored = found.to_dict()
    assert stored["used"]
    assert stored["sentence"] == "Averaged out for deterioration of 2 outcomes."
    model = Debiaser("concat", "latent", **QUICK).fit(graph, baselines=False)
    assert model.training["strata"]["by_outcome"]["deterioration"]["verdict"] == "practice"


def test_many_outcomes_are_left_to_the_margin():
    graph = graph_from_cohort(make_cohort(80, outcomes="multilabel"))
    (outcome, *_) = graph.schema.outcomes
    graph.schema = replace(graph.schema, outcomes=tuple(replace(outcome, name=f"o{each}") for each in range(9)))
    found = latent_targets(graph, {}, DECLARED, 0)
    assert (found.share, found.margin) == (None, None)
    assert {each.sentence for each in found.choices.values()} == {
        "No strata were looked for: 9 outcomes would each have their own (at most 8)."
    }


def test_a_resumed_training_finds_the_same_strata(simulated, tmp_path):
    graph, settings = simulated[0], {**QUICK, "max_epochs": 3, "debias": "latent"}

    def stop(row: dict) -> None:
        if row["model"] == "debiased" and row["epoch"] == 1:
            raise KeyboardInterrupt

    whole = Debiaser("concat", **settings).fit(graph, baselines=False)
    with pytest.raises(KeyboardInterrupt):
        Debiaser("concat", **settings).fit(graph, out=tmp_path / "run", on_epoch=stop, baselines=False)
    resumed = Debiaser("concat", **settings).fit(graph, out=tmp_path / "run", resume=True, baselines=False)
    assert resumed.training_["strata"]["used"]
    assert resumed.training_["strata"] == whole.training_["strata"]
    for name in ("reference", "debiased"):
        np.testing.assert_array_equal(resumed.use(name).predict_proba(graph), whole.use(name).predict_proba(graph))


def test_found_as_a_suspect_is_what_looks_for_strata(simulated):
    graph = simulated[0]
    declared = Debiaser("concat", "margin", suspects=(*DECLARED, "found"), **QUICK).fit(graph, baselines=False)
    latent = Debiaser("concat", "latent", suspects=DECLARED, **QUICK).fit(graph, baselines=False)
    assert declared.training["strata"] == latent.training["strata"]
    assert declared.training["suspects_found"] == ["pattern", "environment"]
    np.testing.assert_array_equal(
        declared.use("debiased").predict_proba(graph), latent.use("debiased").predict_proba(graph)
    )


def test_full_looks_for_strata_and_keeps_its_streams(simulated):
    model = Debiaser("concat", "full", **QUICK).fit(simulated[0], baselines=False)
    assert model.training["strata"]["used"]
    assert set(model.embed(simulated[0], split="test")) == {"causal", "biased"}
