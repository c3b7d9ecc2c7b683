"""The table of groups against scikit-learn, counting, and the package's own intervals of one sample."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score

from gdsfd.evaluation.intervals.of_metric import interval_of
from gdsfd.fusion_study.fairness import judged
from gdsfd.fusion_study.group_table import GROUP_FIGURES, group_table, with_intersections
from tests.fusion_study.material import material

THRESHOLDS = {("concat", seed, "death"): 0.4 for seed in range(3)}


@pytest.fixture(scope="module")
def made():
    return material({("concat", "natural"): 1.5}, patients=400, noisier=1.0)


def test_figures_are_means_over_seeds_of_what_others_compute(made):
    each = judged(made.predictions, made.patients, "death", "site", THRESHOLDS)
    table = group_table(each, "concat").set_index("group")
    group = made.patients.set_index("id")["group:site"]
    by_seed = []
    for seed in range(3):
        own = made.predictions[made.predictions["seed"] == seed]
        own = own[group[own["id"]].to_numpy() == "B"]
        y, p = own["y"].to_numpy(), own["p"].to_numpy()
        flagged = p >= 0.4
        log_odds = np.log(p / (1 - p))[:, None]
        by_seed.append(
            {
                "auroc": roc_auc_score(y, p),
                "auprc": average_precision_score(y, p),
                "tpr": flagged[y == 1].mean(),
                "fpr": flagged[y == 0].mean(),
                "ppv": y[flagged].mean(),
                "net_benefit": (flagged & (y == 1)).mean() - (flagged & (y == 0)).mean() * 0.4 / 0.6,
                "calibration_slope": LogisticRegression(C=1e8, tol=1e-8).fit(log_odds, y).coef_[0, 0],
                "auroc_low": interval_of("auroc", roc_auc_score(y, p), y, p, np.arange(len(y)))[0],
            }
        )
    for name in by_seed[0]:
        assert table.loc["B", name] == pytest.approx(np.mean([one[name] for one in by_seed]), rel=1e-4), name
    assert table.loc["B", "n"] == 600
    assert table.loc["B", "events"] == sum(made.predictions.loc[made.predictions["id"].map(group) == "B", "y"])
    for name in GROUP_FIGURES:
        assert (table[f"{name}_low"] < table[name]).all()
        assert (table[name] < table[f"{name}_high"]).all()
    assert table.loc["A", "auroc"] > table.loc["B", "auroc"]


def test_groups_too_small_are_named_with_their_size_and_nothing_else(made):
    few = made.patients["group:site"].mask(made.patients.index < 9, "C").mask(made.patients.index > 1150)
    each = judged(made.predictions, made.patients.assign(**{"group:site": few}), "death", "site", THRESHOLDS)
    table = group_table(each, "concat").set_index("group")
    assert table["note"].to_dict() == {"A": "", "B": "", "C": "too few", "Unknown": "too few"}
    assert table.loc["C", "n"] == 9
    assert table.loc["Unknown", "n"] == 49  # a missing value is a group of its own
    assert table.loc[["C", "Unknown"], [*GROUP_FIGURES, "events", "prevalence"]].isna().all(axis=None)


def test_without_a_threshold_there_are_no_rates(made):
    each = judged(made.predictions, made.patients, "death", "site", {})
    table = group_table(each, "concat")
    assert table[["tpr", "fpr", "ppv", "net_benefit"]].isna().all(axis=None)
    assert table[["auroc", "calibration_slope"]].notna().all(axis=None)


def test_pairs_of_attributes_are_groups_too(made):
    number = np.arange(len(made.patients))
    age = pd.Series(np.where(number % 4 < 2, "young", "old"), dtype=object).mask(number % 10 == 0)
    facts, pairs = with_intersections(made.patients.assign(**{"group:age": age}), ["site", "age"])
    assert pairs == ("site × age",)
    both = facts["group:site × age"]
    assert both[0] == f"{made.patients['group:site'][0]} × Unknown"
    assert both[1] == f"{made.patients['group:site'][1]} × young"
    each = judged(made.predictions, facts, "death", pairs[0], THRESHOLDS)
    assert set(each.names) | set(each.too_few) == set(both)
    assert with_intersections(made.patients, ["site"])[1] == ()
