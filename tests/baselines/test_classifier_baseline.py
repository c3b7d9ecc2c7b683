"""Any classifier as a baseline: an oracle by hand, holes, unknown labels, classes that nobody has."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC

import gdsfd
from gdsfd.baselines.classifier_baseline import ClassifierBaseline
from gdsfd.baselines.standardiser import Standardiser
from gdsfd.errors import InputError, NotFittedError
from gdsfd.graph.flatten import flatten
from gdsfd.graph.from_cohort import graph_from_cohort
from tests.cohort_factory import make_cohort

FOREST = RandomForestClassifier(n_estimators=10)


def graph_of(outcomes: str = "binary", patients: int = 200):
    return graph_from_cohort(make_cohort(patients, outcomes=outcomes))


def rows_in(graph, split: str) -> np.ndarray:
    return np.flatnonzero(np.asarray(graph["patient"].split) == split)


@pytest.mark.parametrize("estimator", [FOREST, HistGradientBoostingClassifier(max_iter=10)], ids=["forest", "trees"])
def test_a_classifier_that_takes_holes_sees_the_flat_table(estimator) -> None:
    graph = graph_of()
    y = graph["patient"].y.numpy()[:, 0]
    train = rows_in(graph, "train")
    known = train[np.isfinite(y[train])]
    x = flatten(graph, known)[0]
    assert np.isnan(x).any()
    by_hand = estimator.__class__(**{**estimator.get_params(), "random_state": 3}).fit(x, y[known].astype(int))
    expected = by_hand.predict_proba(flatten(graph, rows_in(graph, "test"))[0])
    found = ClassifierBaseline(estimator, seed=3).fit(graph).predict_proba(graph, split="test")
    np.testing.assert_array_equal(found, expected)
    assert not hasattr(estimator, "classes_"), "the user's own is not fitted"


def test_others_get_an_imputed_table() -> None:
    graph = graph_of()
    y = graph["patient"].y.numpy()[:, 0]
    train = rows_in(graph, "train")
    known = train[np.isfinite(y[train])]
    standardise = Standardiser(flatten(graph, known)[0])
    by_hand = LogisticRegression().fit(standardise(flatten(graph, known)[0]).astype(np.float32), y[known].astype(int))
    test = standardise(flatten(graph, rows_in(graph, "test"))[0]).astype(np.float32)
    found = ClassifierBaseline(LogisticRegression()).fit(graph)
    np.testing.assert_allclose(found.predict_proba(graph, split="test"), by_hand.predict_proba(test), atol=1e-12)
    assert "median imputation" in found.describe()["features"]
    imputed = ClassifierBaseline(FOREST, missing="imputed").fit(graph)
    assert "median imputation" in imputed.describe()["features"]
    with pytest.raises(InputError, match="LogisticRegression could not be fitted: Input X contains NaN"):
        ClassifierBaseline(LogisticRegression(), missing="nan").fit(graph)


def test_several_labels_and_unknown_ones() -> None:
    """What is learned of one outcome does not depend on patients whose label of it is unknown."""
    graph = graph_of("multilabel")
    before = ClassifierBaseline(FOREST).fit(graph).predict_proba(graph)
    assert before.shape == (200, len(graph.schema.outcomes))
    train = rows_in(graph, "train")
    graph["patient"].y[train[::2], 1] = float("nan")
    after = ClassifierBaseline(FOREST).fit(graph).predict_proba(graph)
    np.testing.assert_array_equal(after[:, 0], before[:, 0])
    assert not np.array_equal(after[:, 1], before[:, 1])


def test_classes_that_nobody_has_get_0() -> None:
    graph = graph_of("multiclass")
    y = graph["patient"].y
    y[y == 0] = 1
    p = ClassifierBaseline(FOREST).fit(graph).predict_proba(graph, split="test")
    assert p.shape[1] == len(graph.schema.outcomes[0].classes)
    assert (p[:, 0] == 0).all()
    np.testing.assert_allclose(p.sum(1), 1)


def test_one_class_alone_gives_its_share() -> None:
    graph = graph_of()
    graph["patient"].y[:] = 1.0
    assert ClassifierBaseline(FOREST).fit(graph).predict_proba(graph).tolist() == [[0.0, 1.0]] * 200


def test_the_seed_decides_unless_the_classifier_has_one() -> None:
    graph = graph_of()
    first, second = (ClassifierBaseline(FOREST, seed=seed).fit(graph).predict_proba(graph) for seed in (1, 2))
    assert not np.array_equal(first, second)
    own = RandomForestClassifier(n_estimators=10, random_state=1)
    np.testing.assert_array_equal(ClassifierBaseline(own, seed=2).fit(graph).predict_proba(graph), first)


def test_it_stands_in_the_report_and_is_not_stored(tmp_path) -> None:
    graph = graph_of()
    model = gdsfd.Debiaser("concat", max_epochs=1, members=1, channels=8, boosted_members=0)
    model.fit(graph, progress=False, baselines=False)
    forest = ClassifierBaseline(FOREST, name="my forest").fit(graph)
    report = gdsfd.evaluate(model, graph, baselines={"forest": forest}, resamples=20, probes=False, progress=False)
    assert list(report.metrics["splits"]["test"]["models"]) == ["model", "forest"]
    assert "my forest" in report.html() or "forest" in report.html()
    for store in (forest.arrays, forest.to_dict):
        with pytest.raises(InputError, match="my forest cannot be stored with a model: its own storage is pickle"):
            store()
    with pytest.raises(InputError, match="a classifier is never stored"):
        ClassifierBaseline.from_stored({}, {}, graph.schema, "model.json")


class Odd(ClassifierMixin, BaseEstimator):
    """Answers with gaps."""

    def fit(self, x, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, x):
        return np.full((len(x), 2), np.nan)


def test_what_is_no_classifier_is_refused() -> None:
    with pytest.raises(InputError, match=r"got the class; write RandomForestClassifier\(\)"):
        ClassifierBaseline(RandomForestClassifier)
    with pytest.raises(InputError, match=r"SVC has no predict_proba .*CalibratedClassifierCV adds it"):
        ClassifierBaseline(SVC(probability=False))
    with pytest.raises(InputError, match="expected a classifier, for example"):
        ClassifierBaseline()
    with pytest.raises(InputError, match="missing: expected 'nan' or 'imputed', got 'drop'"):
        ClassifierBaseline(FOREST, missing="drop")
    graph = graph_of()
    with pytest.raises(NotFittedError):
        ClassifierBaseline(FOREST).predict_proba(graph)
    with pytest.raises(InputError, match=r"Odd: expected probabilities of .* with gaps"):
        ClassifierBaseline(Odd(), missing="nan").fit(graph).predict_proba(graph)
