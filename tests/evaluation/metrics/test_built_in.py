"""Every built-in metric against scikit-learn or a count by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn import metrics as sk

from gdsfd.evaluation.metrics.metric import METRICS, Sample, built_in_metrics
from tests.evaluation.scores import made

Y, P = made(120, ties=True)
Y[P == 0.5] = np.arange((P == 0.5).sum()) % 2  # both answers exactly at the threshold
SAMPLE = Sample(Y, P, threshold=0.5)


def slow(y, p, threshold) -> dict[str, float]:
    (tn, fp), (fn, tp) = sk.confusion_matrix(y, p >= threshold)
    return {
        "auroc": sk.roc_auc_score(y, p),
        "auprc": sk.average_precision_score(y, p),
        "brier": sk.brier_score_loss(y, p),
        "log_loss": sk.log_loss(y, p),
        "calibration_gap": sum(p) / len(p) - sum(y) / len(y),
        "tpr": tp / (tp + fn),
        "fpr": fp / (fp + tn),
        "ppv": tp / (tp + fp),
        "flagged": (tp + fp) / len(y),
    }


def test_values():
    expected = slow(Y, np.clip(P, 1e-7, 1 - 1e-7), 0.5)
    assert {metric.name: metric.value(SAMPLE) for metric in built_in_metrics()} == pytest.approx(expected)


def test_values_in_resamples_are_those_of_the_repeated_patients():
    weights = np.random.default_rng(0).multinomial(len(Y), np.full(len(Y), 1 / len(Y)), size=5).astype(float)
    for metric in built_in_metrics():
        if metric.ranking is not None:
            found = metric.ranking(Y, P, weights)[metric.name]
            for place, weight in enumerate(weights):
                drawn = np.repeat(np.arange(len(Y)), weight.astype(int))
                assert found[place] == pytest.approx(slow(Y[drawn], P[drawn], 0.5)[metric.name]), metric.name


@pytest.mark.parametrize(
    ("y", "p", "undefined"),
    [
        ([1, 1], [0.2, 0.9], {"auroc", "auprc", "fpr"}),
        ([0, 0], [0.2, 0.9], {"auroc", "auprc", "tpr"}),
        ([1, 0], [0.2, 0.1], {"ppv"}),
    ],
)
def test_what_is_undefined_is_nan_and_nothing_else_is(y, p, undefined):
    sample = Sample(np.array(y, float), np.array(p), threshold=0.5)
    assert {metric.name for metric in built_in_metrics() if math.isnan(metric.value(sample))} == undefined


def test_directions():
    better = {name: METRICS.find(name).higher_is_better for name in METRICS.names()}
    assert {name for name, higher in better.items() if higher is False} == {"brier", "log_loss", "fpr"}
    assert {name for name, higher in better.items() if higher is None} == {"calibration_gap", "flagged"}
