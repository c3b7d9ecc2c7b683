from __future__ import annotations

import numpy as np
import pytest

from gdsfd.baselines.strata_finder import declared, strata_or_why
from gdsfd.baselines.suspect_facts import SuspectFacts
from gdsfd.errors import InputError
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.latent import choice
from tests.cohort_factory import make_cohort


def test_strata_are_tied_to_what_is_declared():
    told = SuspectFacts(("environment", "group:sex"), np.zeros((3, 2), dtype=np.int64), (1, 1), np.zeros((3, 1)))
    assert declared(told, "x") == ("environment",)
    with pytest.raises(InputError, match="x: fit takes what the declared suspects say, too"):
        declared(None, "x")


def test_too_few_patients_are_no_error_but_a_sentence():
    found, sentence = strata_or_why(graph_from_cohort(make_cohort(60)), 0, ("pattern",), 0, force=True)
    assert found is None
    assert "No strata were looked for" in sentence
    assert "at least 50" in sentence


def test_only_a_practice_counts_unless_forced(monkeypatch):
    class Found:
        class mixture:
            classes = 2

        class evidence:
            adjust, sentence = False, "Two classes."

    monkeypatch.setattr(choice, "find_strata", lambda *_, **__: Found)
    assert strata_or_why(None, 0, (), 0, force=False) == (None, "Two classes.")
    found, sentence = strata_or_why(None, 0, (), 0, force=True)
    assert found is Found
    assert sentence == "Two classes. They are averaged out all the same, as asked."
    monkeypatch.setattr(Found.evidence, "adjust", True)
    assert strata_or_why(None, 0, (), 0, force=False) == (Found, "Two classes.")
