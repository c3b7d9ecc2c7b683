"""A linear model as arrays gives scikit-learn's numbers; what is none is refused."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from gdsfd.baselines.linear_model import LinearModel
from gdsfd.baselines.standardiser import Standardiser
from gdsfd.errors import InputError
from tests.baselines.test_boosted_trees import at, table


def fitted(classes: int) -> tuple[LinearModel, Standardiser, LogisticRegression]:
    x = table()
    standardise = Standardiser(x)
    y = np.digitize(np.nan_to_num(x[:, 2]), [-0.5, 0.5][: classes - 1])
    model = LogisticRegression(C=0.1).fit(standardise(x), y)
    return LinearModel.of(standardise, model, classes), standardise, model


@pytest.mark.parametrize("classes", [2, 3])
def test_probabilities_are_those_of_scikit_learn(classes):
    own, standardise, model = fitted(classes)
    read = LinearModel.from_arrays(own.arrays(), "logistic.safetensors", 9)
    for x in (table(), table(50, seed=3), table(1, seed=4)):
        np.testing.assert_array_equal(own.predict_proba(x), model.predict_proba(standardise(x)))
        np.testing.assert_array_equal(read.predict_proba(x), own.predict_proba(x))
    assert own.predict_proba(table()[:0]).shape == (0, classes)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"coefficient": lambda a: a[:, 1:]}, "its coefficients are of another table"),
        ({"coefficient": lambda a: a[0]}, "array 'coefficient': got float64"),
        ({"intercept": at(0, np.inf)}, "array 'intercept' is not finite"),
        ({"columns": at(0, 9)}, "a column is out of range"),
        ({"scale": at(0, 0.0)}, "a column is out of range"),
        ({"seen": at(1, 7)}, "its classes do not fit together"),
        ({"low": lambda a: a[1:]}, "the columns' arrays differ in length"),
        ({"mean": lambda a: a[1:]}, "the standardised columns' arrays differ in length"),
        ({"varying": lambda a: a.astype(np.int64)}, "array 'varying': got int64"),
    ],
)
def test_what_is_no_linear_model_is_refused(changed, why):
    arrays = fitted(2)[0].arrays()
    arrays |= {name: change(arrays[name].copy()) for name, change in changed.items()}
    with pytest.raises(InputError, match=rf"l\.safetensors: damaged \({why}"):
        LinearModel.from_arrays(arrays, "l.safetensors", 9)
    del arrays["seen"]
    with pytest.raises(InputError, match="no array 'seen'"):
        LinearModel.from_arrays(arrays, "l.safetensors", 9)
