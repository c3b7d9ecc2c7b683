"""What is left to fit: here or in processes, with an estimate of the time, on so many patients."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from gdsfd.fusion_study.contenders import read_contender
from gdsfd.fusion_study.fitting import limited, seconds_left
from gdsfd.fusion_study.study import study
from gdsfd.graph.from_cohort import graph_from_cohort
from tests.cohort_factory import make_cohort


@pytest.fixture(scope="module")
def graph():
    return graph_from_cohort(make_cohort(200))


def test_so_many_patients_take_part_by_whole_subjects(graph):
    small = limited(graph, 80, 0)
    names = np.array(small["patient"].split)
    kept = names != "left out"
    assert 60 <= kept.sum() <= 80
    subjects = np.array(graph["patient"].subject)
    assert not set(subjects[kept]) & set(subjects[~kept])
    assert (names[kept] == np.array(graph["patient"].split)[kept]).all()
    assert limited(graph, None, 0) is graph


def test_what_is_left_takes_what_its_like_took():
    facts = [
        {"learner": "muse", "seconds": 8.0, "seconds_with_predictions": 10.0, "parameters": 5},
        {"learner": "muse", "seconds": 8.0, "seconds_with_predictions": 14.0, "parameters": 5},
        {"learner": "concat", "seconds": 3.0, "parameters": 5},
        {"learner": "boosting", "seconds": 2.0, "parameters": None},
    ]
    boosting, muse, mmtm = (read_contender(name) for name in ("boosting", "muse", "mmtm"))
    assert seconds_left([muse, boosting, boosting], facts) == 12 + 2 + 2
    assert seconds_left([mmtm], facts) == (10 + 14 + 3) / 3
    assert math.isnan(seconds_left([mmtm], facts[3:]))


def test_processes_come_to_the_same_answers_with_environments_left_out(tmp_path, monkeypatch):
    graph = graph_from_cohort(make_cohort(120, environments=2))
    asked = {"learners": ["logistic"], "seeds": 1, "questions": (2,), "leave_out_environments": True}
    asked |= {"members": 1, "channels": 8, "max_epochs": 1}
    told: list[str] = []
    one = study(graph, tmp_path / "one", on_fit=told.append, **asked)
    wanted = []
    monkeypatch.setattr("gdsfd.fusion_study.study.jobs_that_suit", lambda *given: wanted.append(given) or 2)
    two = study(graph, tmp_path / "two", jobs=None, **asked)
    assert [given[1] for given in wanted] == [list(graph["patient"].split).count("train")]
    assert (one.folder / "answers.json").read_text() == (two.folder / "answers.json").read_text()
    fits = [json.loads(line) for line in (one.folder / "fits.jsonl").read_text().splitlines()]
    left_out = [each for each in fits if each["holdout"] is not None]
    assert {each["learner"] for each in left_out} == {"logistic", "concat", "boosting"}
    places = len({each["holdout"] for each in left_out})
    assert len(fits) == len(one.plan.fits) + 3 * places
    fitted = [words for words in told if words.startswith("fit ")]
    assert len(fitted) == len(fits)
    assert "boosting" in fitted[0]
    assert "concat" in fitted[2]
    assert all(words.endswith(" left") for words in fitted[3:])
    table = one.answers[0].tables["environments_left_out"]
    assert set(table["environment"]) == {each["holdout"] for each in left_out}
