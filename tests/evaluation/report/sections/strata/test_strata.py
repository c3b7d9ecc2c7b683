"""The report's account of strata against slow counts, for every kind of strata and outcome."""

from __future__ import annotations

import json
import math
import re
from copy import copy

import numpy as np
import pytest
import torch

from gdsfd.evaluation.config import EvaluationConfig
from gdsfd.evaluation.evaluation import evaluate
from gdsfd.evaluation.report.sections.strata.narrative import strata_narrative
from gdsfd.evaluation.report.sections.strata.predictions import assign_strata, member_groups, predict_strata
from gdsfd.evaluation.report.sections.strata.strata import judge_strata
from gdsfd.evaluation.subgroups.slices import pattern_description
from gdsfd.evaluation.targets import labels_of
from gdsfd.graph.availability import presence_of
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.nn.losses import probabilities
from gdsfd.nn.streams.config import PRESETS
from gdsfd.training import Debiaser
from tests.cohort_factory import make_cohort

SMALL = {"max_epochs": 4, "members": 1, "channels": 8, "guard_folds": 0, "learning_rate": 5e-3}
RULES = EvaluationConfig(resamples=30, min_patients=10)


def fitted(graph, members=1, debias="prototypes", **prototypes):
    settings = {**PRESETS[debias].to_dict(), "prototypes": {"least": 15, **prototypes}}
    return Debiaser("concat", settings, **{**SMALL, "members": members}).fit(graph, baselines=False)


def rows_of(graph, split):
    return torch.from_numpy(np.flatnonzero(np.asarray(graph["patient"].split) == split))


@pytest.fixture(scope="module")
def graph():
    return graph_from_cohort(make_cohort(500))


@pytest.fixture(scope="module")
def model(graph):
    return fitted(graph)


@pytest.fixture(scope="module")
def found(model, graph):
    return judge_strata(model, graph, ["test", "tuning"], RULES)


def test_strata_are_counted_among_training_patients(model, graph, found):
    rows = rows_of(graph, "train").numpy()
    (head,) = [member.deconfounder for member in model.networks["debiased"].members]
    number = head.groups(torch.from_numpy(presence_of(graph).numpy()[rows]), None).numpy()
    (table,) = found.tables
    assert sum(one.patients for one in table.strata) == len(rows) == found.train
    assert math.fsum(one.mass for one in table.strata) == pytest.approx(1)
    places, y = np.asarray(graph["patient"].environment, dtype=object)[rows].astype(str), labels_of(graph, rows)[:, 0]
    assert len(table.strata) == head.prototypes.num_strata > 2
    for at, one in enumerate(table.strata):
        inside = number == at  # strata of patterns alone are groups
        pattern = head.groups.patterns.kept[at].numpy()
        assert one.name == pattern_description(pattern.tolist(), graph.schema.names)
        assert one.patients == inside.sum()
        assert one.exact == pytest.approx((presence_of(graph).numpy()[rows[inside]] == pattern).all(1).mean())
        assert one.outcome["mortality"] == pytest.approx(np.nanmean(y[inside]))
        for place, share in one.environments.items():
            assert share == pytest.approx((places[inside] == place).mean())
        assert sum(one.environments.values()) == pytest.approx(1)
        assert list(one.environments.values()) == sorted(one.environments.values(), reverse=True)


def test_intervened_is_what_the_model_predicts_and_observed_the_head_at_the_own_centre(model, graph):
    rows, network = rows_of(graph, "test"), model.networks["debiased"]
    groups = member_groups(network, graph, rows_of(graph, "train"))
    part = predict_strata(network, graph, rows, groups)
    predicted = copy(model).use("debiased").predict_proba(graph, split="test")
    np.testing.assert_allclose(part.intervened[:, 0], predicted[:, 1], atol=1e-6)
    (member,), (stratum,) = network.members, part.stratum
    np.testing.assert_array_equal(stratum, assign_strata(network, graph, rows, groups)[0])
    code = torch.from_numpy(model.embed(graph, split="test")["causal"])
    center, mass = member.deconfounder.centers
    with torch.no_grad():
        own = member.deconfounder.fusion.own(code, center[torch.from_numpy(stratum)])
        under = torch.stack([member.deconfounder.fusion.own(code, each.expand(len(code), -1)) for each in center], 1)
    np.testing.assert_allclose(part.observed, probabilities(own, False)[:, 1:].numpy(), atol=1e-6)
    np.testing.assert_allclose(part.under[0], under.sigmoid().mean(0).numpy(), atol=1e-6)
    mean = (mass[:, None] * under).sum(1, keepdim=True)
    spread = (mass[:, None] * (under - mean).square()).sum(1).sqrt()
    np.testing.assert_allclose(part.spread, spread.numpy(), atol=1e-5)


def test_what_moves_on_a_split(model, graph, found):
    rows = rows_of(graph, "test")
    part = predict_strata(
        model.networks["debiased"],
        graph,
        rows,
        member_groups(model.networks["debiased"], graph, rows_of(graph, "train")),
    )
    one, change = found.splits[0], (part.intervened - part.observed)[:, 0]
    (moved,) = one.movements
    assert one.patients == len(rows) == moved.everyone.patients
    assert moved.everyone.mean == pytest.approx(change.mean())
    for at, here in enumerate(one.tables[0]):
        own = part.stratum[0] == at
        assert here.patients == own.sum()
        assert here.moved["mortality"] == pytest.approx(change[own].mean() if own.any() else math.nan, nan_ok=True)
        assert here.predicted["mortality"] == pytest.approx(part.under[0][at, 0])


def test_the_page_and_the_file(model, graph, tmp_path):
    report = evaluate(
        copy(model).use("debiased"),
        graph,
        split=["test", "tuning"],
        baselines=False,
        resamples=30,
        probes=False,
        progress=False,
    )
    page = (report.save(tmp_path / "report") / "report.html").read_text(encoding="utf-8")
    section = page[page.index("What predictions are averaged over") : page.index("The cohort: what was read")]
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", section))
    for words in (
        "The strata",
        "How far predictions move",
        "Split by split",
        "without scan",
        "site 0",
        "Averaging takes",
    ):
        assert words in text
    assert "nan" not in text
    assert "which averages over nothing" not in text
    stored = json.loads((tmp_path / "report" / "metrics.json").read_text())["strata"]
    assert stored["settings"]["strata"] == ["pattern"]
    assert set(stored["splits"]) == {"test", "tuning"}
    (table,) = stored["tables"]
    assert sum(one["splits"]["test"]["patients"] for one in table["strata"]) == stored["splits"]["test"]["patients"]
    assert stored["splits"]["test"]["targets"]["mortality"]["crowds"]
    other = evaluate(copy(model).use("reference"), graph, baselines=False, resamples=0, probes=False, progress=False)
    assert "which averages over nothing" in other.html()


@pytest.mark.parametrize(
    ("cohort", "prototypes"),
    [
        ({}, {"strata": ("pattern", "environment", "cluster")}),
        ({}, {"strata": ("environment",)}),
        ({}, {"strata": ("cluster",), "clusters": 3}),
        ({"environments": None}, {"strata": ("pattern", "environment")}),
        ({}, {"placebo": "shuffled"}),
        ({}, {"fit": "backdoor", "estimator": "sampled", "draws": 2}),
        ({}, {"fit": "backdoor"}),
        ({"outcomes": "multiclass"}, {}),
        ({"outcomes": "multilabel"}, {}),
    ],
)
def test_every_kind_of_strata_and_outcome(cohort, prototypes):
    graph = graph_from_cohort(make_cohort(300, **cohort))
    model = fitted(graph, members=2, **prototypes)
    report = evaluate(model, graph, baselines=False, resamples=20, min_patients=5, probes=False, progress=False)
    found = report.strata
    assert found.fitted
    for table in found.tables:
        assert sum(one.patients for one in table.strata) == found.train
        assert len({one.name for one in table.strata}) == len(table.strata)
    assert sorted(member for table in found.tables for member in table.members) == [0, 1]
    targets = {"multiclass": 3, "multilabel": 2}.get(cohort.get("outcomes"), 1)
    assert len(found.splits[0].movements) == targets
    page = report.html()
    section = page[page.index("What predictions are averaged over") : page.index("Who has what")]
    assert section.count("<h3>The strata") == targets
    assert "nan" not in re.sub(r"<[^>]*>", " ", section)
    assert ("placebo" in section) == ("placebo" in prototypes)
    crossed = cohort.get("environments", 3) and "environment" in prototypes.get("strata", ())
    assert any("site" in one.name for table in found.tables for one in table.strata) == bool(crossed)


def test_other_models_have_no_strata(graph):
    model = Debiaser("concat", "none", max_epochs=1, members=1, channels=8).fit(graph, baselines=False)
    report = evaluate(model, graph, baselines=False, resamples=0, progress=False)
    assert report.strata is None
    assert "strata" not in report.metrics
    assert "averaged over" not in report.html()
    assert judge_strata(object(), graph, ["test"], RULES) is None


def test_a_graph_without_training_patients(model, graph):
    moved = copy(graph)
    split = np.asarray(graph["patient"].split, dtype=object)
    split[split == "train"] = "elsewhere"
    moved["patient"].split = split.tolist()
    found = judge_strata(model, moved, ["test"], RULES)
    here = judge_strata(model, graph, ["test"], RULES)
    assert found.train == 0
    assert [one.name for one in found.tables[0].strata] == [one.name for one in here.tables[0].strata]
    assert all(math.isnan(one.outcome["mortality"]) for one in found.tables[0].strata)
    assert found.splits[0].movements[0].everyone == here.splits[0].movements[0].everyone
    assert sum(one.patients for one in found.tables[0].strata) > 0  # as they were fitted


def test_prototypes_that_were_never_fitted_are_said(graph):
    settings = {**PRESETS["prototypes"].to_dict(), "stage_one": 1.0}
    model = Debiaser("concat", settings, **SMALL).fit(graph, baselines=False)
    found = judge_strata(model, graph, ["test"], RULES)
    assert not found.fitted
    (only,) = strata_narrative(found, graph.schema, 0.95)
    assert "nothing was averaged" in only.text
    assert [one.name for one in found.tables[0].strata] == ["all patients"]
    page = evaluate(model, graph, baselines=False, resamples=0, probes=False, progress=False).html()
    assert "nothing was averaged" in page
    assert "<h3>The strata" not in page


def test_one_stratum_is_said_to_adjust_for_nothing(graph):
    found = judge_strata(fitted(graph, least=10_000), graph, ["test"], RULES)
    assert len(found.tables[0].strata) == 1
    assert "cannot be adjusted" in strata_narrative(found, graph.schema, 0.95)[0].text
    moved = found.splits[0].movements[0].everyone
    assert moved.size == pytest.approx(0, abs=1e-6)


def test_masses_of_a_target_site_are_the_weights(graph):
    model = fitted(graph)
    before = judge_strata(model, graph, ["test"], RULES)
    share = torch.arange(1.0, 1 + len(before.tables[0].strata))
    model.networks["debiased"].members[0].deconfounder.prototypes.target(share)
    after = judge_strata(model, graph, ["test"], RULES)
    assert (before.target, after.target) == (False, True)
    assert [one.mass for one in after.tables[0].strata] == pytest.approx((share / share.sum()).tolist())
    assert [one.patients for one in after.tables[0].strata] == [one.patients for one in before.tables[0].strata]
