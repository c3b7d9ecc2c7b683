"""New patients are judged by thresholds, lines and baselines of the run; nothing is fitted on them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gdsfd.baselines.boosting import Boosting
from gdsfd.baselines.logistic import Logistic
from gdsfd.errors import InputError
from gdsfd.evaluation.evaluation import evaluate
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.training.debiaser import Debiaser
from tests.cohort_factory import make_cohort
from tests.evaluation.scores import Fixed
from tests.evaluation.test_population import elsewhere

QUICK = {"resamples": 0, "progress": False}


@pytest.fixture(scope="module")
def trained():
    graph = graph_from_cohort(make_cohort(400))
    return Debiaser(backbone="concat", max_epochs=2, channels=8, members=1).fit(graph), graph


def points(report, split, model="model"):
    return [one["threshold"] for one in report.metrics["splits"][split]["models"][model]["targets"].values()]


def test_thresholds_of_new_patients_are_those_of_training(trained):
    model, graph = trained
    own, new = evaluate(model, graph, **QUICK), evaluate(model, elsewhere(trained), **QUICK)
    for name in ("model", "boosting", "logistic"):
        assert points(own, "test", name) == points(new, "new", name)
    tuning = [row for row, split in enumerate(graph["patient"].split) if split == "tuning"]
    y, p = graph["patient"].y.numpy()[tuning, 0], model.predict_proba(graph, split="tuning")[:, 1]
    threshold = points(new, "new")[0]["threshold"]
    assert (p[y == 1] >= threshold).mean() >= 0.8 > (p[y == 1] > threshold).mean()


def test_labels_of_new_patients_change_no_threshold_and_no_prediction(trained, monkeypatch):
    def refit(*arguments):
        raise AssertionError("nothing is fitted on new patients")

    monkeypatch.setattr(Boosting, "fit", refit)
    monkeypatch.setattr(Logistic, "fit", refit)
    graph = elsewhere(trained, ["train", "tuning", "test", "test"] * 50)  # as a split column may call them
    before = evaluate(trained[0], graph, **QUICK)
    graph["patient"].y = 1 - graph["patient"].y
    after = evaluate(trained[0], graph, **QUICK)
    assert points(before, "new") == points(after, "new")
    assert before.fixed == after.fixed
    assert before.metrics["auroc"] == pytest.approx(1 - after.metrics["auroc"])


def test_own_thresholds_equal_those_worked_out_anew(trained):
    model, graph = trained
    kept = evaluate(model, graph, **QUICK)
    model = Debiaser.load(_saved(model))
    model.record = None  # as a run of an earlier version
    again = evaluate(model, graph, **QUICK)
    for name in ("model", "boosting", "logistic"):
        assert points(kept, "test", name) == points(again, "test", name)
    for name in ("boosting", "logistic"):
        ours, theirs = (one.metrics["splits"]["test"]["models"][name]["metrics"]["auroc"] for one in (kept, again))
        assert ours["value"] == theirs["value"]


def _saved(model):
    import tempfile

    folder = f"{tempfile.mkdtemp()}/run"
    model.save(folder)
    return folder


def test_a_sensitivity_that_is_not_kept(trained):
    model, graph = trained
    with pytest.raises(InputError, match=r"keeps no threshold for 0\.81 .*Kept are 0\.5, 0\.55"):
        evaluate(model, elsewhere(trained), sensitivity=0.81, **QUICK)
    assert points(evaluate(model, elsewhere(trained), sensitivity=0.9, **QUICK), "new")[0]["target"] == 0.9
    assert (
        points(evaluate(model, graph, sensitivity=0.81, **QUICK), "test")[0]["target"] == 0.81
    )  # tuning rows are here


def test_a_run_without_baselines_says_so_on_new_patients(trained):
    _, graph = trained
    bare = Debiaser(backbone="concat", max_epochs=1, channels=8, members=1).fit(graph, baselines=False)
    report = evaluate(bare, elsewhere(trained), **QUICK)
    assert list(report.metrics["splits"]["new"]["models"]) == ["model"]
    (row,) = [row for row in report.fixed if "boosting" in row.what]
    assert "trained with baselines=False" in row.value
    assert "Train the model anew" in report.html()
    assert list(evaluate(bare, graph, **QUICK).metrics["splits"]["test"]["models"]) == ["model", "boosting", "logistic"]
    bare.record = None
    (row,) = [row for row in evaluate(bare, elsewhere(trained), **QUICK).fixed if "boosting" in row.what]
    assert "trained by an earlier gdsfd" in row.value
    threshold = points(evaluate(bare, elsewhere(trained), **QUICK), "new")[0]
    assert math.isnan(threshold["threshold"])
    assert "none was kept" in threshold["reason"]


def test_rivals_that_are_models_bring_their_own_thresholds(trained):
    model, graph = trained
    other = Debiaser(backbone="concat", max_epochs=1, channels=8, members=1, seed=1).fit(graph, baselines=False)
    new = elsewhere(trained)
    rivals = {
        "other": other,
        "fixed": Fixed(new, np.full((200, 2), 0.5)),
        "boosting": model.record.baselines["boosting"],
    }
    report = evaluate(model, new, baselines=rivals, **QUICK)
    assert points(report, "new", "other")[0]["threshold"] == other.record.rules["reference"].at(0.8)[0].threshold
    assert points(report, "new", "boosting")[0]["threshold"] == model.record.rules["boosting"].at(0.8)[0].threshold
    assert "none was kept" in points(report, "new", "fixed")[0]["reason"]


def test_the_table_names_the_patients_that_each_was_fixed_on(trained):
    model, graph = trained
    split = graph["patient"].split
    train, tuning = f"{split.count('train')} training patients", f"{split.count('tuning')} tuning patients"
    report = evaluate(model, elsewhere(trained), **QUICK)
    on = {row.what: row.on for row in report.fixed}
    assert on["weights"] == on["columns, vocabularies, scales"] == train
    assert on["epoch"] == on["threshold"] == on["recalibration"] == tuning
    assert on["gradient boosting, logistic regression"] == f"{train}, {tuning}"
    assert on["figures, intervals, slices"] == "the 200 patients judged"
    page = report.html()
    assert page.index("Whose patients these are, and what was fixed where") < page.index("In plain words")
    assert "nor on any other patient of their cohort" in page
    assert "another cohort than the one it was trained on" in page


@pytest.mark.parametrize("outcomes", ["multiclass", "multilabel"])
def test_several_targets(outcomes):
    graph = graph_from_cohort(make_cohort(400, outcomes=outcomes))
    model = Debiaser(backbone="concat", max_epochs=1, channels=8, members=1).fit(graph)
    new = graph_from_cohort(make_cohort(200, seed=5, outcomes=outcomes, splits=["new"] * 200))
    new.schema, new.receipt.new = model.schema, True
    report = evaluate(model, new, training_patients="other people", **QUICK)
    kept = [point.threshold for point in model.record.rules["reference"].at(0.8)]
    assert [one["threshold"] for one in points(report, "new")] == pytest.approx(kept, nan_ok=True)
    assert len(report.recalibrated) == len(kept)
    assert "one per target" in next(row.value for row in report.fixed if row.what == "threshold")
    assert report.html()


def test_the_table_says_on_how_many_a_baseline_was_fitted(trained, monkeypatch):
    model, graph = trained

    def fitted():
        rows = [one for one in evaluate(model, graph, **QUICK).fixed if "boosting" in str(one)]
        assert len(rows) == 1
        return str(rows[0])

    assert "drawn" not in fitted()
    monkeypatch.setattr("gdsfd.evaluation.report.fixed_settings.most_rows", lambda schema: 100)
    assert "each on 100 of these drawn at random" in fitted()


def test_the_table_says_which_network_predicts_and_by_whose_choice(trained):
    plain, graph = trained
    assert not [one for one in evaluate(plain, graph, **QUICK).fixed if "networks" in one.what]
    settings = {"max_epochs": 1, "channels": 8, "members": 1, "guard_folds": 0}
    model = Debiaser("concat", "margin", **settings).fit(graph, baselines=False)
    for which, words in (
        ("auto", "the one without debiasing, by the check after training"),
        ("debiased", "the debiased one, by hand"),
    ):
        (row,) = [one for one in evaluate(model.use(which), graph, **QUICK).fixed if "networks" in one.what]
        assert row.value == words
        assert "training patients" in row.on
        assert "tuning patients" in row.on


def test_baselines_of_the_run_that_are_given_by_name_have_their_row(trained):
    model, graph = trained
    given = {"trees": model.record.baselines["boosting"], "somebody else's": Fixed(graph, np.full((400, 2), 0.5))}
    rows = [one for one in evaluate(model, graph, baselines=given, **QUICK).fixed if one.value.startswith("fitted, ")]
    assert [one.what for one in rows] == ["trees"]
