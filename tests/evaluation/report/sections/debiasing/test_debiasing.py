"""The report's account of debiasing: the figures of both networks, and sentences that follow from figures."""

from __future__ import annotations

import json
import math
import re
from copy import copy
from dataclasses import replace

import numpy as np
import pytest

from gdsfd.cohort.schema import CohortSchema, OutcomeFields
from gdsfd.evaluation.config import EvaluationConfig
from gdsfd.evaluation.diagnostics.mask_recovery import MaskRecovery
from gdsfd.evaluation.diagnostics.probes import Probe, Probes, ProbeScore
from gdsfd.evaluation.evaluation import evaluate
from gdsfd.evaluation.metrics.estimate import Estimate
from gdsfd.evaluation.report.sections.debiasing.debiasing import BothNetworks, Debiasing, judge_debiasing
from gdsfd.evaluation.report.sections.debiasing.narrative import debiasing_narrative, target_words
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.training import Debiaser
from tests.cohort_factory import make_cohort

SMALL = {"max_epochs": 3, "members": 1, "channels": 8, "guard_folds": 0, "learning_rate": 5e-3}
SCHEMA = CohortSchema((), (OutcomeFields("died_early", "d", ("no", "yes")),), ("sex",), "site")


@pytest.fixture(scope="module")
def graph():
    return graph_from_cohort(make_cohort(500))


@pytest.fixture(scope="module")
def model(graph):
    return Debiaser("concat", "full", **SMALL).fit(graph, baselines=False)


def judged(model, graph, **options):
    return evaluate(model, graph, baselines=False, resamples=50, progress=False, **options)


def test_figures_are_those_of_the_two_networks(model, graph):
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
        ("strata", {}),
        ("dfd", {}),
        ("full", {"environments": None}),
        ("full", {"outcomes": "multiclass"}),
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
    assert "nan" not in re.sub(r"<[^>]*>", " ", page[page.index("Did debiasing") : page.index("Who has what")])


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


def said(found: Debiasing) -> dict[str, str]:
    return {paragraph.lead: paragraph.text for paragraph in debiasing_narrative(found, SCHEMA, 0.95)}


def both(gain: Estimate) -> BothNetworks:
    figures = {"auroc": Estimate(0.7, 0.6, 0.8), "auprc": Estimate(0.5)}
    return BothNetworks("test", 100, 90, figures, figures, {"auroc": gain, "auprc": gain}, 0.0)


def probe(stream: str, auc: float, target: str = "environment", kind: str = "suspect") -> Probe:
    return Probe(stream, target, kind, 2, 100, ProbeScore(0.8, 0.5, 0.45, 0.55), ProbeScore(auc, 0.5, 0.45, 0.55), 0.7)


@pytest.fixture
def found() -> Debiasing:
    probes = Probes((probe("causal", 0.52), probe("biased", 0.9), probe("reference", 0.8)), "test", 100)
    guard = {"choice": "debiased", "words": "It helps.", "tuning": {}, "evidence": {"pairs": 3}, "failed": False}
    return Debiasing(
        "full", "debiased", guard, True, ("environment",), ("environment",), True, {"died_early": 0.1},
        {"died_early": 0.5}, (both(Estimate(0.1, 0.05, 0.15)),), probes,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("gain", "words"),
    [
        (Estimate(0.02, 0.01, 0.03), "debiasing ranks these patients better"),
        (Estimate(-0.02, -0.03, -0.01), "debiasing ranks these patients worse"),
        (Estimate(0.02, -0.01, 0.05), "no difference is shown"),
        (Estimate(0.02), "without an interval"),
        (Estimate.undefined("no positive patient"), "cannot be compared: no positive patient"),
    ],
)
def test_a_verdict_follows_from_its_interval(found, gain, words):
    text = said(replace(found, both=(both(gain),)))["On the patients of this report"]
    assert words in text


def test_what_is_known_follows_from_the_band_among_the_same_outcome(found):
    text = said(found)["What the models know"]
    assert "Of “site” the causal part shows no more than chance: 0.52 (biased part 0.90, model without" in text
    probes = Probes((probe("causal", 0.62), probe("biased", 0.9)), "test", 100)
    assert (
        "Of “site” the causal part knows something: 0.62" in said(replace(found, probes=probes))["What the models know"]
    )
    probes = Probes((probe("causal", math.nan),), "test", 100)
    assert "too few patients" in said(replace(found, probes=probes))["What the models know"]


def test_suspects_in_shares_and_when_they_tell_nothing(found):
    lead = "How much the distrusted facts tell"
    text = said(found)[lead]
    assert "removes 0.10 nats" in text
    assert "20\xa0% of the 0.50 nats" in text
    text = said(replace(found, tells={"died_early": 0.0}))[lead]
    assert "nothing of died early can be guessed" in text
    assert "If it is the illness" not in text
    assert lead not in said(replace(found, reads_suspects=False))


def test_a_failed_check_has_no_concordance_to_explain(found):
    guard = {**found.guard, "choice": "reference", "evidence": {}, "failed": True, "words": "Debiasing failed."}
    text = said(replace(found, guard=guard, predicts="reference"))["Which model predicts, and why"]
    assert "Debiasing failed." in text
    assert "Concordance" not in text
    assert "by hand" not in text


def test_truth_only_where_it_is_known(found):
    assert not any("truth" in lead for lead in said(found))
    masks = MaskRecovery(0.9, 0.8, 0.5, 0.7, 0.2, None)
    text = next(text for lead, text in said(replace(found, masks=masks)).items() if "truth" in lead)
    assert "90\xa0% of pairs" in text
    assert "70\xa0% of a cause" in text


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("environment", "site"),
        ("groups", "sex"),
        ("group:skin_type", "skin type"),
        ("column:labs.crp.rapid", "crp.rapid (labs)"),
        ("modality:x_ray", "x ray"),
        ("pattern", "pattern of missing modalities"),
    ],
)
def test_names_of_targets(name, words):
    assert target_words(name, SCHEMA) == words
