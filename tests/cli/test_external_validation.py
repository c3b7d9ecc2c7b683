"""The page "Validate on another hospital", command by command, and what comes out of it."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

import gdsfd
from gdsfd.baselines.boosting import Boosting
from gdsfd.baselines.logistic import Logistic
from gdsfd.cli import main

PAGE = Path(__file__).parents[2] / "docs" / "external_validation.md"


def commands() -> list[list[str]]:
    """Those that the page shows, in its order."""
    (block,) = re.findall(r"^```console\n(.*?)^```", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return [shlex.split(line.removeprefix("$ gdsfd ")) for line in block.splitlines() if line]


def digests(folder: Path) -> dict[str, str]:
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in folder.rglob("*")
        if file.is_file()
    }


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Where the commands were run; the run's files as they were before the other hospital came."""
    folder = tmp_path_factory.mktemp("external")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        before: dict[str, str] = {}
        for command in commands():
            if "--like" in command:
                before = digests(folder / "run")
            assert main([*command, *(["--resamples", "50"] if command[0] == "evaluate" else [])]) == 0, command
    return folder, before


@pytest.fixture(scope="module")
def metrics(place):
    return json.loads((place[0] / "report_b" / "metrics.json").read_text())


def test_all_patients_of_the_other_hospital_are_judged_and_predicted(place, metrics):
    folder, _ = place
    patients = pd.read_csv(folder / "hospital_b" / "patients.csv", dtype=str)
    assert len(set(patients["split"])) > 1  # its own split column shares nobody out
    assert metrics["n"] == len(patients)
    assert metrics["labelled"] == patients["deteriorated"].notna().sum()
    assert list(metrics["splits"]) == ["new"]
    predicted = pd.read_csv(folder / "predictions_b.csv", dtype={"id": str})
    assert predicted["id"].tolist() == patients["patient_id"].tolist()
    answer = predicted.set_index("id")["p_yes"][patients["patient_id"]].to_numpy()
    known = patients["deteriorated"].notna().to_numpy()
    assert metrics["auroc"] == pytest.approx(roc_auc_score(patients["deteriorated"][known] == "yes", answer[known]))


def test_the_threshold_is_that_of_the_first_hospital(place, metrics):
    folder, _ = place
    model, graph = gdsfd.Debiaser.load(folder / "run"), gdsfd.load_graph(folder / "graph_a")
    rows = [row for row, split in enumerate(graph["patient"].split) if split == "tuning"]
    y, p = graph["patient"].y.numpy()[rows, 0], model.predict_proba(graph, split="tuning")[:, 1]
    positives = np.sort(p[y == 1])[::-1]
    expected = positives[int(np.ceil(0.8 * len(positives) - 1e-9)) - 1]
    target = metrics["splits"]["new"]["models"]["model"]["targets"]["deterioration"]
    assert target["threshold"]["threshold"] == pytest.approx(expected, rel=1e-6)
    there = gdsfd.load_graph(folder / "graph_b")
    flagged = model.predict_proba(there)[:, 1] >= target["threshold"]["threshold"]
    labels = there["patient"].y.numpy()[:, 0]
    assert metrics["tpr"] == pytest.approx(flagged[labels == 1].mean())
    assert metrics["fpr"] == pytest.approx(flagged[labels == 0].mean())


@pytest.mark.parametrize("baseline", [Boosting, Logistic])
def test_baselines_are_those_fitted_at_the_first_hospital(place, metrics, baseline):
    folder, _ = place
    fitted = baseline(0).fit(gdsfd.load_graph(folder / "graph_a"))
    graph = gdsfd.load_graph(folder / "graph_b")
    y, p = graph["patient"].y.numpy()[:, 0], fitted.predict_proba(graph)[:, 1]
    found = metrics["splits"]["new"]["models"][baseline.key]["metrics"]
    assert found["auroc"]["value"] == roc_auc_score(y[np.isfinite(y)], p[np.isfinite(y)])
    assert found["brier"]["value"] == pytest.approx(np.nanmean((p - y) ** 2))


def test_risks_are_also_shown_corrected_by_the_first_hospitals_line(place, metrics):
    folder, _ = place
    model, graph = gdsfd.Debiaser.load(folder / "run"), gdsfd.load_graph(folder / "graph_b")
    line = model.record.rules["reference"].lines[0]
    stored = metrics["splits"]["new"]["recalibrated"]["deterioration"]
    assert stored["reason"] == line.reason
    if not line.reason:
        y, p = graph["patient"].y.numpy()[:, 0], line(model.predict_proba(graph)[:, 1])
        assert stored["after"]["brier"]["value"] == pytest.approx(np.nanmean((p - y) ** 2))
    assert stored["before"]["brier"]["value"] == metrics["brier"]


def test_nothing_of_the_other_hospital_changed_the_run(place):
    folder, before = place
    assert before
    assert digests(folder / "run") == before
    assert gdsfd.load_graph(folder / "graph_b").schema == gdsfd.load_graph(folder / "graph_a").schema


def test_the_first_page_says_whose_patients_these_are_and_what_was_fixed_where(place, metrics):
    folder, _ = place
    graph = gdsfd.load_graph(folder / "graph_a")
    train, tuning = (list(graph["patient"].split).count(name) for name in ("train", "tuning"))
    words = metrics["population"]["new"]["words"]
    assert words.startswith(f"All {metrics['n']} patients of patients.csv, another cohort")
    assert f"None of them is among its {train} training and {tuning} tuning patients" in words
    on = {row["what"]: row["on"] for row in metrics["fixed"]}
    assert on["threshold"] == on["recalibration"] == on["epoch"] == f"{tuning} tuning patients"
    assert on["weights"] == f"{train} training patients"
    page = (folder / "report_b" / "report.html").read_text()
    assert words in page
    assert page.index("what was fixed where") < page.index("In plain words")


def test_the_python_of_the_page_says_the_same(place, metrics, monkeypatch):
    folder, _ = place
    (code,) = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    quick = code.replace("evaluate(model, graph)", "evaluate(model, graph, resamples=0)").replace(
        "report_b", "report_py"
    )
    assert quick.count("resamples=0") == quick.count("report_py") == 1
    monkeypatch.chdir(folder)
    exec(quick, {"gdsfd": gdsfd})
    stored = json.loads((folder / "report_py" / "metrics.json").read_text())
    assert stored["auroc"] == metrics["auroc"]
    assert stored["population"] == metrics["population"]


def test_the_first_hospital_read_again_is_refused_and_can_be_left_out(place, capsys, monkeypatch):
    folder, _ = place
    monkeypatch.chdir(folder)
    again = ["build", "hospital_a/spec.toml", "--like", "run", "--out", "again", "--quiet"]
    assert main(again) == 0
    judge = ["evaluate", "run", "again", "--out", "report_again", "--resamples", "0", "--quiet"]
    assert main(judge) == 2
    assert "the model has seen" in capsys.readouterr().err
    assert not (folder / "report_again").exists()
    assert main([*judge, "--training-patients", "drop"]) == 0
    stored = json.loads((folder / "report_again" / "metrics.json").read_text())
    split = list(gdsfd.load_graph("graph_a")["patient"].split)
    assert stored["n"] == len(split) - split.count("train") - split.count("tuning")
