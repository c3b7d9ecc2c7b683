"""The plain-language summary follows its figures: wins, losses and draws are called what they are."""

from __future__ import annotations

import numpy as np
import pytest

from gdsfd.evaluation.evaluation import evaluate
from gdsfd.evaluation.population import JudgedPopulation
from gdsfd.evaluation.report.sections.summary.narrative import plain_summary
from gdsfd.graph.from_cohort import graph_from_cohort
from tests.cohort_factory import make_cohort
from tests.evaluation.scores import Fixed


@pytest.fixture(scope="module")
def graph():
    return graph_from_cohort(make_cohort(1500, unlabelled=0.1))


def scores(graph, seed, noise, shift=0.0, stretch=1.0):
    """Calibrated probabilities with more or less noise, then shifted or stretched on the log-odds scale."""
    rng = np.random.default_rng(seed)
    y = graph["patient"].y.numpy()[:, 0]
    share = np.nanmean(y)
    y = np.nan_to_num(y)
    evidence = y + noise * rng.normal(size=len(y))
    logit = np.log(share / (1 - share)) + (evidence - 0.5) / noise**2
    p = 1 / (1 + np.exp(-(stretch * logit + shift)))
    return Fixed(graph, np.column_stack([1 - p, p]))


def words(graph, model, split="test", **baselines):
    report = evaluate(model, graph, split, baselines=baselines, resamples=200, progress=False)
    return {one.lead: one.text for one in plain_summary(report.results, report.labels, report.schema, report.rules)}


def test_a_win_a_loss_and_a_draw(graph):
    good, bad = scores(graph, 0, 0.5), scores(graph, 1, 3.0)
    assert "it is better than boosting by" in words(graph, good, boosting=bad)["Against simpler models"]
    assert "reason to prefer" not in words(graph, good, boosting=bad)["Against simpler models"]
    assert "it is worse than boosting by" in words(graph, bad, boosting=good)["Against simpler models"]
    draw = words(graph, scores(graph, 2, 1.0), boosting=scores(graph, 3, 1.0))["Against simpler models"]
    assert "not shown to rank better than boosting" in draw
    assert "give no reason to prefer it to boosting" in draw


def test_chance_is_called_chance(graph):
    text = words(graph, scores(graph, 0, 50.0))["How well it ranks patients"]
    assert "better than chance is not shown" in text


@pytest.mark.parametrize(
    ("options", "said", "unsaid"),
    [
        ({}, "can tell, yes", "too"),
        ({"shift": 0.4}, "Risks are too high overall", "too low"),
        ({"shift": -0.4}, "Risks are too low overall", "too high"),
        ({"stretch": 1.6}, "They are too extreme", "too cautious"),
        ({"stretch": 0.6}, "They are too cautious", "too extreme"),
    ],
)
def test_calibration(graph, options, said, unsaid):
    text = words(graph, scores(graph, 4, 1.0, **options))["Whether its risks can be taken at face value"]
    assert said in text
    assert unsaid not in text
    assert ("Not quite" in text) == bool(options)
    assert "Recalibrate them" not in text


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"shift": 2.5}, "Risks are much too high"),
        ({"shift": -2.5}, "Risks are much too low"),
        ({"stretch": 2.5}, "They are too extreme"),
    ],
)
def test_risks_that_are_far_off_are_called_so(graph, options, said):
    text = words(graph, scores(graph, 4, 1.0, **options))["Whether its risks can be taken at face value"]
    assert text.startswith("No: predicted and observed risks differ by ")
    assert said in text
    assert "Recalibrate them on patients of this kind" in text
    assert "Not quite" not in text


def told(graph, model, population):
    report = evaluate(model, graph, "test", baselines={}, resamples=200, progress=False)
    paragraphs = plain_summary(report.results, report.labels, report.schema, report.rules, population)
    return {one.lead: one.text for one in paragraphs}


@pytest.mark.parametrize("kind", ["new", "held out"])
def test_an_outcome_that_is_read_the_other_way_round(graph, kind):
    right = scores(graph, 4, 1.0)
    model = Fixed(graph, np.array([right.rows[name][::-1] for name in graph["patient"].id]))
    text = told(graph, model, JudgedPopulation("test", kind, 300, 300, (), 1500))
    ranking, risks = text["How well it ranks patients"], text["Whether its risks can be taken at face value"]
    assert "That is worse than a coin: what it learned points the wrong way here." in ranking
    outcome = graph.schema.outcomes[0]
    asked = f"mean here what they meant in training ({outcome.column} = {outcome.classes[-1]} counts as "
    assert (asked in ranking) == (kind == "new")
    assert "The higher the risk, the fewer have the outcome (slope −" in risks
    assert "too extreme" not in risks
    assert "Recalibrate them" not in risks


def test_who_and_how_many(graph):
    patient = graph["patient"]
    y = patient.y.numpy()[:, 0]
    test = np.array([split == "test" for split in patient.split])
    text = words(graph, scores(graph, 0, 1.0))["What was predicted, and for whom"]
    assert f"the {test.sum()} patients ({len(set(np.array(patient.subject)[test]))} persons)" in text
    assert f"{int((y[test] == 1).sum())} of {np.isfinite(y[test]).sum()} had the outcome" in text
    assert f"{np.isnan(y[test]).sum()} patients without a known outcome are left out" in text


def test_a_clear_drop_on_another_set_is_said(graph):
    model = scores(graph, 0, 0.6)
    rng = np.random.default_rng(1)
    for patient, split in zip(graph["patient"].id, graph["patient"].split):
        if split == "train":
            p = rng.random()
            model.rows[patient] = np.array([1 - p, p])
    text = words(graph, model, ["test", "train", "tuning"])["On the other evaluation sets"]
    assert "clearly lower than on “test”" in text
    assert "the intervals of the two sets overlap" in text


def test_few_events_are_warned_of():
    small = graph_from_cohort(make_cohort(200))
    assert "The rarer answer was seen in" in words(small, scores(small, 0, 1.0))["What may not be concluded"]
