from __future__ import annotations

import numpy as np
import pytest

from gdsfd.baselines.asked_for import baseline_asked_for
from gdsfd.baselines.baseline import BASELINES
from gdsfd.baselines.boosting import Boosting
from gdsfd.baselines.classifier_baseline import ClassifierBaseline
from gdsfd.baselines.files import read_baselines
from gdsfd.comparison import compare
from gdsfd.errors import InputError
from gdsfd.fusion_study.contenders import read_contender
from gdsfd.fusion_study.fits import fitted_model
from gdsfd.graph.from_cohort import graph_from_cohort
from tests.cohort_factory import make_cohort

PATH = "sklearn.naive_bayes:GaussianNB"


def test_a_name_or_a_path() -> None:
    assert baseline_asked_for("boosting") is Boosting
    assert baseline_asked_for("gdsfd.baselines.boosting:Boosting") is Boosting
    kind = baseline_asked_for(PATH)
    assert issubclass(kind, ClassifierBaseline)
    assert (kind.key, kind.name) == (PATH, "GaussianNB")
    assert PATH not in BASELINES


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("boostin", r"unknown baseline 'boostin'. Did you mean 'boosting'.*\? Any classifier goes by the path"),
        ("no_such_package.part:X", r"no module 'no_such_package'; is no_such_package installed\? \(pip install"),
        ("sklearn.nothing:X", "there is no module 'sklearn.nothing'"),
        ("sklearn.naive_bayes:GausianNB", "sklearn.naive_bayes has no 'GausianNB'. Did you mean 'GaussianNB'"),
        ("sklearn.linear_model:LinearRegression", "LinearRegression has no predict_proba"),
        ("sklearn.ensemble:VotingClassifier", "cannot be made without arguments .*make it in Python"),
        ("math:sqrt", "cannot be made without arguments"),
    ],
)
def test_what_is_none_is_refused(name, message) -> None:
    with pytest.raises(InputError, match=message):
        baseline_asked_for(name)


def test_a_file_never_imports_by_a_path(tmp_path) -> None:
    graph = graph_from_cohort(make_cohort(60))
    with pytest.raises(InputError, match="expected the baselines"):
        read_baselines(tmp_path, {PATH: {}}, graph.schema)


def test_it_stands_in_a_comparison_and_in_a_study() -> None:
    graph = graph_from_cohort(make_cohort(150))
    settings = {"max_epochs": 1, "members": 1, "channels": 8, "accelerator": "cpu"}
    found = compare(graph, ["none"], ["concat"], 1, baselines=[PATH, "logistic"], matched=False, **settings)
    frame = found.to_frame()
    assert {PATH, "logistic"} <= set(frame["label"])
    assert PATH in found.html()
    contender = read_contender(PATH)
    assert not contender.network
    expected = baseline_asked_for(PATH)(0).fit(graph).predict_proba(graph)
    np.testing.assert_array_equal(fitted_model(graph, contender, 0, {}).predict_proba(graph), expected)
