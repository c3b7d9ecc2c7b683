"""A whole study on a small cohort: files, going on where it stopped, sentences that follow from predictions."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from scipy.stats import kendalltau
from sklearn.metrics import roc_auc_score

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
    "details": False,
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


def figures_by_hand(folder) -> dict[tuple[str, str], float]:
    """(learner, condition) -> AUROC, from the files alone."""
    table = pd.concat([pd.read_parquet(file) for file in sorted((folder / "predictions").iterdir())])
    return {
        (learner, condition): float(roc_auc_score(own["y"], own["p"]))
        for (learner, condition), own in table.groupby(["learner", "condition"])
    }


def test_every_figure_of_the_first_page_is_in_the_predictions(done):
    """One seed and one target, so that a mean is the figure itself; intervals have tests of their own."""
    area = figures_by_hand(done.folder)
    one, two, three = (answer.sentences for answer in done.answers)
    names = list(done.plan.modalities)
    alone = {name: area[f"boosting, only {name}", "natural"] for name in names}
    best = max(alone, key=lambda name: alone[name])
    gain = f"{area['boosting', 'natural'] - alone[best]:+.3f}".replace("0.", ".", 1)
    assert f"all modalities together have {gain} " in one[0]
    assert f"the best single one ({best}, {alone[best]:.3f})" in one[0]
    more = area["concat", "natural"] - area["late:fusion=sum", "natural"]
    assert f"interaction between modalities is worth {more:+.3f}".replace("0.", ".", 1) in one[1]

    whole = {name: area[name, "natural"] for name in ("late:fusion=sum", "concat", "boosting")}
    leader = max(whole, key=lambda name: whole[name])
    assert two[0].startswith(f"{leader} has the highest AUROC ({whole[leader]:.3f})")
    if leader != "concat":
        assert f"{whole[leader] - whole['concat']:+.3f}".replace("0.", ".", 1) in two[0]

    def order(condition: str) -> list[float]:
        return [area[name, condition] for name in whole]

    hidden = max(whole, key=lambda name: area[name, "random 0.5"])
    lost = whole[hidden] - area[hidden, "random 0.5"]
    assert f"{hidden} ranks best ({area[hidden, 'random 0.5']:.3f}, {lost:.3f} less" in three[0]
    assert len(three) == 2
    told = done.answers[2].facts["tau"]
    assert told == pytest.approx(kendalltau(order("natural"), order("random 0.5")).statistic)
    reasons = ["hidden in ill 0.5", "by risk 0.5", *(c for _, c in area if c.startswith("habits of "))]
    least = min(kendalltau(order("random 0.5"), order(each)).statistic for each in reasons)
    assert f"agrees to {least:.2f}" in three[1]
    swing = {name: area[name, "hidden in well 0.5"] - area[name, "hidden in ill 0.5"] for name in whole}
    most = max(swing, key=lambda name: abs(swing[name]))
    assert f"; {most} swings most, from {area[most, 'hidden in ill 0.5']:.3f} " in three[1]
    assert f" to {area[most, 'hidden in well 0.5']:.3f} with them missing" in three[1]
    assert ("absence means" in three[1]) == (abs(swing[most]) > done.plan.margin)
    regret = {
        (name, learner): area[f"boosting, without {name}", "natural"] - area[learner, f"without {name}"]
        for name in names
        for learner in whole
    }
    worst = max(regret, key=lambda key: regret[key])
    assert f"; the absence of {worst[0]} costs {worst[1]} " in three[0]
    assert f"({regret[worst]:+.3f} against boosting retrained without it)" in three[0]
    leakage = done.answers[2].tables["presence_alone"]
    assert leakage["auroc"].iloc[0] == pytest.approx(area["presence alone", "natural"])


def test_the_square_is_of_the_predictions(done):
    table = done.answers[2].tables["trained_under_concat"].set_index("trained under")
    ill, well = "hidden in ill 0.8: labs", "hidden in well 0.8: labs"
    assert list(table.columns) == ["natural", ill, well]
    area = figures_by_hand(done.folder)
    assert table.loc[ill, well] == pytest.approx(area[f"concat, trained under {ill}", well])
    assert table.loc["natural", ill] == pytest.approx(area["concat", ill])
