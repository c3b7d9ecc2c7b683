"""One fit: predictions as the model gives them under every condition, thresholds of tuning patients."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gdsfd.fusion_study.conditions import under
from gdsfd.fusion_study.contenders import Contender, read_contender, trained_under
from gdsfd.fusion_study.fits import COLUMNS, file_of, fit_contender, fitted_model, predictions_of
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.graph.modality_ablation import keep_modalities
from gdsfd.training.run_record.operating_point import choose_threshold
from tests.cohort_factory import make_cohort

SETTINGS = {"members": 1, "channels": 8, "max_epochs": 1}


@pytest.mark.parametrize("outcomes", ["binary", "multiclass"])
def test_the_table_is_what_the_model_says(outcomes, tmp_path):
    graph, late = graph_from_cohort(make_cohort(150, outcomes=outcomes)), read_contender("late:fusion=sum")
    conditions = ("natural", "without labs", "random 0.5")
    facts = fit_contender(graph, late, 3, conditions, SETTINGS, 0.8, tmp_path)
    table = pd.read_parquet(file_of(tmp_path, late, 3))
    assert tuple(table.columns) == COLUMNS
    model = fitted_model(graph, late, 3, SETTINGS)
    for condition, own in table.groupby("condition"):
        shown = under(graph, condition, 3)
        probability = model.predict_proba(shown, split="test")
        ids = [name for name, split in zip(graph["patient"].id, graph["patient"].split) if split == "test"]
        for number, (_, mine) in enumerate(own.groupby("target", sort=False)):
            column = 1 if outcomes == "binary" else number
            expected = dict(zip(ids, probability[:, column], strict=True))
            np.testing.assert_allclose(mine["p"], [expected[each] for each in mine["id"]])
    tuning = predictions_of(model, graph, "tuning", late, 3, "natural")
    for name, own in tuning.groupby("target"):
        expected = choose_threshold(own["y"].to_numpy(), own["p"].to_numpy(), 0.8).threshold
        np.testing.assert_equal(facts["thresholds"][name], expected)
    assert facts["test"] == len([split for split in graph["patient"].split if split == "test"])
    assert facts["parameters"] > 0


def test_a_contender_on_some_modalities_sees_no_others(tmp_path):
    graph = graph_from_cohort(make_cohort(200))
    some = Contender("boosting, only labs", "boosting", False, {}, ("labs",))
    fit_contender(graph, some, 0, ("natural",), {}, 0.8, tmp_path)
    table = pd.read_parquet(file_of(tmp_path, some, 0))
    assert set(table["condition"]) == {"natural"}
    alone = keep_modalities(graph, "labs")
    expected = fitted_model(alone, some, 0, {}).predict_proba(alone, split="test")[:, 1]
    ids = [name for name, split in zip(graph["patient"].id, graph["patient"].split) if split == "test"]
    by_id = dict(zip(ids, expected, strict=True))
    np.testing.assert_array_equal(table["p"], [by_id[each] for each in table["id"]])


def test_training_patients_lose_what_the_condition_says(tmp_path):
    graph, under_risk = graph_from_cohort(make_cohort(200)), "by risk 0.5"
    made = trained_under(read_contender("boosting"), under_risk)
    fit_contender(graph, made, 0, ("natural", under_risk), {}, 0.8, tmp_path, holdout="North wing")
    table = pd.read_parquet(file_of(tmp_path, made, 0, "North wing"))
    model = fitted_model(under(graph, under_risk, 0, ("train", "tuning")), made, 0, {})
    for condition, own in table.groupby("condition"):
        expected = model.predict_proba(under(graph, condition, 0), split="test")[:, 1]
        ids = [name for name, split in zip(graph["patient"].id, graph["patient"].split) if split == "test"]
        by_id = dict(zip(ids, expected, strict=True))
        np.testing.assert_array_equal(own["p"], [by_id[each] for each in own["id"]])


def test_names_that_differ_have_files_that_differ(tmp_path):
    names = ("a b", "a_b", "a,b")
    assert len({file_of(tmp_path, Contender(name, "boosting", False), 0) for name in names}) == 3
    one = Contender("muse", "muse", True)
    assert len({file_of(tmp_path, one, 0, holdout) for holdout in (None, "a b", "a_b")}) == 3
