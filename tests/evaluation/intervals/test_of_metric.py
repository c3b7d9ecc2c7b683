"""Which figure has which interval, and from how many subjects on."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import beta

from gdsfd.evaluation.intervals.of_metric import interval_of, why_no_interval
from gdsfd.evaluation.metrics.metric import built_in_metrics
from tests.evaluation.scores import made

NAMES = [metric.name for metric in built_in_metrics()]
RANKS = np.linspace(1, 0, 60)


def few(positives, n=60):
    return (np.arange(n) < positives).astype(float)


@pytest.mark.parametrize("positives", [1, 2, 4])
@pytest.mark.parametrize("name", ["auroc", "auprc", "brier", "log_loss", "calibration_gap", "tpr"])
def test_fewer_than_five_positives_have_a_reason_instead(name, positives):
    low, high, reason = interval_of(name, 0.8, few(positives), RANKS, np.arange(60), 0.5)
    assert math.isnan(low)
    assert math.isnan(high)
    least = 10 if name in ("brier", "log_loss") else 5
    assert reason == f"only {positives} positive patient{'s' * (positives > 1)}: no interval below {least}"


@pytest.mark.parametrize("name", ["auroc", "auprc", "calibration_gap", "fpr"])
def test_so_have_fewer_than_five_negatives(name):
    _, _, reason = interval_of(name, 0.8, 1 - few(4), RANKS, np.arange(60), 0.5)
    assert reason == "only 4 negative patients: no interval below 5"


def test_subjects_are_counted_not_patients():
    cluster = np.where(np.arange(60) < 8, np.arange(60) // 4, np.arange(60))
    assert why_no_interval(few(8), cluster) == "only 8 positive patients, of 2 subjects: no interval below 5 subjects"
    assert why_no_interval(few(8), np.arange(60)) == ""


def test_a_perfect_ranking_of_five_has_a_lower_limit_well_below_one():
    for name in ("auroc", "auprc"):
        low, high, reason = interval_of(name, 1.0, few(5), RANKS, np.arange(60))
        assert (high, reason) == (1.0, "")
        assert low < 0.85


def test_rates_are_clopper_pearson_of_their_own_patients():
    y, p = made(80)
    flagged, cluster = p >= 0.4, np.arange(80)
    for name, among, hit in (("tpr", y == 1, flagged), ("fpr", y == 0, flagged), ("ppv", flagged, y == 1)):
        hits, size = hit[among].sum(), among.sum()
        low, high, _ = interval_of(name, hits / size, y, p, cluster, 0.4)
        assert low == pytest.approx(beta.ppf(0.025, hits, size - hits + 1))
        assert high == pytest.approx(beta.ppf(0.975, hits + 1, size - hits))


@pytest.mark.parametrize("name", NAMES)
def test_copies_of_a_patient_add_no_certainty(name):
    y, p = made(60)
    once, twice = (np.tile(one, 2) for one in (y, p)), np.tile(np.arange(60), 2)
    value = {"tpr": p[y == 1] >= 0.4, "fpr": p[y == 0] >= 0.4, "ppv": y[p >= 0.4], "flagged": p >= 0.4}.get(name, 0.7)
    value = float(np.mean(value))
    ends = interval_of(name, value, y, p, np.arange(60), 0.4)
    assert interval_of(name, value, *once, twice, 0.4)[:2] == pytest.approx(ends[:2], rel=1e-9)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("auprc", "auroc")])
def test_a_wider_level_is_a_wider_interval(name):
    y, p = made(90)
    narrow, wide = (interval_of(name, 0.5, y, p, np.arange(90), 0.4, level) for level in (0.9, 0.99))
    assert wide[0] < narrow[0] < narrow[1] < wide[1]
