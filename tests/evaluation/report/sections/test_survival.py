"""The section on times to an event: figures in files and tables, words, pictures; nothing for labels."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import gdsfd
from gdsfd.cli import main
from gdsfd.evaluation.survival.concordance import uno
from tests.cohort.survival_exports import survival_frames, survival_spec


@pytest.fixture(scope="module")
def judged(tmp_path_factory: Any) -> Any:
    folder = tmp_path_factory.mktemp("survival")
    graph = gdsfd.build_graph(survival_spec(survival_frames(400), intervals=4))
    gdsfd.save_graph(graph, folder / "graph")
    model = gdsfd.Debiaser("concat", max_epochs=10, members=2, channels=16).fit(graph, out=folder / "run")
    report = gdsfd.evaluate(model, graph, resamples=100)
    report.save(folder / "report")
    return graph, model, report, folder


def test_files_have_its_figures(judged: Any) -> None:
    graph, model, report, folder = judged
    stored = json.loads((folder / "report" / "metrics.json").read_text())["survival"]["test"]
    rows = np.array(graph["patient"].split) == "test"
    time, event = (graph["patient"][key].numpy()[rows].astype(float) for key in ("follow_up", "event"))
    expected = uno(time, event, model.predict_risk(graph, split="test"), graph.schema.survival.horizon)[0]
    assert stored["models"]["model"]["uno"]["value"] == pytest.approx(expected)
    assert set(stored["models"]) == {"model", "boosting", "logistic"}
    assert set(stored["differences"]) == {"boosting", "logistic"}
    assert len(stored["models"]["model"]["calibration"]) == 10
    frame = report.sections["survival"].to_frame()
    assert list(frame["model"]) == ["concat", "gradient boosting", "logistic regression"]
    assert frame["uno"][0] == pytest.approx(expected)


def test_the_page_says_it_in_words(judged: Any) -> None:
    page = (judged[3] / "report" / "report.html").read_text()
    for words in (
        "Predicting the time to death",
        '<div class="name">Concordance (Uno)</div>',
        "The time until death, as a curve: the chance to be free of it",
        "of 100 such pairs the one who had the event first was given",
        "percentage points",
        "as if they had been like those who were followed on",
        "Curves by thirds of risk",
        "a curve of the time to death, made of the hazards of 4 intervals",
    ):
        assert words in page
    assert page.index("Time to the event") < page.index("In plain words")


def test_labels_have_no_such_section(judged: Any) -> None:
    spec = survival_spec(survival_frames(200))
    graph = gdsfd.build_graph(
        gdsfd.CohortSpec(
            cohort=spec.cohort, outcome={"name": "death", "column": "died", "positive": 1}, modality=spec.modality
        )
    )
    model = gdsfd.Debiaser("concat", max_epochs=1, members=1, channels=16).fit(graph, baselines=False)
    report = gdsfd.evaluate(model, graph, baselines=False, resamples=20, probes=False)
    assert "survival" not in report.sections
    assert "survival" not in report.metrics


def test_new_patients_are_judged_too(judged: Any) -> None:
    graph, model, _, _ = judged
    new = gdsfd.build_graph(survival_spec(survival_frames(150, seed=5)), like=graph)
    new["patient"].id = [f"other {name}" for name in new["patient"].id]
    new["patient"].subject = list(new["patient"].id)
    report = gdsfd.evaluate(model, new, resamples=50)
    assert report.metrics["survival"]["new"]["models"]["model"]["uno"]["value"] > 0.6


def test_the_command_line_prints_and_writes_it(judged: Any, capsys: Any) -> None:
    graph, model, _, folder = judged
    run, stored = str(folder / "run"), str(folder / "graph")
    assert main(["evaluate", run, stored, "--out", str(folder / "again"), "--resamples", "20"]) == 0
    printed = capsys.readouterr().out
    assert "harrell" in printed
    assert "The hazards of the intervals, one by one:" in printed

    import pandas as pd

    file = folder / "p.csv"
    assert main(["predict", run, stored, "--split", "test", "--out", str(file), "--times", "5", "20.5"]) == 0
    table = pd.read_csv(file)
    assert list(table.columns) == ["id", "split", "risk", "free_at_5", "free_at_20.5"]
    expected = model.predict_survival(graph, split="test", times=[5, 20.5])
    np.testing.assert_allclose(table.iloc[:, 3:].to_numpy(), expected, atol=1e-12)
    np.testing.assert_allclose(table["risk"], model.predict_risk(graph, split="test"), atol=1e-12)
    twice = folder / "twice.parquet"
    assert main(["predict", run, stored, "--out", str(twice), "--times", "5", "5", "20"]) == 0
    assert list(pd.read_parquet(twice).columns[2:]) == ["risk", "free_at_5", "free_at_20"]
    assert main(["predict", run, stored, "--out", str(folder / "q.csv"), "--times", "1e6"]) == 2
    assert "beyond which the model says nothing" in capsys.readouterr().err
    assert not (folder / "q.csv").exists()


@pytest.mark.parametrize("mode", ["full", "latent", "prototypes"])
def test_the_command_line_refuses_modes_of_labels_and_writes_nothing(judged: Any, mode: str, capsys: Any) -> None:
    folder = judged[3]
    before = sorted(folder.iterdir())
    assert main(["train", str(folder / "graph"), "--out", str(folder / "refused"), "--debias", mode]) == 2
    assert "'death' is a time to an event, which has no classes. Modes that go with it" in capsys.readouterr().err
    arms = ["--backbones", "concat", "--arms", f"none,{mode}", "--seeds", "1"]
    assert main(["compare", str(folder / "graph"), "--out", str(folder / "refused"), *arms]) == 2
    assert f"compare: arm '{mode}': this mode" in capsys.readouterr().err
    assert sorted(folder.iterdir()) == before


def test_a_hospital_with_a_shorter_follow_up_is_judged_as_far_as_it_goes(judged: Any, tmp_path: Any) -> None:
    graph, model, _, _ = judged
    cohort, labs, vitals = survival_frames(200, seed=5)
    end = (graph.schema.survival.cuts[1] + graph.schema.survival.cuts[2]) / 2
    cohort["died"] = np.where(cohort["days"] > end, 0, cohort["died"])
    cohort["days"] = np.minimum(cohort["days"], end)
    cohort["id"] = "other " + cohort["id"]
    labs["id"], vitals["id"] = "other " + labs["id"], "other " + vitals["id"]
    new = gdsfd.build_graph(survival_spec((cohort, labs, vitals)), like=graph)
    with pytest.warns(UserWarning, match="nobody is followed to the horizon of 'death'"):
        report = gdsfd.evaluate(model, new, resamples=50)
    found = report.metrics["survival"]["new"]
    assert found["horizon"] == graph.schema.survival.cuts[1]
    assert all(np.isfinite(found["models"]["model"][name]["value"]) for name in ("uno", "integrated_brier"))
    report.save(tmp_path / "report")
    page = (tmp_path / "report" / "report.html").read_text()
    assert "None of the 200 patients judged is followed for so long, so figures are of the time up to" in page
