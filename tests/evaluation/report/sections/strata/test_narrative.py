"""Sentences on strata follow from figures that are given."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from gdsfd.evaluation.metrics.estimate import Estimate
from gdsfd.evaluation.report.sections.strata.narrative import strata_narrative, subgroup_label
from gdsfd.evaluation.report.sections.strata.strata import SplitStrata, Strata, StrataTable, Stratum, StratumOnSplit
from gdsfd.nn.adjustment.config import PrototypeConfig
from tests.evaluation.report.sections.strata.hand_made import SCHEMA, moved

GAIN = Estimate(0.02, 0.01, 0.03)


def strata(change=0.05, gain=GAIN, rates=(0.1, 0.3), **config) -> Strata:
    ward = np.arange(40) % 2 == 0
    shifts = [("environment", "B", ward, 0), ("group: sex", "F", ~ward, 0)]
    observed = np.linspace(0.2, 0.4, 40)
    one = moved(observed, observed + np.where(ward, change, -change / 2), shifts=shifts)
    auroc = {"observed": Estimate(0.7), "intervened": Estimate(0.72), "difference": gain}
    table = tuple(Stratum(f"s{at}", 50, 1.0, 0.5, {"died_early": rate}, {}) for at, rate in enumerate(rates))
    here = tuple(StratumOnSplit(20, {"died_early": 0.2}, {"died_early": 0.01}) for _ in rates)
    split = SplitStrata("test", 40, (here,), (replace(one, auroc=auroc),))
    settings = PrototypeConfig(**config).to_dict()
    return Strata(settings, True, True, False, 100, (StrataTable((0,), table),), (split,))


def said(found: Strata) -> dict[str, str]:
    return {paragraph.lead: paragraph.text for paragraph in strata_narrative(found, SCHEMA, 0.95)}


def test_who_moves_most():
    text = said(strata())["For whom"]
    assert "Most up: ward: B (20 patients)" in text
    assert "Most down: sex: F (20 patients)" in text
    assert "No group of patients" in said(strata(change=0.0005))["For whom"]


@pytest.mark.parametrize(
    ("gain", "words"),
    [
        (Estimate(0.02, 0.01, 0.03), "averaging is better"),
        (Estimate(-0.02, -0.03, -0.01), "averaging is worse"),
        (Estimate(0.02, -0.01, 0.03), "none is better"),
        (Estimate(0.02), "without an interval"),
        (Estimate.undefined("no positive patient"), "no positive patient"),
    ],
)
def test_verdicts_follow_from_intervals(gain, words):
    assert words in said(strata(gain=gain))["Which ranks better"]


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({}, "Strata are formed by which modalities are missing;"),
        (
            {"strata": ("pattern", "environment", "cluster")},
            "which modalities are missing, ward and likeness of the biased",
        ),
        ({}, "in proportion to how many of them each holds"),
        ({"fit": "backdoor"}, "The debiased model predicts as if"),
        ({"placebo": "shuffled"}, "dealt out among patients"),
    ],
)
def test_settings_are_said(config, words):
    assert words in said(strata(**config))["What is averaged"]


def test_masses_of_another_site_are_said():
    assert "site that was set as target" in said(replace(strata(), target=True))["What is averaged"]


def test_outcome_rates_and_what_they_cannot_tell():
    text = said(strata())["When this is wrong"]
    assert "died early occurs in 10.0\xa0% to 30.0\xa0% of a stratum" in text
    assert "occurs in" not in said(strata(rates=(0.1, math.nan)))["When this is wrong"]


def test_names_of_crowds():
    found = strata().splits[0].movements[0].shifts[0]
    assert subgroup_label(found, SCHEMA) == "ward: B"
    assert subgroup_label(replace(found, kind="risk", name="lowest third"), SCHEMA) == "lowest third of predicted risk"
    assert subgroup_label(replace(found, kind="pattern", name="only x_ray"), SCHEMA) == "pattern: only x ray"
    assert (
        subgroup_label(replace(found, kind="pattern", name="3 rarer", pooled=3), SCHEMA) == "3 rarer patterns together"
    )
    assert subgroup_label(replace(found, kind="modality", name="with x_ray"), SCHEMA) == "with x ray"
