"""Presence that gives the answer away is told in both directions; chance and rare outcomes are not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import fisher_exact

from gdsfd.cohort.checks.leakage import find_leaks
from gdsfd.cohort.checks.told_presence import telling
from gdsfd.cohort.cohort import CodeObservations, Cohort, EmbeddingObservations
from gdsfd.cohort.receipt.receipt import Finding
from tests.cohort_factory import make_cohort


def told(cohort: Cohort) -> dict[str, Finding]:
    return {
        finding.where: finding
        for finding in find_leaks(cohort)
        if finding.kind == "presence" and "whether it is there at all" in finding.text
    }


@pytest.mark.parametrize(
    ("own", "others", "positives", "negatives", "expected"),
    [
        (378, 0, 539, 573, True),  # a test done in cases only
        (0, 400, 539, 573, True),  # and in controls only
        (539, 195, 539, 573, True),  # all who lack it are controls
        (161, 573, 539, 573, True),  # all who lack it are cases
        (378, 8, 539, 573, True),  # all but a few
        (450, 100, 539, 573, True),  # both sides, AUROC .83
        (300, 250, 539, 573, False),
        (378, 60, 539, 573, False),  # informative, as clinical presence is
        (12, 0, 539, 573, False),  # too few
        (19, 0, 539, 573, False),
        (5, 0, 10, 10, False),
        (10, 0, 10, 10, False),  # too few to tell from chance, and to matter
        (0, 100, 20, 980, False),  # a rare outcome: nobody among 100 is chance
        (0, 400, 100, 900, False),  # one class is that common overall
        (60, 0, 100, 900, True),
    ],
)
def test_the_rule(own: int, others: int, positives: int, negatives: int, expected: bool) -> None:
    assert telling(np.array([own]), np.array([others]), positives, negatives).tolist() == [expected]
    # the other class against the rest is the same question
    assert telling(np.array([others]), np.array([own]), negatives, positives).tolist() == [expected]


def test_what_is_told_is_beyond_chance_by_fishers_test() -> None:
    rng = np.random.default_rng(0)
    positives, negatives = 60, 90
    own, others = rng.integers(0, positives + 1, 300), rng.integers(0, negatives + 1, 300)
    for a, b, said in zip(own, others, telling(own, others, positives, negatives)):
        table = [[a, b], [positives - a, negatives - b]]
        if said:
            assert fisher_exact(table).pvalue < 1e-5
            assert min(a + b, 150 - a - b) >= 20 or min(min(table[0]), min(table[1])) == 0


def test_nothing_is_told_of_chance() -> None:
    rng = np.random.default_rng(1)
    for rate in (0.02, 0.3, 0.5):
        label = rng.random(1000) < rate
        has = rng.random((5000, 1000)) < rng.random((5000, 1))
        own, others = has[:, label].sum(1), has[:, ~label].sum(1)
        assert not telling(own, others, int(label.sum()), int((~label).sum())).any()


@pytest.fixture
def cohort() -> Cohort:
    return make_cohort(600, unlabelled=0.0)


def test_an_honest_cohort(cohort: Cohort) -> None:
    assert told(cohort) == {}


@pytest.mark.parametrize("who", [0, 1])
def test_a_modality_of_one_class(cohort: Cohort, who: int) -> None:
    those = np.flatnonzero(cohort.y[:, 0] == who)[::2]
    cohort.observations["note"] = EmbeddingObservations(those, np.zeros((len(those), 4), np.float32))
    finding = told(cohort)["note"]
    train = np.asarray(cohort.split) == "train"
    counts = [int((train & (cohort.y[:, 0] == label)).sum()) for label in (1, 0)]
    having = int(train[those].sum())
    own, others = (having, 0) if who == 1 else (0, having)
    assert f"{own:,} of the {counts[0]:,} training patients with it have note, and {others:,} of the" in finding.text
    assert finding.value == pytest.approx((1 + own / counts[0] - others / counts[1]) / 2)


def test_a_column_an_item_and_a_code_of_one_class(cohort: Cohort) -> None:
    chart, labs = cohort.observations["chart"], cohort.observations["labs"]
    died = cohort.y[:, 0] == 1
    chart.numeric[~died[chart.patient], 1] = np.nan
    owner = np.repeat(labs.patient, np.diff(labs.summary_ptr))
    labs.summary_item[(labs.summary_item == 1) & ~died[owner]] = 0
    those = np.flatnonzero(died)[::2]
    code = np.full(len(those), 4, np.int32)
    cohort.observations["diagnosis"] = CodeObservations(those, np.arange(len(those) + 1), code)
    assert {"chart.pressure", "labs.lactate", "diagnosis"} <= set(told(cohort))


def test_only_training_patients_count(cohort: Cohort) -> None:
    elsewhere = np.flatnonzero((np.asarray(cohort.split) != "train") & (cohort.y[:, 0] == 1))
    cohort.observations["note"] = EmbeddingObservations(elsewhere, np.zeros((len(elsewhere), 4), np.float32))
    assert "note" not in told(cohort)
