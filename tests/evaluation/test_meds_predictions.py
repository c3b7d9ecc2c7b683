from __future__ import annotations

import logging
from datetime import datetime, timedelta

import numpy as np
import pytest
import torch

import gdsfd
from gdsfd.errors import InputError
from gdsfd.evaluation.meds_predictions import meds_predictions
from gdsfd.graph.from_cohort import graph_from_cohort
from tests.cohort_factory import make_cohort

START = datetime(2150, 3, 4, 8)


def with_moments(outcomes: str):
    """A graph of people 1, 2, ... each predicted on a day of their own."""
    graph = graph_from_cohort(make_cohort(120, outcomes=outcomes))
    graph["patient"].id = [f"{k + 1}@{START + timedelta(days=k, microseconds=k)}" for k in range(120)]
    return graph


@pytest.fixture(scope="module")
def binary():
    graph = with_moments("binary")
    model = gdsfd.Debiaser("concat", channels=8, max_epochs=2, batch_size=32, members=1, boosted_members=0)
    return model.fit(graph, progress=False, baselines=False), graph


def test_every_row_is_the_patients(binary) -> None:
    model, graph = binary
    graph["patient"].y[:] = (torch.arange(120) % 3 == 0).float()[:, None]
    table = meds_predictions(model, graph)
    assert table["subject_id"].to_pylist() == list(range(1, 121))
    assert table["prediction_time"].to_pylist()[2] == START + timedelta(days=2, microseconds=2)
    assert table["boolean_value"].to_pylist() == [k % 3 == 0 for k in range(120)]
    risk = model.predict_proba(graph)[:, 1]
    np.testing.assert_array_equal(table["predicted_boolean_probability"].to_numpy(), risk.astype(np.float32))
    point = model.record.rules["reference"].at(0.8)[0]
    assert table["predicted_boolean_value"].to_pylist() == (risk >= point.threshold).tolist()
    two = meds_predictions(model, graph, ids=[graph["patient"].id[7], graph["patient"].id[3]])
    assert two["subject_id"].to_pylist() == [8, 4]


def test_the_package_takes_it_and_finds_the_same_auroc(binary) -> None:
    schema = pytest.importorskip("meds_evaluation.schema")
    evaluate = pytest.importorskip("meds_evaluation.evaluate")
    polars = pytest.importorskip("polars")
    model, graph = binary
    graph["patient"].y[:] = (torch.arange(120) % 3 == 0).float()[:, None]
    table = meds_predictions(model, graph, split="test")
    schema.PredictionSchema.validate(table)
    found = evaluate.evaluate_binary_classification(polars.from_arrow(table))
    ours = model.score(graph, split="test")
    assert found["samples_equally_weighted"]["roc_auc_score"] == pytest.approx(ours, abs=1e-6)


def test_patients_without_a_label(binary, caplog) -> None:
    model, graph = binary
    graph["patient"].y[:] = (torch.arange(120) % 3 == 0).float()[:, None]
    graph["patient"].y[:20] = float("nan")
    with caplog.at_level(logging.WARNING):
        table = meds_predictions(model, graph)
    assert table["subject_id"].to_pylist() == list(range(21, 121))
    assert "20 of 120 patients have no label and are left out" in caplog.text
    graph["patient"].y[:] = float("nan")
    table = meds_predictions(model, graph)
    assert table.num_rows == 120
    assert "boolean_value" not in table.column_names


def test_ids_that_do_not_say_who_and_when(binary) -> None:
    model, graph = binary
    for wrong in ("p0001", "p1@2150-01-01", "1@noon", f"{2**63}@2150-01-01", "1@2150-01-01T00:00:00+01:00"):
        before, graph["patient"].id[0] = graph["patient"].id[0], wrong
        with pytest.raises(InputError, match=r"1 patients have ids that do not say who and when.*derive the id"):
            meds_predictions(model, graph)
        graph["patient"].id[0] = before


class Fixed:
    """Answers with the same probabilities for everybody, and keeps no thresholds."""

    record, choice = None, "reference"

    def __init__(self, row: list[float]) -> None:
        self.row = row

    def predict_proba(self, graph, split=None, ids=None):
        return np.tile(self.row, (120, 1))


@pytest.mark.parametrize(("outcomes", "place"), [("multilabel", 1), ("multiclass", 2)])
def test_one_of_several_outcomes_or_classes(outcomes, place) -> None:
    graph = with_moments(outcomes)
    schema = graph.schema
    names = [outcome.name for outcome in schema.outcomes]
    if schema.multiclass:
        names = [f"{names[0]}: {label}" for label in schema.outcomes[0].classes]
    row = [0.1 * (k + 1) for k in range(len(names))]
    with pytest.raises(InputError, match="one yes or no at a time: name the outcome"):
        meds_predictions(Fixed(row), graph)
    with pytest.raises(InputError, match="outcome: expected one of the model's, got 'x'"):
        meds_predictions(Fixed(row), graph, outcome="x")
    table = meds_predictions(Fixed(row), graph, outcome=names[place])
    np.testing.assert_allclose(table["predicted_boolean_probability"].to_numpy(), row[place], rtol=1e-6)
    assert "predicted_boolean_value" not in table.column_names
    y = graph["patient"].y
    expected = (y == place).sum() if schema.multiclass else (y[:, place] == 1).sum()
    assert sum(table["boolean_value"].to_pylist()) == int(expected)


def test_a_sensitivity_that_was_not_kept(binary) -> None:
    model, graph = binary
    with pytest.raises(InputError, match=r"keeps no threshold for 0\.81"):
        meds_predictions(model, graph, sensitivity=0.81)
