"""Which strata are used: by the evidence, by force, and not at all; and what is stored of it."""

from __future__ import annotations

import json

import numpy as np
import pytest

from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.latent import choice
from gdsfd.latent.choice import choose_strata
from gdsfd.latent.found_strata import find_strata
from tests.cohort_factory import make_cohort

DECLARED = ("pattern", "environment")


@pytest.fixture(scope="module")
def graph():
    return graph_from_cohort(make_cohort(300))


def test_classes_that_are_tied_to_nothing_are_used_by_force_only(graph):
    left, forced = (choose_strata(graph, 0, DECLARED, 0, force) for force in (False, True))
    assert (left.used, forced.used) == (False, True)
    assert left.found.evidence == forced.found.evidence
    assert forced.sentence == f"{left.sentence} They are averaged out all the same, as asked."


def test_of_one_class_force_makes_two(graph, monkeypatch):
    monkeypatch.setattr(
        choice, "find_strata", lambda *given, **options: find_strata(*given, **{"classes": 1, **options})
    )
    left, forced = (choose_strata(graph, 0, DECLARED, 0, force) for force in (False, True))
    assert (left.found.mixture.classes, left.used) == (1, False)
    assert left.sentence.startswith("No latent confounder was found")
    assert (forced.found.mixture.classes, forced.used) == (2, True)


def test_what_is_stored_is_the_evidence(graph):
    made = choose_strata(graph, 0, DECLARED, 0)
    stored, evidence = json.loads(json.dumps(made.to_dict())), made.found.evidence
    for name in ("verdict", "classes", "ties", "overlap", "log_odds", "outcome_p", "outcome_inside_p", "sentence"):
        assert stored[name] == getattr(evidence, name)
    np.testing.assert_allclose(stored["share_by_outcome"], made.found.mixture.share)
    assert stored["masses"] == pytest.approx(made.found.mixture.marginal)
    assert stored["patients"] == len(made.found.rows)
    assert len(stored["held_out_gain"]) == len(stored["held_out_error"]) >= 1
