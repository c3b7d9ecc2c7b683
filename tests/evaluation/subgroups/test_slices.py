"""Who is looked at apart: everybody in the right slice, small ones put together, absent ones said."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gdsfd.evaluation.config import EvaluationConfig
from gdsfd.evaluation.intervals.combined import difference_interval
from gdsfd.evaluation.metrics.bootstrap import SubjectBootstrap
from gdsfd.evaluation.metrics.metric import built_in_metrics
from gdsfd.evaluation.metrics.metric_set import difference, score
from gdsfd.evaluation.metrics.operating_point import OperatingPoint
from gdsfd.evaluation.subgroups import slices as module
from gdsfd.evaluation.subgroups.slices import Slice, pattern_description, score_slices, slices_of
from gdsfd.evaluation.targets import rows_of_split
from gdsfd.graph.availability import presence_of
from gdsfd.graph.from_cohort import graph_from_cohort
from tests.cohort_factory import make_cohort
from tests.evaluation.scores import made, target

RULES = EvaluationConfig(resamples=100)


@pytest.fixture(scope="module")
def graph():
    graph = graph_from_cohort(make_cohort(1200))
    patient = graph["patient"]
    # A site of the training rows only, and a site with two test patients.
    test = [row for row, split in enumerate(patient.split) if split == "test"]
    train = [row for row, split in enumerate(patient.split) if split == "train"]
    for row in test[:2]:
        patient.environment[row] = "tiny"
    patient.environment[train[0]] = "elsewhere"
    return graph


@pytest.fixture(scope="module")
def split(graph):
    rows = rows_of_split(graph, "test")
    return rows, target(*made(len(rows)))


def by_name(slices, kind):
    return {one.name: one for one in slices if one.kind == kind}


def test_environments_groups_and_presence_hold_exactly_their_patients(graph, split):
    rows, whole = split
    slices = slices_of(graph, rows, whole, RULES)
    for kind, values in (("environment", graph["patient"].environment), ("group: sex", graph["patient"].groups["sex"])):
        for name, one in by_name(slices, kind).items():
            if not one.pooled:
                assert one.mask.tolist() == [values[row] == name for row in rows]
    presence = presence_of(graph).numpy()[rows]
    for number, name in enumerate(graph.schema.names):
        assert (by_name(slices, "modality")[f"with {name}"].mask == presence[:, number]).all()
        assert (by_name(slices, "modality")[f"without {name}"].mask == ~presence[:, number]).all()


def test_patterns_part_the_patients_and_small_ones_are_put_together(graph, split):
    rows, whole = split
    patterns = [one for one in slices_of(graph, rows, whole, RULES) if one.kind == "pattern"]
    assert (np.sum([one.mask for one in patterns], axis=0) == 1).all()
    assert [one.pooled > 0 for one in patterns] == [False] * (len(patterns) - 1) + [True]
    for one in patterns[:-1]:
        own = whole.among(one.mask)
        assert len(own.y) >= 30
        assert 5 <= own.y.sum() <= len(own.y) - 5
    assert patterns[-1].name == f"{patterns[-1].pooled} rarer patterns"


def test_absent_and_tiny_environments_have_reasons_and_never_zero(graph, split):
    rows, whole = split
    slices = slices_of(graph, rows, whole, RULES)
    bootstrap = SubjectBootstrap([str(row) for row in rows], 100)
    scored = dict(
        zip([one.name for one in slices], score_slices(slices, whole, bootstrap, OperatingPoint(0.3, 0.8), RULES))
    )
    assert scored["elsewhere"].n == 0
    assert scored["elsewhere"]["auroc"].reason == "no labelled patient"
    assert scored["tiny"].n == 2
    assert scored["tiny"]["auroc"].reason == "only 2 labelled patients (fewer than 30)"
    for name in (metric.name for metric in built_in_metrics() if metric.in_slices):
        assert math.isnan(scored["elsewhere"][name].value)
        assert math.isnan(scored["tiny"][name].value)
    assert scored["site 0"]["auroc"].has_interval


def test_a_slices_figures_are_those_of_its_patients_alone(graph, split):
    rows, whole = split
    slices = slices_of(graph, rows, whole, RULES)
    bootstrap = SubjectBootstrap([str(row) for row in rows], 100)
    point = OperatingPoint(0.3, 0.8)
    for one, found in zip(slices, score_slices(slices, whole, bootstrap, point, RULES)):
        own = whole.among(one.mask)
        alone = score(target(own.y, own.p), SubjectBootstrap([str(row) for row in range(len(own.y))], 0), point)
        if found["auroc"].defined:
            assert found["auroc"].value == alone["auroc"].value


def test_no_environment_no_slice():
    graph = graph_from_cohort(make_cohort(60, environments=None))
    rows = rows_of_split(graph, "test")
    assert not by_name(slices_of(graph, rows, target(*made(len(rows))), RULES), "environment")


@pytest.mark.parametrize(
    ("present", "name"),
    [
        ([True, True, True], "complete"),
        ([False, False, False], "nothing observed"),
        ([True, False, True], "without b"),
        ([False, True, False], "only b"),
    ],
)
def test_a_pattern_is_named_by_its_shorter_half(present, name):
    assert pattern_description(present, ["a", "b", "c"]) == name


def test_number_of_modalities_parts_the_patients_in_ascending_slices(graph, split):
    rows, whole = split
    counts = presence_of(graph).numpy()[rows].sum(1)
    slices = [one for one in slices_of(graph, rows, whole, RULES) if one.kind == "observed"]
    assert 2 <= len(slices) <= module.COUNT_SLICES
    assert (np.sum([one.mask for one in slices], axis=0) == 1).all()
    highest = -1
    for one in slices:
        low, high = counts[one.mask].min(), counts[one.mask].max()
        assert highest < low
        assert one.name == (f"{low} of 5" if low == high else f"{low} to {high} of 5")
        highest = high


def test_large_slices_use_the_first_resamples_and_stay_paired(monkeypatch):
    monkeypatch.setattr(module, "LARGE", 150)
    monkeypatch.setattr(module, "RESAMPLES_OF_LARGE", 40)
    whole = target(*made(300))
    bootstrap = SubjectBootstrap([str(row) for row in range(300)], 100)
    slices = [Slice("group: a", "large", np.arange(300) < 200), Slice("group: a", "small", np.arange(300) >= 200)]
    large, small = score_slices(slices, whole, bootstrap, OperatingPoint(0.3, 0.8), RULES)
    assert (len(large.resampled["auroc"]), len(small.resampled["auroc"])) == (40, 100)
    gap = difference(large, small, "auroc")
    together = np.corrcoef(large.resampled["auroc"], small.resampled["auroc"][:40])[0, 1]
    if together > 0:
        together *= (small.fewest - 1) / (small.fewest + 1)
    assert (gap.low, gap.high) == pytest.approx(difference_interval(large["auroc"], small["auroc"], together))
