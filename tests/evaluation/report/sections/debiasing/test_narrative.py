"""Sentences on debiasing follow from figures that are given."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from gdsfd.evaluation.diagnostics.mask_recovery import MaskRecovery
from gdsfd.evaluation.diagnostics.probes import Probe, Probes, ProbeScore
from gdsfd.evaluation.metrics.estimate import Estimate
from gdsfd.evaluation.report.sections.debiasing.debiasing import BothNetworks, Debiasing
from gdsfd.evaluation.report.sections.debiasing.narrative import target_words
from tests.evaluation.report.sections.debiasing.hand_made import SCHEMA, said


def both(gain: Estimate) -> BothNetworks:
    figures = {"auroc": Estimate(0.7, 0.6, 0.8), "auprc": Estimate(0.5)}
    return BothNetworks("test", 100, 90, figures, figures, {"auroc": gain, "auprc": gain}, 0.0)


def probe(stream: str, auc: float, target: str = "environment", kind: str = "suspect") -> Probe:
    return Probe(stream, target, kind, 2, 100, ProbeScore(0.8, 0.5, 0.45, 0.55), ProbeScore(auc, 0.5, 0.45, 0.55), 0.7)


@pytest.fixture
def found() -> Debiasing:
    probes = Probes((probe("causal", 0.52), probe("biased", 0.9), probe("reference", 0.8)), "test", 100)
    guard = {"choice": "debiased", "words": "It helps.", "tuning": {}, "evidence": {"pairs": 3}, "failed": False}
    return Debiasing(
        "full", "debiased", guard, True, ("environment",), ("environment",), True, {"died_early": 0.1},
        {"died_early": 0.5}, (both(Estimate(0.1, 0.05, 0.15)),), probes,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("gain", "words"),
    [
        (Estimate(0.02, 0.01, 0.03), "debiasing ranks these patients better"),
        (Estimate(-0.02, -0.03, -0.01), "debiasing ranks these patients worse"),
        (Estimate(0.02, -0.01, 0.05), "no difference is shown"),
        (Estimate(0.02), "without an interval"),
        (Estimate.undefined("no positive patient"), "cannot be compared: no positive patient"),
    ],
)
def test_a_verdict_follows_from_its_interval(found, gain, words):
    text = said(replace(found, both=(both(gain),)))["On the patients of this report"]
    assert words in text


def test_what_is_known_follows_from_the_band_among_the_same_outcome(found):
    text = said(found)["What the models know"]
    assert "Of “site” the causal part shows no more than chance: 0.52 (biased part 0.90, model without" in text
    probes = Probes((probe("causal", 0.62), probe("biased", 0.9)), "test", 100)
    assert (
        "Of “site” the causal part knows something: 0.62" in said(replace(found, probes=probes))["What the models know"]
    )
    probes = Probes((probe("causal", math.nan),), "test", 100)
    assert "too few patients" in said(replace(found, probes=probes))["What the models know"]


def test_suspects_in_shares_and_when_they_tell_nothing(found):
    lead = "How much the distrusted facts tell"
    text = said(found)[lead]
    assert "removes 0.10 nats" in text
    assert "20\xa0% of the 0.50 nats" in text
    text = said(replace(found, tells={"died_early": 0.0}))[lead]
    assert "nothing of died early can be guessed" in text
    assert "If it is the illness" not in text
    assert lead not in said(replace(found, reads_suspects=False))


def test_a_failed_check_has_no_concordance_to_explain(found):
    guard = {**found.guard, "choice": "reference", "evidence": {}, "failed": True, "words": "Debiasing failed."}
    text = said(replace(found, guard=guard, predicts="reference"))["Which model predicts, and why"]
    assert "Debiasing failed." in text
    assert "Concordance" not in text
    assert "by hand" not in text


def test_truth_only_where_it_is_known(found):
    assert not any("truth" in lead for lead in said(found))
    masks = MaskRecovery(0.9, 0.8, 0.5, 0.7, 0.2, None)
    text = next(text for lead, text in said(replace(found, masks=masks)).items() if "truth" in lead)
    assert "90\xa0% of pairs" in text
    assert "70\xa0% of a cause" in text


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("environment", "site"),
        ("groups", "sex"),
        ("group:skin_type", "skin type"),
        ("column:labs.crp.rapid", "crp.rapid (labs)"),
        ("modality:x_ray", "x ray"),
        ("pattern", "pattern of missing modalities"),
    ],
)
def test_names_of_targets(name, words):
    assert target_words(name, SCHEMA) == words
