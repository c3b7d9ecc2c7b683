"""The report's account of debiasing: the figures of both networks, and sentences that follow from figures."""

from __future__ import annotations

import json
import math
import re
from copy import copy

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from gdsfd.evaluation.config import EvaluationConfig
from gdsfd.evaluation.evaluation import evaluate
from gdsfd.evaluation.report.sections.debiasing.debiasing import judge_debiasing
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.graph.loader import rows_of
from gdsfd.training import Debiaser
from tests.cohort_factory import make_cohort
from tests.evaluation.report.sections.debiasing.hand_made import said

SMALL = {"max_epochs": 3, "members": 1, "channels": 8, "guard_folds": 0, "learning_rate": 5e-3}


@pytest.fixture(scope="module")
def graph():
    return graph_from_cohort(make_cohort(500))


@pytest.fixture(scope="module")
def model(graph):
    return Debiaser("concat", "full", **SMALL).fit(graph, baselines=False)


def judged(model, graph, **options):
    return evaluate(model, graph, baselines=False, resamples=50, progress=False, **options)


def test_figures_are_those_of_the_two_networks(graph):
    model = Debiaser("concat", "streams", **SMALL).fit(graph, baselines=False)
    report = judged(model, graph, probes=False)
    found = report.metrics["debiasing"]["splits"]["test"]
    for which in ("reference", "debiased"):
        alone = judged(copy(model).use(which), graph, probes=False).metrics["splits"]["test"]["models"]["model"]
        for figure in ("auroc", "auprc"):
            assert found[which][figure] == pytest.approx(alone["metrics"][figure], nan_ok=True)
    difference = found["difference"]["auroc"]
    assert difference["value"] == pytest.approx(
        found["debiased"]["auroc"]["value"] - found["reference"]["auroc"]["value"]
    )
    assert difference["low"] <= difference["value"] <= difference["high"]


@pytest.mark.parametrize("which", ["reference", "debiased"])
def test_the_users_choice_stays_and_is_said(which, model, graph):
    chosen = copy(model).use(which)
    report = judged(chosen, graph, probes=False)
    assert chosen.choice == which
    assert report.metrics["debiasing"]["predicts"] == which
    assert report.metrics["debiasing"]["forced"] == (which != model.guard.choice)
    assert ("set by hand" in report.html()) == (which != model.guard.choice)


def test_nothing_of_it_without_debiasing(graph):
    report = judged(Debiaser("concat", "none", **SMALL).fit(graph, baselines=False), graph)
    assert "debiasing" not in report.metrics
    assert report.debiasing is None
    assert "Did debiasing help" not in report.html()
    assert judge_debiasing(object(), graph, ["test"], EvaluationConfig(resamples=0)) is None


def test_the_page_and_the_file(model, graph, tmp_path):
    report = judged(model, graph)
    page = report.save(tmp_path / "report") / "report.html"
    text = re.sub(r"<[^>]*>|\s+", " ", page.read_text(encoding="utf-8"))
    for words in ("Did debiasing help?", model.guard.explanation, "Both models on the same patients", "causal part"):
        assert re.sub(r"\s+", " ", words) in re.sub(r"\s+", " ", text)
    stored = json.loads((tmp_path / "report" / "metrics.json").read_text())["debiasing"]
    assert stored["guard"]["words"] == model.guard.explanation
    assert stored["suspects"]["declared"] == ["pattern", "environment"]
    assert stored["suspects"]["tell_nats"] == dict(
        zip([one.name for one in graph.schema.outcomes], model.training["suspects_tell"])
    )
    assert {one["stream"] for one in stored["probes"]["probes"]} == {"causal", "biased", "reference"}
    y = graph["patient"].y[:, 0].numpy()[np.asarray(graph["patient"].split) == "train"]
    share = np.nanmean(y)
    (nats,) = stored["suspects"]["outcome_nats"].values()
    assert nats == pytest.approx(-(share * math.log(share) + (1 - share) * math.log(1 - share)))


@pytest.mark.parametrize(
    ("debias", "cohort"),
    [
        pytest.param("strata", {}, marks=pytest.mark.slow),
        pytest.param("dfd", {}, marks=pytest.mark.slow),
        ("streams", {}),
        ("full", {"environments": None}),
        pytest.param("full", {"outcomes": "multiclass"}, marks=pytest.mark.slow),
        ("full", {"outcomes": "multilabel"}),
    ],
)
def test_every_mode_and_outcome(debias, cohort):
    graph = graph_from_cohort(make_cohort(400, **cohort))
    graph["patient"].groups = {}
    model = Debiaser("concat", debias, **SMALL).fit(graph, baselines=False)
    report = judged(model, graph)
    page = report.html()
    assert "Did debiasing help?" in page
    streams = {one.stream for one in report.debiasing.probes.probes}
    assert streams == ({"debiased", "reference"} if debias == "strata" else {"causal", "biased", "reference"})
    assert ("biased part" in page) == (debias != "strata")
    assert ("was not told what may be a shortcut" in page) == (debias == "dfd")
    assert ("shortcuts may still reach them" in page) == (debias == "dfd")
    assert "nan" not in re.sub(
        r"<[^>]*>", " ", page[page.index("Did debiasing") : page.index("The cohort: what was read")]
    )


def test_what_practice_adds_is_that_of_the_two_streams(model, graph):
    found = judge_debiasing(model, graph, ["test"], EvaluationConfig(resamples=20), probes=False)
    (one,) = found.both
    said_by, y = model.log_odds(graph, split="test"), graph["patient"].y[rows_of(graph, "test"), 0].numpy()
    known = ~np.isnan(y)
    assert one.practice == pytest.approx(np.abs(said_by["biased"]).mean())
    area = roc_auc_score(y[known], (said_by["causal"] + said_by["biased"])[known, 0])
    assert one.together.value == pytest.approx(area, abs=1e-9)
    text = said(found)
    assert f"with it added, AUROC is {area:.3f}" in text["On the patients of this report"]
    assert "trained afterwards on what the prediction leaves" in " ".join(text.values())
    without = judge_debiasing(
        Debiaser("concat", "streams", **SMALL).fit(graph, baselines=False), graph, ["test"],
        EvaluationConfig(resamples=20), probes=False,
    )  # fmt: skip
    assert without.both[0].practice is without.both[0].together is None
    assert "It writes two summaries of each patient" in " ".join(said(without).values())


def test_a_split_of_new_sites_is_the_one_that_counts(model, graph):
    moved = copy(graph)
    split = np.asarray(graph["patient"].split, dtype=object)
    environment = np.asarray(graph["patient"].environment, dtype=object).astype(str)
    environment[split == "test"] = "elsewhere"
    moved["patient"].environment = environment.tolist()
    found = judge_debiasing(model, moved, ["test", "tuning"], EvaluationConfig(resamples=20), probes=False)
    assert [one.new_environments for one in found.both] == [1.0, 0.0]
    text = said(found)["On the patients of this report"]
    assert "No patient of “test” comes from a site in training" in text
    assert "(here “tuning”)" in text


# Sentences from figures that are given.
