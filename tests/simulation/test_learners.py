"""What plain learners make of the simulated cohorts: the shortcut is real where it is planted, and only there.

Logistic regression on flattened features with missing flags, 5,000 patients, seed 0, AUROC:

    preset        test   test_unbiased  test_flipped   oracle
    confounded    .957   .804           .567           .909 .910 .905
    no_bias       .898   .903           .887           .908 .912 .904
    causal_bias   .944   .954           .944           .907 .912 .905
"""

from __future__ import annotations

from pathlib import Path

import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from gdsfd.simulation import SPLITS, load_truth, simulate
from tests.simulation.plain_features import flat_features

TESTS = SPLITS[2:]


def auroc_by_split(folder: Path, learner: str = "logistic") -> tuple[dict[str, float], dict[str, float]]:
    """AUROC against the true outcome of a learner fitted on train, and of the oracle."""
    cohort, features = flat_features(folder)
    truth = load_truth(folder).patients
    assert list(cohort.index) == list(truth.index)
    train = (cohort["split"] == "train") & (cohort["deteriorated"] != "")
    if learner == "logistic":
        imputer = SimpleImputer(add_indicator=True, keep_empty_features=True)
        model = make_pipeline(imputer, StandardScaler(), LogisticRegression(max_iter=500))
    else:
        model = HistGradientBoostingClassifier(max_iter=60, random_state=0)
    model.fit(features[train], cohort["deteriorated"][train] == "yes")
    score = model.predict_proba(features)[:, 1]
    rows = {split: (cohort["split"] == split).to_numpy() for split in TESTS}
    fitted = {split: roc_auc_score(truth["y"][row], score[row]) for split, row in rows.items()}
    oracle = {split: roc_auc_score(truth["y"][row], truth["oracle"][row]) for split, row in rows.items()}
    return fitted, oracle


@pytest.mark.parametrize("learner", ["logistic", "boosting"])
def test_confounded_learner_falls_and_oracle_does_not(confounded: Path, learner: str) -> None:
    fitted, oracle = auroc_by_split(confounded, learner)
    assert fitted["test"] > 0.93
    assert fitted["test"] - fitted["test_unbiased"] > 0.08
    assert fitted["test_unbiased"] - fitted["test_flipped"] > 0.15
    assert fitted["test"] - fitted["test_shifted_missingness"] > 0.01  # the pattern was a shortcut, too
    assert fitted["test_unbiased"] + 0.05 < oracle["test"] < fitted["test"] - 0.02
    assert max(oracle.values()) - min(oracle.values()) < 0.02


def test_without_confounding_nothing_falls(tmp_path: Path) -> None:
    fitted, oracle = auroc_by_split(simulate(tmp_path / "out", confounding=0.5))
    assert abs(fitted["test"] - fitted["test_unbiased"]) < 0.02
    assert abs(fitted["test"] - fitted["test_flipped"]) < 0.02
    assert all(fitted[split] < oracle[split] for split in TESTS)


def test_learner_nears_the_oracle_where_there_is_no_bias(tmp_path: Path) -> None:
    fitted, oracle = auroc_by_split(simulate(tmp_path / "out", preset="no_bias"))
    for split in TESTS:
        assert oracle[split] - 0.04 < fitted[split] < oracle[split]


def test_a_causal_bias_pays_in_every_split(tmp_path: Path) -> None:
    fitted, oracle = auroc_by_split(simulate(tmp_path / "out", preset="causal_bias"))
    for split in TESTS:
        assert fitted[split] > oracle[split] + 0.02


def test_harder_bias_costs_less(confounded: Path, tmp_path: Path) -> None:
    easy, _ = auroc_by_split(confounded)
    hard, _ = auroc_by_split(simulate(tmp_path / "out", preset="harder_bias"))
    assert hard["test_unbiased"] > easy["test_unbiased"] + 0.02


def test_separable_outcomes_need_no_bias(tmp_path: Path) -> None:
    fitted, oracle = auroc_by_split(simulate(tmp_path / "out", separable=True, patients=2000))
    assert min(oracle.values()) > 0.999
    assert min(fitted.values()) > 0.98
