"""``gdsfd evaluate`` on a run of the demo."""

from __future__ import annotations

import json

import pytest

from gdsfd.cli import main


def test_evaluate_prints_the_headline_and_writes_the_report(demo, tmp_path, capsys):
    run, graph, out = str(demo / "runs" / "muse_full"), str(demo / "graph"), tmp_path / "report"
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
    run, graph = str(demo / "runs" / "muse_full"), str(demo / "graph")
    assert main(["evaluate", run, graph, "--out", str(tmp_path / "report"), *options]) == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
