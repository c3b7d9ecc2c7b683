"""A whole study on a small cohort: files, going on where it stopped, sentences that follow from predictions."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from gdsfd.errors import InputError
from gdsfd.fusion_study import fitting as module
from gdsfd.fusion_study.study import answer_study, study
from gdsfd.graph.from_cohort import graph_from_cohort
from tests.cohort_factory import make_cohort

SETTINGS = {"members": 1, "channels": 8, "max_epochs": 1}
ASKED = {
    "learners": ["late:fusion=sum", "concat", "boosting"],
    "seeds": 1,
    "questions": (1, 2, 3),
    "train_conditions": ["hidden in ill 0.8: labs"],
    "retrain": ["concat"],
    **SETTINGS,
}


@pytest.fixture(scope="module")
def graph():
    return graph_from_cohort(make_cohort(150))


@pytest.fixture(scope="module")
def done(graph, tmp_path_factory):
    return study(graph, tmp_path_factory.mktemp("study") / "out", **ASKED)


def test_everything_is_on_disk(done, graph):
    stored = json.loads((done.folder / "plan.json").read_text())
    assert stored["hash"] == done.plan.hash
    told = json.loads((done.folder / "answers.json").read_text())
    assert told["plan"] == done.plan.hash
    assert [each["question"] for each in told["answers"]] == [each.question for each in done.answers]
    assert done.page.is_file()
    assert len(list((done.folder / "predictions").iterdir())) == len(done.plan.fits)
    table = pd.read_csv(done.folder / "tables" / "2_learners.csv")
    assert set(table["learner"]) == {"late:fusion=sum", "concat", "boosting"}


def test_answers_are_worked_out_from_the_predictions(done):
    before = (done.folder / "answers.json").read_text()
    assert [each.sentences for each in answer_study(done.folder, done.plan).answers] == [
        each.sentences for each in done.answers
    ]
    assert (done.folder / "answers.json").read_text() == before


def test_a_killed_study_goes_on_to_the_same_answers(done, graph, tmp_path, monkeypatch):
    fitted = []
    fit = module.fit_contender

    def killed(part, contender, *rest):
        if len(fitted) == 3:
            raise KeyboardInterrupt
        fitted.append(contender.name)
        return fit(part, contender, *rest)

    monkeypatch.setattr(module, "fit_contender", killed)
    with pytest.raises(KeyboardInterrupt):
        study(graph, tmp_path / "out", **ASKED)
    monkeypatch.setattr(
        module, "fit_contender", lambda part, each, *rest: fitted.append(each.name) or fit(part, each, *rest)
    )
    again = study(graph, tmp_path / "out", **ASKED)
    assert sorted(fitted) == sorted(each.name for each in done.plan.fits)  # none twice
    assert (again.folder / "answers.json").read_text() == (done.folder / "answers.json").read_text()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"seeds": 2}, "holds a study with another plan"),
        ({"questions": (7,)}, "expected questions of 1, 2, 3, 4"),
        ({"learners": ["mus"]}, "unknown learner 'mus'"),
        ({"groups": ["hair"]}, "no group 'hair' in the graph"),
        ({"seeds": []}, "expected different seeds"),
        ({"max_epochs": 0}, "max_epochs"),
        ({"jobs": 0}, "expected at least 1, got 0"),
        ({"conditions": ["hidden in ill 0.8: lab"]}, "there is no 'lab'. Did you mean 'labs'"),
        ({"retrain": ["muse"]}, "'muse' cannot be trained again"),
        ({"questions": (2,)}, "belong to question 3"),
        ({"folds": 1}, "at least 2 folds"),
    ],
)
def test_what_is_wrong_is_refused(done, graph, changed, message):
    with pytest.raises(InputError, match=message):
        study(graph, done.folder, **{**ASKED, **changed})


def test_another_folder_is_left_alone(graph, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="holds something other than a study"):
        study(graph, tmp_path, **ASKED)
    assert [each.name for each in tmp_path.iterdir()] == ["mine.txt"]
