"""How predictions move: figures against slow counts, groups of patients, bins and the sentences that follow."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from gdsfd.cohort.schema import CohortSchema, OutcomeFields
from gdsfd.evaluation.config import EvaluationConfig
from gdsfd.evaluation.metrics.bootstrap import SubjectBootstrap
from gdsfd.evaluation.metrics.estimate import Estimate
from gdsfd.evaluation.report.sections.strata.movement import Movement, movement, subgroup_shifts
from gdsfd.evaluation.report.sections.strata.narrative import strata_narrative, subgroup_label
from gdsfd.evaluation.report.sections.strata.strata import SplitStrata, Strata, StrataTable, Stratum, StratumOnSplit
from gdsfd.evaluation.targets import Target
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.nn.adjustment.config import PrototypeConfig
from tests.cohort_factory import make_cohort

SCHEMA = CohortSchema((), (OutcomeFields("died_early", "d", ("no", "yes")),), ("sex",), "ward")
RULES = EvaluationConfig(resamples=50)


def moved(observed, intervened, y=None, shifts=()) -> Movement:
    observed, intervened = np.asarray(observed, dtype=float), np.asarray(intervened, dtype=float)
    n = len(observed)
    rows = np.arange(n) if y is not None else np.zeros(0, dtype=np.int64)
    labels = np.asarray(y, dtype=float) if y is not None else np.zeros(0)
    target = Target("died_early", rows, labels, intervened[rows])
    bootstrap = SubjectBootstrap([str(at) for at in range(n)], 50, 0)
    return movement(target, observed, intervened, np.full(n, 0.3), list(shifts), bootstrap, RULES)


def test_figures():
    one = moved([0.1, 0.2, 0.3, 0.4], [0.15, 0.195, 0.27, 0.42], [0, 1, 0, 1])
    change = np.array([0.05, -0.005, -0.03, 0.02])
    everyone = one.everyone
    assert everyone.mean == pytest.approx(change.mean())
    assert everyone.size == pytest.approx(np.abs(change).mean())
    assert (everyone.low, everyone.high) == pytest.approx(tuple(np.quantile(change, (0.25, 0.75))))
    assert (everyone.up, everyone.down) == (0.5, 0.25)  # less than a point is not counted
    assert one.spread == pytest.approx(0.3)
    assert one.agreement == pytest.approx(1.0)
    assert one.quantiles["0.5"] == pytest.approx(np.median(change))
    assert one.auroc["observed"].value == pytest.approx(0.75)
    assert one.auroc["difference"].value == pytest.approx(0)


def test_better_ranks_are_seen_in_the_difference():
    y = np.tile([0, 1], 100)
    one = moved(np.linspace(0, 1, 200), 0.3 + 0.4 * y + np.linspace(0, 0.1, 200), y)
    assert one.auroc["intervened"].value == 1
    assert one.auroc["difference"].low > 0.3


def test_bins_hold_everybody_and_zero_is_in_the_middle():
    rng = np.random.default_rng(0)
    one = moved(np.full(500, 0.5), 0.5 + 0.03 * rng.standard_normal(500))
    assert sum(n for _, _, n in one.bins) == 500
    low, high, _ = one.bins[len(one.bins) // 2]
    assert low == pytest.approx(-high)
    assert [low for low, _, _ in one.bins[1:]] == [high for _, high, _ in one.bins[:-1]]
    far = moved([0.5] * 200, [0.5] * 199 + [0.99])  # one far away is in the last bin
    assert sum(n for _, _, n in far.bins) == 200
    assert far.bins[-1][2] == 1


@pytest.mark.parametrize("n", [0, 1])
def test_nobody_and_one_patient(n):
    one = moved([0.4] * n, [0.5] * n)
    assert one.everyone.patients == n
    assert one.everyone.mean == pytest.approx(0.1 if n else math.nan, nan_ok=True)
    assert math.isnan(one.agreement)
    assert not one.auroc["difference"].defined
    assert sum(count for _, _, count in one.bins) == n


def test_thirds_by_risk_hold_each_patient_once():
    one = moved([0.3, 0.1, 0.2, 0.6, 0.5], [0.3, 0.2, 0.2, 0.5, 0.5])
    thirds = [each for each in one.shifts if each.kind == "risk"]
    assert [each.patients for each in thirds] == [2, 2, 1]
    assert thirds[0].observed == pytest.approx(0.15)
    assert not [each for each in moved([0.2] * 9, [0.3] * 9).shifts if each.kind == "risk"]


def test_crowds_cover_the_split_and_leave_small_ones_together():
    graph = graph_from_cohort(make_cohort(400))
    rows = np.flatnonzero(np.asarray(graph["patient"].split) == "test")
    found = subgroup_shifts(graph, rows, 15)
    assert {kind for kind, *_ in found} == {"environment", "pattern", "modality", "group: sex"}
    places = [mask for kind, _, mask, _ in found if kind == "environment"]
    np.testing.assert_array_equal(np.sum(places, axis=0), 1)
    patterns = [(mask, pooled) for kind, _, mask, pooled in found if kind == "pattern"]
    assert np.sum([mask for mask, _ in patterns], axis=0).max() == 1
    assert patterns[-1][1] > 1
    for _, _, mask, _ in found:
        assert mask.sum() >= 15
    for kind, _, mask, _ in found:
        assert kind != "modality" or mask.sum() < len(rows)
    assert all(kind == "modality" or pooled for kind, _, _, pooled in subgroup_shifts(graph, rows, len(rows)))


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
