"""Prediction sets: their coverage by simulation, another package's sets, and what they are not made of."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gdsfd.errors import InputError
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.training.prediction_sets import make_sets
from gdsfd.training.run_record.conformal_scores import scores_of
from tests.cohort_factory import make_cohort


@pytest.fixture(scope="module")
def classes():
    return graph_from_cohort(make_cohort(60, outcomes="multiclass")).schema


def drawn(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels of three classes, the third rare, and a model that is far too sure of itself."""
    label = rng.choice(3, n, p=[0.6, 0.35, 0.05])
    logits = rng.normal(size=(n, 3)) + 1.2 * (label[:, None] == np.arange(3))
    p = np.exp(4 * logits)
    return label, p / p.sum(1, keepdims=True)


def share(value: float, runs: int, n: int) -> float:
    """Half the width of a 99.9 % interval of a mean over runs of shares of n patients, about."""
    return 3.3 * math.sqrt(value * (1 - value) * (1 / n + 1 / 200) / runs)


@pytest.mark.parametrize("alpha", [0.05, 0.2])
def test_sets_cover_as_often_as_was_asked_for(classes, alpha) -> None:
    """Over 300 draws of 200 patients for the limits and 200 new ones: at least 1 - alpha, and not much more."""
    rng = np.random.default_rng(0)
    covered: dict[str, list[float]] = {"lac": [], "by_class": []}
    rare: dict[str, list[float]] = {"lac": [], "by_class": []}
    for _ in range(300):
        label, p = drawn(rng, 400)
        scores = scores_of(label[:200], p[:200], classes)
        new = label[200:]
        for method in covered:
            sets = make_sets(p[200:], [""] * 200, classes, scores, alpha, method, "")
            hit = sets.contains[np.arange(200), new]
            covered[method].append(hit.mean())
            rare[method].append(hit[new == 2].mean() if (new == 2).any() else math.nan)
    room = share(1 - alpha, 300, 200)
    for shares in covered.values():
        assert np.mean(shares) > 1 - alpha - room
    assert np.mean(covered["lac"]) < 1 - alpha + 1 / 201 + room
    assert np.nanmean(rare["by_class"]) > 1 - alpha - share(1 - alpha, 300, 10)
    assert np.nanmean(rare["lac"]) < np.nanmean(rare["by_class"])


@pytest.mark.parametrize("method", ["lac", "by_class"])
def test_another_package_makes_the_same_sets(classes, method) -> None:
    crepes = pytest.importorskip("crepes")
    label, p = drawn(np.random.default_rng(1), 500)
    ours = make_sets(p[300:], [""] * 200, classes, scores_of(label[:300], p[:300], classes), 0.1, method, "").contains
    true = 1 - p[np.arange(300), label[:300]]
    for number in range(3):
        own = crepes.ConformalClassifier().fit(true[label[:300] == number] if method == "by_class" else true)
        theirs = own.predict_set(1 - p[300:, [number]], confidence=0.9, smoothing=False)
        np.testing.assert_array_equal(ours[:, number], np.asarray(theirs)[:, 0].astype(bool))


def test_with_few_patients_every_label_is_in_the_set(classes) -> None:
    label, p = drawn(np.random.default_rng(2), 8)
    sets = make_sets(p, list("abcdefgh"), classes, scores_of(label, p, classes), 0.1, "lac", "here")
    assert sets.contains.all()
    assert set(sets.outcomes[0].limits) == {math.inf}
    frame = sets.to_frame()
    assert frame["id"].tolist() == list("abcdefgh")
    name = sets.outcomes[0].outcome
    assert frame[f"{name}: set"][0] == "|".join(classes.outcomes[0].classes)
    assert "3.00 labels on average; here" in repr(sets)


@pytest.mark.parametrize(
    ("alpha", "method", "message"),
    [
        (0, "lac", "alpha: expected a share"),
        (1.0, "lac", "alpha"),
        (True, "lac", "alpha"),
        (0.1, "lacc", "Did you mean 'lac'"),
    ],
)
def test_wrong_arguments(classes, alpha, method, message) -> None:
    label, p = drawn(np.random.default_rng(2), 8)
    with pytest.raises(InputError, match=message):
        make_sets(p, [""] * 8, classes, scores_of(label, p, classes), alpha, method, "")
    with pytest.raises(InputError, match="no patient with a known"):
        make_sets(p, [""] * 8, classes, scores_of(label * 0 - 1, p, classes), 0.1, "lac", "")
