"""Verdicts on a table of known figures."""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.graph.loader import rows_of
from gdsfd.nn.streams.config import PRESETS
from gdsfd.training.arm import Arm, FittedArm, SuspectSignal
from gdsfd.training.config import TrainConfig
from gdsfd.training.model_selection import guard
from gdsfd.training.model_selection.concordance import Concordance
from gdsfd.training.model_selection.guard import select_model
from gdsfd.training.state import TrainingState
from tests.cohort_factory import make_cohort


def concordance(gain: float, low: float, high: float, pairs: int = 100) -> Concordance:
    return Concordance(0.7, 0.7 + gain, low, high, pairs, {"north": (0.7, 0.7 + gain, pairs)})


@pytest.fixture
def verdict(monkeypatch):
    """``select_model`` on networks whose tuning AUROCs and gain are given."""
    graph = graph_from_cohort(make_cohort(60))

    def judged(reference, debiased, gain=None, told=(0.1,), environments=True, mean_area=None, used=True, mode="full"):
        config = TrainConfig().resolved(40)
        plain = Arm("concat", None, config, 0, ("environment",))
        other = Arm("concat", PRESETS[mode], config, 0, ("environment",))
        areas = {"reference network": reference, "debiased network": debiased}
        monkeypatch.setattr(guard, "predict", lambda network, store, rows: SimpleNamespace(probability=network))
        monkeypatch.setattr(guard, "mean_area", mean_area or (lambda y, score: areas[score]))
        found = concordance(0.0, -0.1, 0.1) if gain is None else gain
        asked = []
        monkeypatch.setattr(guard, "environment_folds", lambda graph, folds: ["a fold"] if environments else [])

        def left_out(graph, reference, debiased, *rest):
            asked.append("left out")
            fitted_without.append(debiased)
            return SimpleNamespace(gain=lambda: found)

        monkeypatch.setattr(guard, "leave_one_environment_out", left_out)
        monkeypatch.setattr(guard, "tuning_weights", lambda *rest: asked.append("weighted"))
        monkeypatch.setattr(guard.ComparedPatients, "gain", lambda patients: found)
        fitted = {
            "reference": FittedArm("reference network", TrainingState(), SuspectSignal()),
            "debiased": FittedArm(
                "debiased network",
                TrainingState(),
                SuspectSignal(
                    ("environment",), (3,), told, strata={"used": used} if other.streams.finds_strata else {}
                ),
            ),
        }
        return select_model(graph, plain, other, fitted), asked

    fitted_without: list[Arm] = []
    judged.fitted_without = fitted_without
    return judged


@pytest.mark.parametrize(
    ("reference", "debiased", "failed"),
    [
        (0.80, 0.90, False),  # ten points better is no failure
        (0.80, 0.80, False),
        (0.80, 0.71, False),  # nine points worse may be bias that was removed
        (0.80, 0.69, True),
        (0.61, 0.49, True),
        (0.55, 0.49, True),  # worse than chance where ERM is better
        (0.49, 0.45, False),  # both worse than chance: not the debiasing
        (0.48, 0.60, False),
    ],
)
def test_what_counts_as_failure(verdict, reference, debiased, failed):
    found, asked = verdict(reference, debiased, concordance(0.05, 0.01, 0.09))
    assert found.failed == failed
    assert found.choice == ("reference" if failed else "debiased")
    assert asked == ([] if failed else ["left out"])
    assert found.tuning == {"reference_auroc": reference, "debiased_auroc": debiased}
    if failed:
        assert f"AUROC {debiased:.3f} on tuning patients against {reference:.3f}" in found.explanation


@pytest.mark.parametrize(
    ("gain", "low", "high", "choice", "words"),
    [
        (0.005, 0.001, 0.009, "debiased", "helps there"),
        (0.020, -0.01, 0.050, "debiased", "seems to help there, though chance is not excluded"),
        (0.004, 0.001, 0.007, "reference", "There is no evidence that debiasing helps"),
        (0.000, -0.01, 0.010, "reference", "There is no evidence that debiasing helps"),
        (-0.02, -0.04, -0.01, "reference", "Debiasing harms there"),
    ],
)
def test_choice_by_the_gain(verdict, gain, low, high, choice, words):
    found, _ = verdict(0.8, 0.8, concordance(gain, low, high))
    assert found.choice == choice
    assert words in found.explanation
    assert found.evidence["difference"] == pytest.approx(gain)


@pytest.mark.parametrize(
    ("groups", "losing"),
    [
        ({"north": (0.70, 0.80, 900), "south": (0.70, 0.70, 900)}, ""),
        ({"north": (0.70, 0.80, 900), "south": (0.70, 0.696, 900)}, ""),
        ({"north": (0.70, 0.80, 900), "south": (0.70, 0.690, 900)}, "0.010 where south was left out"),
        ({"north": (0.70, 0.80, 900), "south": (0.70, 0.5, 24)}, ""),  # fewer than five patients of a label
        (
            {"north, east": (0.70, 0.68, 900), "south": (0.70, 0.69, 900), "west": (0.70, 0.80, 900)},
            "0.020 where north, east were left out and 0.010 where south was left out",
        ),
        (  # outcomes of a fold together, by their pairs
            {
                "north / output 0": (0.7, 0.6, 100),
                "north / output 1": (0.7, 0.75, 900),
                "south / output 0": (0.7, 0.8, 9),
            },
            "",
        ),
        (
            {
                "north / output 0": (0.7, 0.6, 900),
                "north / output 1": (0.7, 0.75, 100),
                "south / output 0": (0.7, 0.8, 9),
            },
            "0.085 where north was left out",
        ),
    ],
)
@pytest.mark.parametrize("practice", [False, True])
def test_a_gain_that_some_environments_pay_for_is_refused(verdict, monkeypatch, groups, losing, practice):
    monkeypatch.setattr(guard, "practice_shares", lambda *asked: np.ones((60, 2)) / 2 if practice else None)
    found, _ = verdict(0.8, 0.8, Concordance(0.7, 0.72, 0.01, 0.03, 2000, groups), used=practice)
    refused = bool(losing) and not practice  # a practice by its own evidence is taken out unless all in all it costs
    assert found.choice == ("reference" if refused else "debiased")
    assert (f"debiasing loses {losing}. The model without" in found.explanation) == refused


@pytest.mark.parametrize(("other_low", "choice"), [(0.49, "reference"), (0.51, "debiased"), (math.nan, "debiased")])
@pytest.mark.parametrize("practice", [True, False])
def test_what_may_predict_by_chance_alone_is_not_delivered(verdict, monkeypatch, other_low, choice, practice):
    monkeypatch.setattr(guard, "practice_shares", lambda *rest: np.ones((60, 2)) / 2)
    gain = replace(concordance(0.001 if practice else 0.02, -0.01, 0.05), other_low=other_low)
    found, _ = verdict(0.8, 0.8, gain, used=practice)
    assert found.choice == choice
    assert ("it may be chance alone (its interval begins at 0.490)" in found.explanation) == (choice == "reference")
    lost, _ = verdict(0.8, 0.8, replace(concordance(-0.02, -0.04, -0.01), other_low=other_low), used=False)
    assert "Debiasing harms there" in lost.explanation


def test_without_environments_tuning_patients_decide(verdict):
    found, asked = verdict(0.8, 0.8, concordance(0.05, 0.01, 0.09), environments=False)
    assert asked == ["weighted"]
    assert "on tuning patients weighted so that the suspects tell nothing" in found.explanation


def test_nothing_to_compare_by(verdict):
    found, _ = verdict(0.8, 0.8, Concordance(math.nan, math.nan, math.nan, math.nan, 0, {}))
    assert found.choice == "reference"
    assert "no two patients to compare" in found.explanation


def test_suspects_that_tell_nothing_are_nothing_to_adjust_for(verdict):
    found, asked = verdict(0.8, 0.8, concordance(0.05, 0.01, 0.09), told=(0.0,), used=False)
    assert (found.choice, asked) == ("reference", [])
    assert "there is nothing to adjust for" in found.explanation


@pytest.mark.parametrize(("debiased", "told"), [(0.76, True), (0.78, False), (0.90, False)])
def test_a_loss_on_tuning_patients_is_told(verdict, debiased, told):
    found, _ = verdict(0.8, debiased, concordance(0.05, 0.01, 0.09))
    assert ("it loses" in found.explanation) == told
    assert torch.is_grad_enabled()


def test_strata_that_are_a_practice_weigh_the_evidence_and_the_words_say_so(verdict, monkeypatch):
    gain = replace(concordance(0.001, -0.01, 0.012), detectable=0.017)
    plain = verdict(0.8, 0.8, gain)[0].explanation
    assert "practice" not in plain
    asked = []

    def shares(graph, suspects, seed, found_in_training):
        asked.append((suspects, seed, found_in_training))
        return np.tile([0.5, 0.5], (60, 1))

    monkeypatch.setattr(guard, "practice_shares", shares)
    words = verdict(0.8, 0.8, replace(gain, other=0.694), mode="margin")[0].explanation
    assert asked == [(("environment",), 0, False)]
    assert "among patients weighted so that the 2 strata of the practice found tell nothing of the outcome" in words
    assert "(a gain of 0.017 would have been noticed four times in five)" in words


@pytest.mark.parametrize(
    ("mode", "gain", "interval", "choice"),
    [
        ("full", 0.004, (-0.01, 0.012), "debiased"),
        ("full", -0.004, (-0.01, 0.012), "debiased"),
        ("full", -0.012, (-0.022, -0.002), "debiased"),
        ("full", -0.012, (-0.018, -0.006), "reference"),  # it is shown to lose as much as counts
        ("full", -0.004, (-1.0, 1.0), "debiased"),
        ("full", -0.006, (-1.0, 1.0), "reference"),  # nothing says that it may be chance
        ("margin", 0.004, (-0.01, 0.012), "reference"),  # which averages no strata out
    ],
)
def test_a_practice_by_its_own_evidence_is_taken_out_unless_that_is_shown_to_cost(
    verdict, monkeypatch, mode, gain, interval, choice
):
    monkeypatch.setattr(guard, "practice_shares", lambda *rest: np.tile([0.5, 0.5], (60, 1)))
    found, _ = verdict(0.8, 0.8, concordance(gain, *interval), mode=mode)
    assert found.choice == choice
    assert ("a practice by its own evidence" in found.explanation) == (choice == "debiased")


@pytest.mark.parametrize(("mode", "used", "looks"), [("full", True, 1), ("full", False, 0), ("margin", False, 1)])
def test_strata_are_looked_for_again_only_where_training_did_not_or_found_a_practice(
    verdict, monkeypatch, mode, used, looks
):
    looked = []
    monkeypatch.setattr(guard, "practice_shares", lambda *rest: looked.append(rest))
    verdict(0.8, 0.8, concordance(0.05, 0.01, 0.09), used=used, mode=mode)
    assert len(looked) == looks
    (without,) = verdict.fitted_without
    assert without.streams == (PRESETS[mode] if mode == "margin" or used else replace(PRESETS[mode], found_strata="no"))


@pytest.mark.parametrize(("weighted", "failed"), [((0.75, 0.80), False), ((0.80, 0.65), True)])
def test_a_practice_that_was_taken_out_is_no_failure(verdict, monkeypatch, weighted, failed):
    """Twelve points worse on tuning patients, who share the practice; and weighted so that it tells nothing?"""
    share = np.tile([0.25, 0.75], (60, 1))
    plain = {"reference network": 0.90, "debiased network": 0.78}
    even = dict(zip(plain, weighted, strict=True))
    weights = []

    def area(y, score, weight=None):
        if weight is None:
            return plain[score]
        weights.append(weight)
        return even[score]

    monkeypatch.setattr(guard, "practice_shares", lambda *rest: share)
    found, asked = verdict(None, None, concordance(0.05, 0.01, 0.09), mean_area=area)
    assert found.failed == failed
    assert asked == ([] if failed else ["left out"])
    assert found.tuning == {"reference_auroc": 0.90, "debiased_auroc": 0.78}
    if not failed:
        assert "it loses 0.120 AUROC: removed bias, or removed signal" in found.explanation
    graph = graph_from_cohort(make_cohort(60))
    label = graph["patient"].y[rows_of(graph, "tuning"), 0].numpy()
    assert len(weights) == 2
    assert all(((weight > 0) == np.isfinite(label)).all() for weight in weights)
