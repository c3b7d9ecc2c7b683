"""Simple models beside the guard's networks: whom they see, what they are compared by, what is said of them."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

import gdsfd
from gdsfd.baselines.boosting_margin import BoostingMargin
from gdsfd.baselines.logistic import Logistic
from gdsfd.cohort.patients.split_kind import TAKES_NO_PART
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.graph.loader import rows_of
from gdsfd.graph.patient_store import PatientStore
from gdsfd.training.arm import Arm
from gdsfd.training.config import TrainConfig
from gdsfd.training.debiaser import Debiaser
from gdsfd.training.fits_at_once import FitsHere
from gdsfd.training.model_selection import simpler_models
from gdsfd.training.model_selection.compared_patients import ComparedPatients
from gdsfd.training.model_selection.concordance import Concordance
from gdsfd.training.model_selection.leave_one_environment_out import (
    environment_folds,
    leave_one_environment_out,
)
from gdsfd.training.model_selection.simpler_models import (
    SimplerModel,
    compare_simpler,
    drawn_places,
    scores_left_out,
    scores_of_folds,
    simpler_words,
)
from gdsfd.training.run_record.rivals import told_the_same
from gdsfd.training.suspects.suspect_facts import suspect_facts
from tests.cohort.survival_exports import survival_frames, survival_spec
from tests.cohort_factory import make_cohort

SUSPECTS = ("pattern", "environment")
PAIRS = told_the_same(found=False)


def test_they_are_fitted_without_those_left_out() -> None:
    graph = graph_from_cohort(make_cohort(300, environments=3))
    fold = environment_folds(graph, 3)[0]
    before = list(graph["patient"].split)
    found = scores_left_out(graph, fold.rows, fold.left_out, 0, SUSPECTS, PAIRS)
    assert list(graph["patient"].split) == before
    assert set(found) == {"logistic", "boosting", "logistic_margin", "boosting_margin"}
    # by hand: a graph with the split written out
    other = graph_from_cohort(make_cohort(300, environments=3))
    patient, kept = other["patient"], {int(row) for rows in fold.rows.values() for row in rows}
    patient.split = [name if row in kept else TAKES_NO_PART for row, name in enumerate(before)]
    ids = [patient.id[int(row)] for row in fold.left_out]
    expected = Logistic(0).fit(other).predict_proba(other, ids=ids)
    np.testing.assert_array_equal(found["logistic"], expected)
    beside = BoostingMargin(0).fit(other, suspect_facts(other, SUSPECTS)).predict_proba(other, ids=ids)
    np.testing.assert_array_equal(found["boosting_margin"], beside)
    # their labels say nothing
    patient.split = before
    patient.y[fold.left_out] = 1 - patient.y[fold.left_out]
    again = scores_left_out(other, fold.rows, fold.left_out, 0, SUSPECTS, PAIRS)
    for name, each in found.items():
        np.testing.assert_array_equal(each, again[name])


def test_folds_stand_one_after_the_other_and_a_model_that_one_fold_lacks_is_left_out() -> None:
    graph = graph_from_cohort(make_cohort(300, environments=3))
    folds = environment_folds(graph, 3)
    fits = FitsHere(graph, resume=False, settings=None, store=None)
    found = scores_of_folds(folds, fits, 0, SUSPECTS, PAIRS)()
    assert {len(each) for each in found.values()} == {sum(len(fold.left_out) for fold in folds)}
    last = scores_left_out(graph, folds[-1].rows, folds[-1].left_out, 0, SUSPECTS, PAIRS)
    np.testing.assert_array_equal(found["boosting"][-len(folds[-1].left_out) :], last["boosting"])
    nobody = replace(folds[0], rows={**folds[0].rows, "train": torch.zeros(0, dtype=torch.long)})
    assert scores_of_folds([nobody, *folds[1:]], fits, 0, SUSPECTS, PAIRS)() == {}


def test_of_many_patients_left_out_some_are_drawn_the_same_for_all(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(simpler_models, "MOST_JUDGED", 40)
    first, second, third = drawn_places([100, 40, 41])
    assert (len(set(first)), len(set(second)), len(set(third))) == (40, 40, 40)
    assert second.tolist() == list(range(40))
    assert (np.diff(first) > 0).all()
    assert first.max() >= 60
    graph = graph_from_cohort(make_cohort(300, environments=3))
    folds = environment_folds(graph, 3)
    assert all(len(fold.left_out) > 40 for fold in folds)
    fits = FitsHere(graph, resume=False, settings=None, store=None)
    found = scores_of_folds(folds, fits, 0, SUSPECTS, PAIRS)()
    for number, (fold, own) in enumerate(zip(folds, drawn_places([len(fold.left_out) for fold in folds]))):
        whole = scores_left_out(graph, fold.rows, fold.left_out, 0, SUSPECTS, PAIRS)
        some = found["logistic"][40 * number : 40 * (number + 1)]
        np.testing.assert_allclose(some, whole["logistic"][own], atol=1e-12)  # sums of other numbers of rows
    gdsfd.simulate(tmp_path, patients=400, seed=0, preset="confounded")
    simulated = gdsfd.build_graph(tmp_path / "spec.toml", progress=False)
    settings = {"members": 1, "channels": 4, "max_epochs": 2, "guard_folds": 2}
    guard = Debiaser("concat", "margin", **settings).fit(simulated).guard
    assert guard is not None
    (pairs,) = {each["pairs"] for each in guard.evidence["simpler"]}
    assert 0 < pairs < guard.evidence["pairs"]


def test_each_is_judged_by_the_guards_rule_and_the_one_it_takes_stands_beside_the_network() -> None:
    random = np.random.default_rng(1)
    y = torch.from_numpy((random.random((80, 1)) < 0.5).astype(np.float32))
    draws = {
        name: random.random(80)
        for name in ("reference", "debiased", "logistic", "logistic_margin", "boosting", "boosting_margin")
    }
    scores = {name: np.stack([1 - p, p], 1) for name, p in draws.items()}
    subject = [str(row) for row in range(80)]
    patients = ComparedPatients(y, scores, [""] * 80, subject, np.ones(80))
    rule = lambda told: "debiased" if told.difference > 0 else "reference"  # noqa: E731
    found = list(compare_simpler(patients, "debiased", pairs=told_the_same(found=True), chosen=rule))
    assert [each.key for each in found] == ["logistic_margin", "boosting_margin"]  # none has strata
    for each in found:
        assert each.told == patients.gain(each.plain, each.key)
        assert each.choice == rule(each.told)
        assert each.chosen == (each.key if each.choice == "debiased" else each.plain)
        assert each.network == patients.gain("debiased", each.chosen)
        told = each.to_dict()
        assert (told["model"], told["instead_of"]) == (each.key, each.plain)
        assert told["above_network"] == each.network.other - each.network.reference
    assert {each.choice for each in found} <= {"debiased", "reference"}


def shown(network: tuple[float, float, float], other: float, key: str = "logistic_margin") -> SimplerModel:
    gain, low, high = network
    beside = Concordance(other - gain, other, low, high, 100, {})
    return SimplerModel(key, "logistic", replace(beside, reference=0.6), beside, "debiased")


@pytest.mark.parametrize(
    ("network", "words"),
    [
        (
            (0.02, 0.01, 0.03),
            "A simpler model ranks better than the network: logistic regression + margin, 0.800 th",
        ),
        ((0.02, -0.01, 0.05), "A simpler model may do as well: logistic regression + margin has 0.800 there (+0.020"),
        ((-0.02, -0.03, -0.01), "Simpler models rank worse; the best, logistic regression + margin, has 0.800 there"),
        (
            (-0.02, -1.0, 1.0),
            "A simpler model may do as well: logistic regression + margin has 0.800 there (-0.020 a",
        ),
    ],
)
def test_the_sentence_is_of_the_one_that_ranks_best(network, words) -> None:
    worse = shown((-0.1, -0.2, -0.05), 0.7, "boosting_margin")
    sentence = simpler_words([worse, shown(network, 0.8)])
    assert sentence.startswith(f" {words}")
    assert ("95 % interval" in sentence) == (network[1] != -1.0)
    assert simpler_words([]) == ""
    assert "against one member of the network" in simpler_words([worse], "one member of the network")


FORCED = {"streams": False, "margin": True, "found_strata": "force"}
MARGINS = ["logistic_margin", "boosting_margin"]


@pytest.mark.parametrize(
    ("preset", "debias", "keys"),
    [
        ("confounded", "margin", MARGINS),
        pytest.param("no_environment", "margin", MARGINS, marks=pytest.mark.slow),
        pytest.param("confounded", FORCED, [*MARGINS, "latent_linear", "boosting_strata"], marks=pytest.mark.slow),
    ],
)
def test_a_debiased_model_keeps_what_simple_models_give_where_they_are_asked_for(
    tmp_path, preset, debias, keys
) -> None:
    gdsfd.simulate(tmp_path, patients=400, seed=0, preset=preset)
    graph = gdsfd.build_graph(tmp_path / "spec.toml", progress=False)
    settings = {"members": 1, "channels": 4, "max_epochs": 2, "guard_folds": 2}
    plain = Debiaser("concat", debias, **settings).fit(graph, baselines=False)
    model = Debiaser("concat", debias, **settings).fit(graph)
    assert plain.guard is not None
    assert model.guard is not None
    assert "simpler" not in plain.guard.evidence
    assert model.guard.choice == plain.guard.choice
    assert [each["model"] for each in model.guard.evidence["simpler"]] == keys
    assert model.guard.explanation.startswith(plain.guard.explanation)
    assert "impler model" in model.guard.explanation[len(plain.guard.explanation) :]
    assert json.loads(json.dumps(model.guard.to_dict())) == model.guard.to_dict()
    if preset == "no_environment":  # those fitted on all training patients, on tuning patients
        rows = {name: rows_of(graph, name) for name in ("train", "tuning")}
        answer = scores_left_out(graph, rows, rows["tuning"], 0, model.suspects_, PAIRS)
        assert model.record is not None
        for key in keys:
            kept = model.record.baselines[key].predict_proba(graph, split="tuning")
            np.testing.assert_array_equal(answer[key], kept)


@pytest.mark.slow
def test_in_processes_it_comes_to_the_same(tmp_path) -> None:
    gdsfd.simulate(tmp_path, patients=300, seed=0, preset="confounded")
    graph = gdsfd.build_graph(tmp_path / "spec.toml", progress=False)
    settings = {"members": 1, "channels": 4, "max_epochs": 1, "guard_folds": 2}
    guards = [Debiaser("concat", "margin", **settings).fit(graph, jobs=jobs).guard for jobs in (1, 2)]
    first, second = (each.evidence["simpler"] for each in guards if each is not None)
    for one, other in zip(first, second, strict=True):
        assert one["other"] == pytest.approx(other["other"], abs=1e-9)


@pytest.mark.parametrize("outcomes", ["survival", "multilabel", "multiclass"])
def test_of_other_outcomes_their_probabilities_stand_as_the_networks_do(outcomes) -> None:
    if outcomes == "survival":
        graph = gdsfd.build_graph(survival_spec(survival_frames(200), intervals=4))
    else:
        graph = graph_from_cohort(make_cohort(300, environments=3, outcomes=outcomes))
    folds = environment_folds(graph, 2)
    fits = FitsHere(graph, resume=False, settings=None, store=None)
    config = TrainConfig(members=1, channels=4, max_epochs=1, accelerator="cpu").resolved(100)
    arm, store = Arm("concat", None, config, 0), PatientStore(graph)
    networks = leave_one_environment_out(graph, arm, arm, folds, None, fits, None, None, store)
    both = networks.with_scores(scores_of_folds(folds, fits, 0, SUSPECTS, PAIRS)())
    assert {each.shape for each in both.scores.values()} == {networks.scores["reference"].shape}
    found = list(compare_simpler(both, "reference", PAIRS, lambda told: "reference"))
    assert [each.key for each in found] == ["logistic_margin", "boosting_margin"]
    for each in found:
        assert each.network.other == each.told.reference
        assert each.network.pairs == networks.gain().pairs > 0
