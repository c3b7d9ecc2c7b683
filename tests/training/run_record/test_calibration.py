from __future__ import annotations

import copy

import numpy as np
import pytest
from scipy.special import expit, logit

from gdsfd.errors import InputError
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.training.run_record.calibration import Calibration, calibrated
from gdsfd.training.run_record.isotonic_steps import IsotonicSteps
from gdsfd.training.run_record.recalibration import RecalibrationLine
from tests.cohort_factory import make_cohort

LINE, CURVE = RecalibrationLine(-1.0, 0.5), IsotonicSteps((0.1, 0.5), (0.2, 0.8))


def schema_of(outcomes: str):
    return graph_from_cohort(make_cohort(60, outcomes=outcomes)).schema


def by_line(p):
    return expit(-1.0 + 0.5 * logit(p))


def test_both_columns_of_a_binary_outcome_change() -> None:
    p = np.array([[0.9, 0.1], [0.4, 0.6]])
    found = calibrated(p, schema_of("binary"), [Calibration("o", "logistic", (LINE,))])
    np.testing.assert_allclose(found[:, 1], by_line(p[:, 1]))
    np.testing.assert_allclose(found.sum(1), 1)
    curve = calibrated(p, schema_of("binary"), [Calibration("o", "isotonic", (CURVE,))])
    np.testing.assert_allclose(curve[:, 1], [0.2, 0.8])


def test_each_of_several_outcomes_has_its_own() -> None:
    schema = schema_of("multilabel")
    p = np.random.default_rng(0).uniform(0.1, 0.9, (5, len(schema.outcomes)))
    kept = [Calibration("o") for _ in schema.outcomes]
    kept[1] = Calibration("o", "logistic", (LINE,))
    found = calibrated(p, schema, kept)
    np.testing.assert_array_equal(np.delete(found, 1, 1), np.delete(p, 1, 1))
    np.testing.assert_allclose(found[:, 1], by_line(p[:, 1]))


def test_classes_add_up_to_1_again() -> None:
    schema = schema_of("multiclass")
    p = np.random.default_rng(0).dirichlet([1.0, 1.0, 1.0], 6)
    found = calibrated(p, schema, [Calibration("o", "logistic", (LINE,) * 3)])
    np.testing.assert_allclose(found, by_line(p) / by_line(p).sum(1, keepdims=True))


def test_none_gives_back_what_it_got() -> None:
    p = np.array([[0.9, 0.1]])
    assert calibrated(p, schema_of("binary"), [Calibration("o")]) is p
    empty = np.zeros((0, 2))
    assert calibrated(empty, schema_of("binary"), [Calibration("o", "logistic", (LINE,))]) is empty


@pytest.mark.parametrize(
    "kept",
    [
        Calibration("o", "logistic", (LINE,), {"none": 0.5}),
        Calibration("o", "isotonic", (CURVE,)),
        Calibration("o", reason="few"),
    ],
)
def test_it_is_equal_after_storing(kept) -> None:
    assert Calibration.from_dict(kept.to_dict(), 1, "model.json") == kept


@pytest.mark.parametrize(
    ("method", "corrections"),
    [
        ("logistic", [[0.0, -1.0]]),
        ("logistic", [[0.0, float("nan")]]),
        ("logistic", [[0.0, 1.0], [0.0, 1.0]]),
        ("isotonic", [[[0.1], [0.2]]]),
        ("isotonic", [[[0.1, 0.1], [0.2, 0.3]]]),
        ("isotonic", [[[0.1, 0.2], [0.3, 0.2]]]),
        ("isotonic", [[[0.1, 0.2], [0.0, 0.2]]]),
        ("beta", []),
        ("logistic", [["a", 1.0]]),
    ],
)
def test_a_damaged_one_is_refused(method, corrections) -> None:
    stored = copy.deepcopy(Calibration("o", "logistic", (LINE,)).to_dict())
    stored |= {"method": method, "corrections": corrections}
    with pytest.raises(InputError, match=r"model.json: the recalibration kept with the model is damaged"):
        Calibration.from_dict(stored, 1, "model.json")
