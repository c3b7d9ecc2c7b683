"""Gains in strata of planted scores; Cochran's Q against the weighted sum of squares of a regression on a constant."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.linear_model import LinearRegression
from sklearn.metrics import roc_auc_score

from gdsfd.fusion_study.strata import cochran_q, gains_in_strata
from tests.fusion_study.material import material

SHIFTS = {("boosting", "natural"): 1.8, ("boosting, only labs", "natural"): 0.8}


def test_q_is_the_residual_of_a_weighted_regression_on_a_constant():
    random = np.random.default_rng(0)
    values, errors = random.normal(size=6), random.uniform(0.2, 1, 6)
    found = cochran_q(np.append(values, [np.nan, 1.0]), np.append(errors, [0.1, 0.0]))
    constant = LinearRegression().fit(np.zeros((6, 1)), values, 1 / errors**2).intercept_
    assert found.q == pytest.approx(float((((values - constant) / errors) ** 2).sum()))
    assert found.p == pytest.approx(stats.chi2.sf(found.q, 5))
    assert found.share == pytest.approx(max(0, 1 - 5 / found.q))
    assert np.isnan(cochran_q(values[:1], errors[:1]).q)
    assert cochran_q(np.ones(3), np.ones(3)) == (0.0, 2, 1.0, 0.0)


def test_q_is_chi_squared_where_strata_are_alike():
    random = np.random.default_rng(1)
    errors = np.array([0.1, 0.2, 0.4, 0.1])
    p = [cochran_q(0.03 + errors * random.normal(size=4), errors).p for _ in range(2000)]
    assert stats.kstest(p, "uniform").pvalue > 0.01


def test_gains_are_those_of_the_patients_of_a_stratum():
    made = material(SHIFTS, patients=600)
    number = np.arange(len(made.patients))
    environment = np.array(["north", "south", "tiny"], dtype=object)[np.where(number < 4, 2, number % 2)]
    made = replace(made, patients=made.patients.assign(environment=environment))
    table, tests = gains_in_strata(made, "boosting", "boosting, only labs")
    assert list(dict.fromkeys(table["by"])) == ["environment", "risk by the best single modality", "modalities had"]
    rows = table.set_index("stratum")
    assert rows.loc["tiny", "verdict"] == "too few"
    assert np.isnan(rows.loc["tiny", "gain"])
    assert rows.loc["north", "verdict"] == "better"
    gains = []
    north = set(made.patients.loc[environment == "north", "id"])
    for seed in made.plan.seeds:
        own = made.predictions[(made.predictions["seed"] == seed) & made.predictions["id"].isin(north)]
        areas = [
            roc_auc_score(each["y"], each["p"])
            for each in (own[own["learner"] == name] for name in ("boosting", "boosting, only labs"))
        ]
        gains.append(areas[0] - areas[1])
    assert rows.loc["north", "gain"] == pytest.approx(np.mean(gains))
    thirds = table[table["by"] == "risk by the best single modality"]
    assert thirds["patients"].sum() == len(made.patients)
    assert thirds["events"].is_monotonic_increasing
    assert set(table.loc[table["by"] == "modalities had", "stratum"]) == {"all", "labs + notes"}
    assert tests.set_index("by").loc["environment", "strata"] == 2


def test_an_outcome_that_gains_nothing_is_told_from_one_that_gains():
    made = material(SHIFTS, patients=1000, seeds=tuple(range(5)))
    other = made.predictions.assign(target="stroke")
    plain = other[other["learner"] == "boosting, only labs"]
    both = pd.concat([made.predictions, plain, plain.assign(learner="boosting")], ignore_index=True)
    table, tests = gains_in_strata(replace(made, predictions=both), "boosting", "boosting, only labs")
    rows = table[table["by"] == "outcome"].set_index("stratum")
    assert rows.loc["stroke", "gain"] == 0
    assert rows.loc["death", "verdict"] == "better"
    assert tests.set_index("by").loc["outcome", "strata"] == 2
