"""``gdsfd demo``, small."""

from __future__ import annotations

import json

import pytest

from gdsfd.cli import main
from tests.cli.conftest import SMALL

RIVALS = ("gradient boosting", "logistic regression")
OTHERS = (*RIVALS, *(f"{name} + margin" for name in RIVALS), "muse")


def test_the_whole_way(demo, tmp_path, capsys):
    assert sorted(entry.name for entry in demo.iterdir()) == ["demo.json", "exports", "graph", "report", "runs"]
    metrics = json.loads((demo / "report" / "metrics.json").read_text())
    assert set(metrics["splits"]) == {"test", "test_unbiased", "test_flipped", "test_shifted_missingness"}
    assert set(metrics["splits"]["test"]["models"]) == {"model", *OTHERS}
    page = (demo / "report" / "report.html").read_text().lower()
    for name in ("muse + full", "did debiasing help?", "against the truth of this simulation", *OTHERS):
        assert name in page
    assert metrics["debiasing"]["predicts"] == metrics["debiasing"]["guard"]["choice"]
    file = tmp_path / "predictions.csv"
    run, graph = str(demo / "runs" / "muse_full"), str(demo / "graph")
    assert main(["predict", run, graph, "--split", "test", "--out", str(file)]) == 0
    assert file.read_text().startswith("id,split,p_no,p_yes\n")


def test_what_the_demo_prints(demo_run):
    lines = demo_run.out.splitlines()
    assert lines[-1] == f"report: {demo_run.folder / 'report' / 'report.html'}"
    assert any(line.startswith("test_flipped") and "muse" in line for line in lines)
    assert "training muse without and with debiasing (full)" in demo_run.out
    assert "%|" not in demo_run.err  # no bar in a pipe
    assert json.loads((demo_run.folder / "demo.json").read_text())["seed"] == 3


def test_a_demo_is_replaced_only_by_force(demo, capsys):
    before = (demo / "demo.json").stat().st_mtime_ns
    assert main(["demo", "--out", str(demo), *SMALL]) == 2
    assert "--force" in capsys.readouterr().err
    assert main(["demo", "--out", str(demo / "graph"), *SMALL, "--force"]) == 2
    assert (demo / "demo.json").stat().st_mtime_ns == before
    assert (demo / "graph" / "graph.json").exists()


@pytest.mark.parametrize(
    ("option", "value"), [("--patients", "3"), ("--epochs", "0"), ("--seed", "-1"), ("--jobs", "0")]
)
def test_wrong_demo_options_write_nothing(tmp_path, capsys, option, value):
    assert main(["demo", "--out", str(tmp_path / "demo"), option, value]) == 2
    assert value in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
