"""What a run keeps: fixed on its own tuning and training rows, equal after storing, absent from old runs."""

from __future__ import annotations

import json
import math
import shutil

import numpy as np
import pytest

from gdsfd.baselines.boosting import Boosting
from gdsfd.baselines.boosting_margin import BoostingMargin
from gdsfd.baselines.logistic import Logistic
from gdsfd.baselines.logistic_margin import LogisticMargin
from gdsfd.errors import InputError
from gdsfd.file_digest import digest_of_json
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.training.debiaser import Debiaser
from gdsfd.training.run_record.operating_point import choose_threshold
from gdsfd.training.run_record.recalibration import fit_recalibration
from gdsfd.training.run_record.run_record import outcome_entropy, record_run
from gdsfd.training.suspects.suspect_facts import suspect_facts
from tests.cohort_factory import make_cohort

SETTINGS = {"backbone": "concat", "max_epochs": 2, "channels": 8, "members": 1}


@pytest.fixture(scope="module", params=["binary", "multiclass", "multilabel"])
def run(request, tmp_path_factory):
    graph = graph_from_cohort(make_cohort(300, outcomes=request.param))
    model = Debiaser(**SETTINGS).fit(graph)
    folder = tmp_path_factory.mktemp("run") / request.param
    model.save(folder)
    return model, graph, folder


def columns(model, graph):
    """Labels and probabilities of tuning rows, one column per target, by hand."""
    rows = [row for row, split in enumerate(graph["patient"].split) if split == "tuning"]
    y, p = graph["patient"].y.numpy()[rows], model.predict_proba(graph, split="tuning")
    if graph.schema.multiclass:
        return np.where(y[:, None] < 0, np.nan, y[:, None] == np.arange(p.shape[1])), p
    return y, (p[:, 1:] if y.shape[1] == 1 else p)


def test_thresholds_and_lines_are_those_of_the_tuning_rows(run):
    model, graph, _ = run
    for name, judged in (("reference", model), *model.record.baselines.items()):
        y, p = columns(judged, graph)
        for column in range(y.shape[1]):
            known = np.isfinite(y[:, column])
            point = model.record.rules[name].at(0.8)[column]
            expected = choose_threshold(y[known, column], p[known, column], 0.8)
            assert (point.threshold, point.reason) == pytest.approx((expected.threshold, expected.reason), nan_ok=True)
            line, fitted = model.record.rules[name].lines[column], fit_recalibration(y[known, column], p[known, column])
            assert (line.slope, line.reason) == pytest.approx((fitted.slope, fitted.reason), nan_ok=True)


def test_baselines_are_those_that_a_user_would_fit(run):
    model, graph, _ = run
    for kind in (Boosting, Logistic):
        expected = kind(model.seed).fit(graph).predict_proba(graph)
        np.testing.assert_array_equal(model.record.baselines[kind.key].predict_proba(graph), expected)


def test_everything_is_equal_after_storing(run):
    model, graph, folder = run
    again = Debiaser.load(folder)
    assert sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()) == [
        "baselines/boosting.safetensors",
        "baselines/logistic.safetensors",
        "history.csv",
        "model.json",
        "model.safetensors",
        "training_patients.safetensors",
        "tuning_scores.safetensors",
    ]
    assert again.record.cohort == model.record.cohort
    assert again.record.uncertainty == pytest.approx(model.record.uncertainty)
    for name, rules in model.record.rules.items():
        assert again.record.rules[name].to_dict() == rules.to_dict()
    for name, baseline in model.record.baselines.items():
        np.testing.assert_array_equal(again.record.baselines[name].predict_proba(graph), baseline.predict_proba(graph))
    assert (again.record.patients.roles(graph) == model.record.patients.roles(graph)).all()
    expected = [split if split in ("train", "tuning") else "" for split in graph["patient"].split]
    assert again.record.patients.roles(graph).tolist() == expected
    text = (folder / "model.json").read_text()
    assert not any(f'"{own}"' in text for own in graph["patient"].id)


def test_both_networks_have_rules_of_their_own():
    graph = graph_from_cohort(make_cohort(300))
    model = Debiaser(**SETTINGS, debias="strata", guard_folds=2).fit(graph, baselines=False)
    assert set(model.record.rules) == {"reference", "debiased"}
    for which in ("reference", "debiased"):
        y, p = columns(model.use(which), graph)
        known = np.isfinite(y[:, 0])
        assert model.record.rules[which].at(0.8)[0] == choose_threshold(y[known, 0], p[known, 0], 0.8)


def test_the_cohort_in_words(run):
    model, graph, _ = run
    cohort, split = model.record.cohort, graph["patient"].split
    assert cohort["splits"] == {name: split.count(name) for name in set(split)}
    assert cohort["source"] == ["patients.csv"]
    there = {own for own, name in zip(graph["patient"].environment, split) if name == "train"}
    assert cohort["environments"] == sorted(map(str, there))


def test_without_baselines_it_is_said_why(tmp_path):
    graph = graph_from_cohort(make_cohort(200))
    model = Debiaser(**SETTINGS).fit(graph, baselines=False)
    model.save(tmp_path / "run")
    again = Debiaser.load(tmp_path / "run")
    assert again.record.baselines == {}
    assert "baselines=False" in again.record.no_baselines
    assert not (tmp_path / "run" / "baselines").exists()


def test_baselines_that_cannot_be_fitted_do_not_lose_the_run(monkeypatch):
    def fails(self, graph):
        raise InputError("outcome 'x': no training patient has a label")

    monkeypatch.setattr(Boosting, "fit", fails)
    model = Debiaser(**SETTINGS).fit(graph_from_cohort(make_cohort(200)))
    assert model.record.baselines == {}
    assert "no training patient has a label" in model.record.no_baselines


def test_entropy_of_an_outcome_that_nobody_has_a_label_for_is_not_a_number():
    graph = graph_from_cohort(make_cohort(50, outcomes="multilabel"))
    graph["patient"].y[:, 1] = np.nan
    assert [math.isnan(nats) for nats in outcome_entropy(graph).values()] == [False, True]


def test_entropy_by_hand():
    graph = graph_from_cohort(make_cohort(50))
    train = [row for row, split in enumerate(graph["patient"].split) if split == "train"]
    graph["patient"].y[train] = 0.0
    graph["patient"].y[train[: len(train) // 4]] = 1.0
    share = (len(train) // 4) / len(train)
    expected = -(share * math.log(share) + (1 - share) * math.log(1 - share))
    assert outcome_entropy(graph) == pytest.approx({"mortality": expected})


def rewritten(folder, place, change):
    """A copy of a model whose ``model.json`` was changed by somebody who also made its digest right."""
    stored = json.loads((folder / "model.json").read_text())
    change(stored)
    stored["digest"] = digest_of_json({key: each for key, each in stored.items() if key != "digest"})
    shutil.copytree(folder, place)
    (place / "model.json").write_text(json.dumps(stored))
    return place


def test_a_run_of_an_earlier_version_loads_without(run, tmp_path):
    _, graph, folder = run
    model = Debiaser.load(rewritten(folder, tmp_path / "old", lambda stored: stored.update(record=None)))
    assert model.record is None
    assert len(model.predict_proba(graph)) == len(graph["patient"].id)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda record: record.pop("rules"), "what was fixed on the training cohort is damaged"),
        (lambda record: record.update(cohort=[]), "what was fixed on the training cohort is damaged"),
        (lambda record: record.update(salt=7), "no salt"),
        (lambda record: record["rules"].update(reference={}), "thresholds kept with the model are damaged"),
        (lambda record: record["baselines"].update({"../x": {}}), "expected the baselines boosting, logistic"),
        (lambda record: record.update(outcome_nats={"a": "b"}), "what was fixed on the training cohort is damaged"),
        (lambda record: record["cohort"].update(splits=[]), "what was fixed on the training cohort is damaged"),
    ],
)
def test_damaged_records_are_refused(run, tmp_path, change, message):
    place = rewritten(run[2], tmp_path / "run", lambda stored: change(stored["record"]))
    with pytest.raises(InputError, match=message):
        Debiaser.load(place)


@pytest.mark.parametrize(
    "name", ["training_patients.safetensors", "tuning_scores.safetensors", "baselines/boosting.safetensors"]
)
def test_a_missing_file_is_named(run, tmp_path, name):
    shutil.copytree(run[2], tmp_path / "run")
    (tmp_path / "run" / name).unlink()
    with pytest.raises(InputError, match=name.replace(".", r"\.")):
        Debiaser.load(tmp_path / "run")
    bare = rewritten(run[2], tmp_path / "bare", lambda stored: stored["files"].pop(name))
    (bare / name).unlink()
    with pytest.raises(InputError, match=f"{name}: missing or damaged".replace(".", r"\.")):
        Debiaser.load(bare)


def test_new_patients_are_not_trained_on():
    graph = graph_from_cohort(make_cohort(100))
    graph.receipt.new = True
    with pytest.raises(InputError, match="read with the schema of an earlier cohort"):
        Debiaser(**SETTINGS).fit(graph)


def test_a_debiased_network_is_kept_with_the_simple_models_that_are_told_the_same(tmp_path):
    graph = graph_from_cohort(make_cohort(300))
    model = Debiaser(**SETTINGS, debias="margin", guard_folds=0).fit(graph)
    assert list(model.record.baselines) == ["boosting", "logistic", "logistic_margin", "boosting_margin"]
    facts = suspect_facts(graph, model.suspects_)
    for key, kind in (("logistic_margin", LogisticMargin), ("boosting_margin", BoostingMargin)):
        expected = kind(model.seed).fit(graph, facts).predict_proba(graph)
        np.testing.assert_array_equal(model.record.baselines[key].predict_proba(graph), expected)
    model.save(tmp_path / "run")
    again = Debiaser.load(tmp_path / "run")
    for name, baseline in model.record.baselines.items():
        np.testing.assert_array_equal(again.record.baselines[name].predict_proba(graph), baseline.predict_proba(graph))
    dfd = Debiaser(**SETTINGS, debias="dfd", guard_folds=0).fit(graph)
    assert list(dfd.record.baselines) == ["boosting", "logistic"]  # it is told nothing
    found = record_run(graph, {}, suspects=("pattern",), found=True)
    assert list(found.baselines)[-1] == "boosting_strata"


@pytest.mark.parametrize("outcomes", ["binary", "multiclass", "multilabel"])
def test_recalibrated_risks_are_given_out_judged_by_their_thresholds_and_stored(outcomes, tmp_path):
    graph = graph_from_cohort(make_cohort(700, outcomes=outcomes))
    settings = {**SETTINGS, "max_epochs": 8, "learning_rate": 0.01, "boosted_members": 0}
    model = Debiaser(**settings, recalibrate="logistic").fit(graph, baselines=False)
    plain = Debiaser(**settings).fit(graph, baselines=False)
    own = model.predict_proba(graph, recalibrated=False)
    np.testing.assert_array_equal(own, plain.predict_proba(graph))
    kept = model.record.calibrations["reference"]
    assert {each.method for each in kept} == {"logistic"}
    p = model.predict_proba(graph)
    assert not np.allclose(p, own)
    if outcomes != "multilabel":
        np.testing.assert_allclose(p.sum(1), 1)
    y, tuning = columns(model, graph)
    for column in range(y.shape[1]):
        known = np.isfinite(y[:, column])
        expected = choose_threshold(y[known, column], tuning[known, column], 0.8)
        assert model.record.rules["reference"].at(0.8)[column].threshold == pytest.approx(expected.threshold)
    assert model.record.rules["reference"].lines == plain.record.rules["reference"].lines
    if outcomes == "binary":  # right on average where the line was fitted
        np.testing.assert_allclose(tuning[np.isfinite(y[:, 0])].mean(), y[np.isfinite(y[:, 0])].mean(), atol=1e-9)
    model.save(tmp_path / "run")
    again = Debiaser.load(tmp_path / "run")
    np.testing.assert_array_equal(again.predict_proba(graph), p)
    assert again.config.recalibrate == "logistic"
    assert plain.record.calibrations == {}


def test_no_recalibration_is_also_called_false():
    assert Debiaser(recalibrate=False).config.recalibrate == "none"
    with pytest.raises(InputError, match="recalibrate"):
        Debiaser(recalibrate="beta")
