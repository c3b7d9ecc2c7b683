"""Facts of patients against loops over them."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from gdsfd.cohort.patient_facts import PatientFacts, facts_of_cohort, presence_matrix
from gdsfd.cohort.schema import OutcomeFields
from tests.cohort_factory import make_cohort

NAN = float("nan")
DIED, HOME = OutcomeFields("died", "d", ("no", "yes")), OutcomeFields("home", "h", ("no", "yes"))
STAGE = OutcomeFields("stage", "s", ("CN", "MCI", "AD"), multiclass=True)


def facts(y: Any, *outcomes: OutcomeFields, **fields: Any) -> PatientFacts:
    count = len(y)
    given = {"modalities": (), "presence": np.zeros((count, 0), bool), "subject": [str(k) for k in range(count)]}
    given |= {"split": ["train"] * count, "environment": None}
    return PatientFacts(**{**given, **fields}, y=np.array(y), outcomes=outcomes)


def test_the_presence_matrix_has_a_column_per_modality() -> None:
    matrix = presence_matrix([np.array([0, 2]), np.array([], np.int64), np.array([2])], 3)
    assert matrix.tolist() == [[True, False, False], [False] * 3, [True, False, True]]
    assert presence_matrix([], 4).shape == (4, 0)


def test_usual_splits_come_first_and_others_by_name() -> None:
    split = ["test", "zoo", "tuning", "new", "test", "train"]
    found = facts([[NAN]] * 6, DIED, split=split).splits
    assert list(found) == ["train", "tuning", "test", "new", "zoo"]
    for name, members in found.items():
        assert members.tolist() == [each == name for each in split]


def test_environments_by_size_then_by_name() -> None:
    places = ["b", "a", "c", "c", "b", "d"]
    found = facts([[NAN]] * 6, DIED, environment=places).environments
    assert list(found) == ["b", "c", "a", "d"]
    assert found["c"].tolist() == [place == "c" for place in places]
    assert facts([[NAN]], DIED).environments == {}


def test_classes_and_rates_of_several_outcomes_leave_the_unlabelled_out() -> None:
    found = facts([[1.0, NAN], [0.0, 0.0], [NAN, NAN], [1.0, 1.0]], DIED, HOME)
    assert [(name, label, members.tolist(), labelled.tolist()) for name, label, members, labelled in found.classes] == [
        ("died", "no", [False, True, False, False], [True, True, False, True]),
        ("died", "yes", [True, False, False, True], [True, True, False, True]),
        ("home", "no", [False, True, False, False], [False, True, False, True]),
        ("home", "yes", [False, False, False, True], [False, True, False, True]),
    ]
    assert found.labelled.tolist() == [True, True, False, True]
    assert found.rates() == {"died": 2 / 3, "home": 1 / 2}
    assert found.rates(np.array([True, False, True, False])) == {"died": 1.0, "home": None}


def test_each_class_of_a_multiclass_outcome_has_a_rate() -> None:
    found = facts([2, 0, -1, 2, 1], STAGE)
    assert found.rates() == {"CN": 1 / 4, "MCI": 1 / 4, "AD": 2 / 4}
    assert found.labelled.tolist() == [True, True, False, True, True]


def test_nobody_is_labelled_without_outcomes() -> None:
    assert facts(np.zeros((3, 0))).labelled.tolist() == [False] * 3


@pytest.mark.parametrize("width", [0, 1, 7, 8, 9, 17])
def test_patterns_are_the_distinct_rows_the_most_frequent_first(width: int) -> None:
    presence = np.random.default_rng(width).random((60, width)) < 0.8
    flags, pattern = facts(np.zeros((60, 1)), DIED, presence=presence).patterns
    np.testing.assert_array_equal(flags[pattern], presence)
    counts = Counter(map(tuple, presence.tolist()))
    assert [counts[tuple(row)] for row in flags.tolist()] == sorted(counts.values(), reverse=True)
    ties = [(-counts[tuple(row)], sum(row)) for row in flags.tolist()]
    assert ties == sorted(ties)  # of equally frequent ones that with fewer modalities


def test_many_modalities_fit_the_packed_pattern() -> None:
    found = facts_of_cohort(make_cohort(50))
    found.presence = np.random.default_rng(0).random((50, 19)) < 0.5
    flags, pattern = found.patterns
    np.testing.assert_array_equal(flags[pattern], found.presence)


def test_the_facts_of_a_cohort_are_its_own() -> None:
    cohort = make_cohort(30)
    found = facts_of_cohort(cohort)
    for column, name in enumerate(cohort.schema.names):
        assert np.flatnonzero(found.presence[:, column]).tolist() == cohort.observations[name].patient.tolist()
    assert (found.subject, found.split, found.environment) == (cohort.subject, cohort.split, cohort.environment)
