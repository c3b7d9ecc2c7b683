"""``gdsfd simulate``, ``gdsfd evaluate`` and ``gdsfd demo``, small."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from gdsfd.cli import main

OTHERS = ("gradient boosting", "logistic regression", "concat", "muse")
SMALL = ["--patients", "300", "--epochs", "2", "--resamples", "20"]


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("demo") / "demo"
    assert main(["demo", "--out", str(out), *SMALL, "--quiet"]) == 0
    return out


def test_the_whole_way(demo, tmp_path, capsys):
    assert sorted(entry.name for entry in demo.iterdir()) == ["demo.json", "exports", "graph", "report", "runs"]
    metrics = json.loads((demo / "report" / "metrics.json").read_text())
    assert set(metrics["splits"]) == {"test", "test_unbiased", "test_flipped", "test_shifted_missingness"}
    assert set(metrics["splits"]["test"]["models"]) == {"model", *OTHERS}
    page = (demo / "report" / "report.html").read_text().lower()
    for name in ("concat + full", "did debiasing help?", "against the truth of this simulation", *OTHERS):
        assert name in page
    assert metrics["debiasing"]["predicts"] == metrics["debiasing"]["guard"]["choice"]
    for name in ("muse", "concat_full"):
        file = tmp_path / f"{name}.csv"
        run, graph = str(demo / "runs" / name), str(demo / "graph")
        assert main(["predict", run, graph, "--split", "test", "--out", str(file)]) == 0
        assert file.read_text().startswith("id,split,p_no,p_yes\n")


def test_what_the_demo_prints(tmp_path, capsys):
    out = tmp_path / "demo"
    assert main(["demo", "--out", str(out), *SMALL, "--seed", "3"]) == 0
    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    assert lines[-1] == f"report: {out / 'report' / 'report.html'}"
    assert any(line.startswith("test_flipped") and "concat" in line for line in lines)
    assert "training muse" in printed.out
    assert "training concat without and with debiasing (full)" in printed.out
    assert "%|" not in printed.err  # no bar in a pipe


def test_a_demo_is_replaced_only_by_force(demo, capsys):
    before = (demo / "demo.json").stat().st_mtime_ns
    assert main(["demo", "--out", str(demo), *SMALL]) == 2
    assert "--force" in capsys.readouterr().err
    assert main(["demo", "--out", str(demo / "graph"), *SMALL, "--force"]) == 2
    assert (demo / "demo.json").stat().st_mtime_ns == before
    assert (demo / "graph" / "graph.json").exists()


@pytest.mark.parametrize(("option", "value"), [("--patients", "3"), ("--epochs", "0"), ("--seed", "-1")])
def test_wrong_demo_options_write_nothing(tmp_path, capsys, option, value):
    assert main(["demo", "--out", str(tmp_path / "demo"), option, value]) == 2
    assert value in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_evaluate_prints_the_headline_and_writes_the_report(demo, tmp_path, capsys):
    run, graph, out = str(demo / "runs" / "muse"), str(demo / "graph"), tmp_path / "report"
    arguments = ["evaluate", run, graph, "--out", str(out), "--split", "test", "tuning", "--resamples", "20"]
    assert main([*arguments, "--no-baselines"]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert [line.split()[:2] for line in printed.out.splitlines()[2:4]] == [["test", "muse"], ["tuning", "muse"]]
    assert "None of them is among its" in printed.out  # whose patients these are
    assert "on whom the epoch and the threshold were chosen" in printed.out
    assert {"metrics.json", "report.html"} <= {entry.name for entry in out.iterdir()}
    assert main(arguments) == 2
    assert "--force" in capsys.readouterr().err
    assert main([*arguments, "--force", "--quiet"]) == 0
    assert capsys.readouterr().out == ""
    assert "boosting" in json.loads((out / "metrics.json").read_text())["splits"]["test"]["models"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--split", "tset"], "Did you mean 'test'"),
        (["--resamples", "-1"], "resamples"),
        (["--split", "test", "test"], "split"),
    ],
)
def test_wrong_evaluation_options_write_nothing(demo, tmp_path, capsys, options, message):
    run, graph = str(demo / "runs" / "muse"), str(demo / "graph")
    assert main(["evaluate", run, graph, "--out", str(tmp_path / "report"), *options]) == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_simulate_takes_options_and_settings(tmp_path, capsys):
    out = tmp_path / "exports"
    arguments = ["simulate", "--out", str(out), "--patients", "200", "--mechanism", "mcar", "--seed", "4"]
    assert main([*arguments, "--set", "label_noise=0.2", "--set", "modalities=3"]) == 0
    assert "gdsfd build" in capsys.readouterr().out
    truth = json.loads((out / "truth.json").read_text())["config"]
    assert (truth["patients"], truth["mechanism"], truth["seed"], truth["label_noise"]) == (200, "mcar", 4, 0.2)
    assert len(tomllib.loads((out / "spec.toml").read_text())["modality"]) == 3
    assert main(arguments) == 2
    assert "--force" in capsys.readouterr().err
    assert main([*arguments, "--force", "--quiet"]) == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--set", "labelnoise=0.2"], "Did you mean 'label_noise'"),
        (["--confounding", "1.5"], "confounding"),
        (["--mechanism", "mmar"], "mmar"),
        (["--preset", "labelnoise"], "label_noise"),
    ],
)
def test_wrong_simulation_options_write_nothing(tmp_path, capsys, options, message):
    assert main(["simulate", "--out", str(tmp_path / "exports"), *options]) == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
