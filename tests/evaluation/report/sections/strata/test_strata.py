"""The report's account of strata against slow counts."""

from __future__ import annotations

import math
from copy import copy

import numpy as np
import pytest
import torch

from gdsfd.evaluation.config import EvaluationConfig
from gdsfd.evaluation.evaluation import evaluate
from gdsfd.evaluation.report.sections.strata.narrative import strata_narrative
from gdsfd.evaluation.report.sections.strata.predictions import predict_strata
from gdsfd.evaluation.report.sections.strata.strata import judge_strata
from gdsfd.evaluation.subgroups.slices import pattern_description
from gdsfd.evaluation.targets import labels_of
from gdsfd.graph.availability import presence_of
from gdsfd.nn.streams.config import PRESETS
from gdsfd.training import Debiaser
from gdsfd.training.stratum_assignment import member_groups
from tests.evaluation.report.sections.strata.fitting import SMALL, fitted, rows_of

RULES = EvaluationConfig(resamples=30, min_patients=10)


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
