"""Whose patients are judged: the default split, new patients whole, and patients whom the model has seen."""

from __future__ import annotations

import json

import numpy as np
import pytest

from gdsfd.errors import InputError
from gdsfd.evaluation.evaluation import evaluate
from gdsfd.evaluation.population import whom_to_judge
from gdsfd.evaluation.report.sections.population import population_narrative
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.training.debiaser import Debiaser
from tests.cohort_factory import make_cohort
from tests.evaluation.scores import Fixed

QUICK = {"resamples": 0, "progress": False, "baselines": False}


@pytest.fixture(scope="module")
def trained():
    graph = graph_from_cohort(make_cohort(300))
    return Debiaser(backbone="concat", max_epochs=1, channels=8, members=1).fit(graph, baselines=False), graph


def elsewhere(trained, names=None, seed=7, prefix="b", n=200):
    """Other patients in the model's terms, as ``build_graph(..., like=model)`` makes them."""
    graph = graph_from_cohort(make_cohort(n, seed=seed, splits=names or ["new"] * n))
    graph.schema, graph.receipt.new = trained[0].schema, True
    patient = graph["patient"]
    patient.id, patient.subject = ([f"{prefix}{own}" for own in each] for each in (patient.id, patient.subject))
    return graph


def test_of_its_own_cohort_the_split_test_is_judged(trained):
    model, graph = trained
    judged = whom_to_judge(model, graph, None)
    (found,) = judged.populations
    assert (judged.own, judged.splits, found.kind) == (True, ("test",), "held out")
    assert judged.graph is graph
    split = graph["patient"].split
    assert (found.patients, found.train, found.tuning) == tuple(
        split.count(name) for name in ("test", "train", "tuning")
    )
    assert found.checked_by == "id and person"
    assert "None of them is among its" in population_narrative(found)


@pytest.mark.parametrize("names", [None, ["train", "tuning", "2019", "2020"] * 50], ids=["new", "a split column"])
def test_of_another_cohort_everybody_is_judged(trained, names):
    graph = elsewhere(trained, names)
    for split in (None, "new"):
        judged = whom_to_judge(trained[0], graph, split)
        (found,) = judged.populations
        assert (judged.own, judged.splits, found.kind, found.patients) == (False, ("new",), "new", 200)
        assert set(judged.graph["patient"].split) == {"new"}
    assert graph["patient"].split == (names or ["new"] * 200)  # the user's graph stays as it was
    assert population_narrative(found).startswith("All 200 patients of patients.csv, another cohort than the one")


def test_evaluation_sets_of_another_cohort_keep_their_names_but_nobody_is_called_trained_on(trained):
    graph = elsewhere(trained, ["train", "tuning", "2019", "2020"] * 50)
    judged = whom_to_judge(trained[0], graph, ["2019", "train"])
    assert judged.splits == ("2019", "train (new patients)")
    assert [one.patients for one in judged.populations] == [50, 50]
    assert {one.kind for one in judged.populations} == {"new"}
    assert not {"train", "tuning"} & set(judged.graph["patient"].split)


@pytest.mark.parametrize("split", ["train", "tuning"])
def test_seen_patients_are_labelled_where_they_are_asked_for_by_name(trained, split):
    model, graph = trained
    report = evaluate(model, graph, split, **QUICK)
    (found,) = report.populations
    assert found.kind == {"train": "training", "tuning": "tuning"}[split]
    words = {"train": "that the model was trained on", "tuning": "on whom the epoch and the threshold were chosen"}[
        split
    ]
    assert words in report.metrics["population"][split]["words"]
    assert words in report.html()


def test_a_rebuilt_cohort_is_refused(trained):
    model, graph = trained
    again = graph_from_cohort(make_cohort(300))
    again.receipt.new, again["patient"].split = True, ["new"] * 300
    seen = sum(split in ("train", "tuning") for split in graph["patient"].split)
    with pytest.raises(InputError, match=rf"'new': the model has seen {seen} of these 300 patients before") as caught:
        evaluate(model, again, **QUICK)
    assert "it was trained on" in str(caught.value)
    assert "--training-patients drop" in str(caught.value)
    assert not any(own in str(caught.value) for own in graph["patient"].id)


def test_another_split_of_the_same_cohort_is_refused(trained):
    """The case of the fault table: 41 of 60 test patients had been trained on."""
    model, graph = trained
    again = graph_from_cohort(make_cohort(300))
    names = np.array(graph["patient"].split, dtype=object)
    first, second = np.flatnonzero(names == "train")[:40], np.flatnonzero(names == "test")[:40]
    names[first], names[second] = "test", "train"
    again["patient"].split = names.tolist()
    with pytest.raises(InputError, match=rf"'test': the model has seen {len(first)} of these .* it was trained on\)"):
        evaluate(model, again, "test", **QUICK)


def test_seen_patients_can_be_left_out(trained):
    model, graph = trained
    again = graph_from_cohort(make_cohort(300))
    again.receipt.new, again["patient"].split = True, ["new"] * 300
    rest = sum(split not in ("train", "tuning") for split in graph["patient"].split)
    report = evaluate(model, again, training_patients="drop", **QUICK)
    assert report.metrics["n"] == rest
    (found,) = report.populations
    assert (found.patients, found.dropped, found.same_ids) == (rest, 300 - rest, 0)
    assert f"{300 - rest} patients were left out because the model has seen them" in population_narrative(found)
    assert "another cohort" not in population_narrative(found)
    only = graph_from_cohort(make_cohort(300))
    only.receipt.new, only["patient"].split = True, ["new" if one == "train" else "x" for one in graph["patient"].split]
    with pytest.raises(InputError, match="the model has seen all of its"):
        evaluate(model, only, ["new", "x"], training_patients="drop", **QUICK)


def test_other_people_with_the_same_ids_are_judged_and_it_is_said(trained):
    graph = elsewhere(trained, seed=9, prefix="")  # ids are row numbers at both places
    with pytest.raises(InputError, match="who happen to have the same ids"):
        evaluate(trained[0], graph, **QUICK)
    report = evaluate(trained[0], graph, training_patients="other people", **QUICK)
    assert report.metrics["n"] == 200
    (found,) = report.populations
    assert found.same_ids > 0
    assert "they were declared to be other people" in population_narrative(found)
    with pytest.raises(InputError, match="training_patients: expected one of 'refuse', 'drop', 'other people'"):
        evaluate(trained[0], graph, training_patients="ignore", **QUICK)


def test_environments_that_stood_in_training_are_told(trained):
    graph = elsewhere(trained)
    known = trained[1]["patient"].environment[0]
    graph["patient"].environment = [known] * 150 + ["Z"] * 50
    (found,) = whom_to_judge(trained[0], graph, None).populations
    assert found.environments == {str(known): 150, "Z": 50}
    assert found.in_training == (str(known),)
    assert "1 of these 2 names stood in training, too" in population_narrative(found)
    graph["patient"].environment = ["Z"] * 200
    (found,) = whom_to_judge(trained[0], graph, None).populations
    assert population_narrative(found).endswith("Z (200); none of these names stood in training.")


def test_training_patients_under_other_ids_are_told(trained):
    model, graph = trained
    again = graph_from_cohort(make_cohort(300))
    again.schema, again.receipt.new = model.schema, True
    for key in ("id", "subject"):
        again["patient"][key] = [f"pseudonym {own}" for own in again["patient"][key]]
    (found,) = whom_to_judge(model, again, None).populations
    assert found.same_ids == 0
    assert found.same_values == int(model.record.values.seen(graph).sum()) > 50
    said = f"{found.same_values} of the 300 have the very same numbers, in all tables and events, as a patient that the"
    assert said in population_narrative(found)
    assert whom_to_judge(model, graph, "train").populations[0].same_values == 0
    assert whom_to_judge(model, elsewhere(trained), None).populations[0].same_values == 0
    again["patient"].split = graph["patient"].split
    assert whom_to_judge(model, again, "test").populations[0].same_values == 0


def test_a_model_beside_it_that_was_trained_on_those_judged_is_refused(trained):
    model, graph = trained
    other = graph.clone()
    turned = {"train": "test", "test": "train"}
    other["patient"].split = [turned.get(name, name) for name in graph["patient"].split]
    rival = Debiaser(backbone="concat", max_epochs=1, channels=8, members=1).fit(other, baselines=False)
    given = {"resamples": 0, "progress": False, "baselines": {"rival": rival}}
    count = list(graph["patient"].split).count("test")
    with pytest.raises(InputError, match=rf"'rival' has seen {count} of the {count} patients of split 'test' in train"):
        evaluate(model, graph, **given)
    evaluate(model, elsewhere(trained), **given)
    evaluate(model, graph, **given | {"baselines": {"itself": model}})
    evaluate(model, graph, training_patients="other people", **given)


def test_environments_in_another_spelling_are_told(trained):
    graph = elsewhere(trained)
    known = sorted(set(trained[1]["patient"].environment))[0]
    graph["patient"].environment = [f" {known.upper()}", "Z"] * 100
    found = whom_to_judge(trained[0], graph, None).populations[0]
    assert (found.in_training, found.near_training) == ((), {f" {known.upper()}": known})


def test_a_model_without_a_record_is_judged_as_before_and_it_is_said():
    graph = graph_from_cohort(make_cohort(200))
    p = np.full((200, 2), 0.5)
    report = evaluate(Fixed(graph, p), graph, **QUICK)
    (found,) = report.populations
    assert (found.split, found.kind) == ("test", "unknown")
    assert "cannot be checked" in population_narrative(found)
    graph.receipt.new, graph["patient"].split = True, ["new"] * 200
    (found,) = evaluate(Fixed(graph, p), graph, **QUICK).populations
    assert (found.patients, found.kind) == (200, "new")


def test_the_population_stands_in_metrics_json(trained, tmp_path):
    graph = elsewhere(trained)
    evaluate(trained[0], graph, **QUICK).save(tmp_path / "report")
    stored = json.loads((tmp_path / "report" / "metrics.json").read_text())
    assert stored["population"]["new"]["patients"] == 200
    assert stored["population"]["new"]["kind"] == "new"
    assert {row["what"] for row in stored["fixed"]} >= {"weights", "threshold", "recalibration"}
