from __future__ import annotations

import importlib.util
import sys
from types import ModuleType

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from gdsfd.baselines.baseline import BASELINES, fitted_with_every_model
from gdsfd.baselines.named_classifiers import TabICL, TabPFN
from gdsfd.errors import InputError
from gdsfd.graph.from_cohort import graph_from_cohort
from tests.cohort_factory import make_cohort

NAMES = ("random_forest", "xgboost", "catboost", "tabpfn", "tabicl")


def test_none_of_them_is_fitted_unless_asked_for() -> None:
    assert set(NAMES) <= set(BASELINES.names())
    assert not set(NAMES) & set(fitted_with_every_model())


@pytest.mark.parametrize("name", ["random_forest", "xgboost", "catboost"])
@pytest.mark.parametrize("outcomes", ["binary", "multiclass"])
def test_it_learns_what_is_there_and_repeats_itself(name, outcomes) -> None:
    if name != "random_forest":
        pytest.importorskip(name)
    kind = BASELINES.find(name)
    graph = graph_from_cohort(make_cohort(150, outcomes=outcomes))
    small = kind(seed=1)
    small.estimator.set_params(**{"iterations" if name == "catboost" else "n_estimators": 20})
    p = small.fit(graph).predict_proba(graph, split="train")
    assert p.shape == (len(p), 2 if outcomes == "binary" else 3)
    np.testing.assert_allclose(p.sum(1), 1, atol=1e-6)
    if outcomes == "binary":
        y = graph["patient"].y.numpy()[np.asarray(graph["patient"].split) == "train", 0]
        known = np.isfinite(y)
        assert roc_auc_score(y[known], p[known, 1]) > 0.8
    np.testing.assert_array_equal(small.fit(graph).predict_proba(graph, split="train"), p)
    assert small.describe()["features"] == "flattened table; missing as NaN"


@pytest.mark.parametrize("name", NAMES[1:])
def test_where_a_package_is_missing_it_says_what_to_install(name, monkeypatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda own: None if own == name else find(own))
    with pytest.raises(InputError, match=rf"needs the package {name}, which is not installed: pip install {name}"):
        BASELINES.find(name)(0)


class NoWeights:
    """What a pre-trained classifier does on a machine without a network."""

    def __init__(self, random_state: int | None = None) -> None:
        self.random_state = random_state

    def get_params(self, deep: bool = True) -> dict:
        return {"random_state": self.random_state}

    def set_params(self, **params):
        return self

    def fit(self, x, y):
        raise OSError("could not reach the host\nand more")

    def predict_proba(self, x): ...


@pytest.mark.parametrize("kind", [TabPFN, TabICL])
def test_weights_that_are_not_there_are_told(kind, monkeypatch) -> None:
    module = ModuleType(kind.package)
    setattr(module, f"{kind.__name__}Classifier", NoWeights)
    monkeypatch.setitem(sys.modules, kind.package, module)
    monkeypatch.setattr(kind, "check_available", classmethod(lambda cls: None))
    model = kind(0)
    model.missing = "nan"
    with pytest.raises(InputError, match=rf"could not be fitted: could not reach the host. {kind.name} fetches its"):
        model.fit(graph_from_cohort(make_cohort(60)))
