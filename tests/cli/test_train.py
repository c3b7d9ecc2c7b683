"""``gdsfd train`` on a small random graph."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch

import gdsfd
from gdsfd.cli import main
from gdsfd.graph.from_cohort import graph_from_cohort
from tests.cli.conftest import QUICK
from tests.cohort_factory import make_cohort


def test_training_is_what_python_does(trained, capsys):
    graph = gdsfd.load_graph(trained / "binary")
    model = gdsfd.Debiaser(max_epochs=2, channels=8, batch_size=32).fit(graph)
    stored = gdsfd.Debiaser.load(trained / "run-binary")
    np.testing.assert_array_equal(model.predict_proba(graph, split="test"), stored.predict_proba(graph, split="test"))
    assert capsys.readouterr().err == ""  # no bar in a pipe


def test_the_account_of_a_run(trained, tmp_path, capsys):
    arguments = ["train", str(trained / "binary"), "--out", str(tmp_path / "run"), "--backbone", "concat", *QUICK[:-1]]
    assert main(arguments) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith(
        "plan: 1 fit of 4 networks, 2 beside boosted trees (reference); at most 2 epochs each\nconcat, "
    )
    assert "2 epochs" in printed.out
    assert str(tmp_path / "run") in printed.out
    assert printed.err == ""


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--backbone", "conct"], "unknown backbone 'conct'. Did you mean 'concat'?"),
        (["--debias", "fulll"], "unknown debias 'fulll'. Did you mean 'full'?"),
        (["--set", "chanels=8"], "there is no setting 'chanels'. Did you mean 'channels'?"),
        (["--set", "channels=none"], "'channels': expected a whole number"),
        (["--epochs", "0"], "'max_epochs': expected a whole number from 1 to 100,000, got 0"),
        (["--epochs", "3", "--set", "max_epochs=4"], "'max_epochs' is given twice"),
    ],
)
def test_wrong_training_options_write_nothing(trained, tmp_path, capsys, options, message):
    assert main(["train", str(trained / "binary"), "--out", str(tmp_path / "run"), *options]) == 2
    printed = capsys.readouterr()
    assert message in printed.err
    assert len(printed.err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_graph_that_is_not_there_writes_nothing(tmp_path, capsys):
    assert main(["train", "nowhere", "--out", str(tmp_path / "run")]) == 2
    assert "nowhere" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_earlier_results_are_kept_without_force(trained, tmp_path, capsys):
    run, graph = str(trained / "run-binary"), str(trained / "binary")
    before = (trained / "run-binary" / "model.safetensors").read_bytes()
    assert main(["train", graph, "--out", run, *QUICK, "--seed", "5"]) == 2
    assert "--force" in capsys.readouterr().err
    assert (trained / "run-binary" / "model.safetensors").read_bytes() == before


def test_resuming_a_finished_run_does_nothing(trained, capsys):
    before = (trained / "run-binary" / "model.safetensors").stat().st_mtime_ns
    assert main(["train", str(trained / "binary"), "--out", str(trained / "run-binary"), *QUICK, "--resume"]) == 0
    assert "finished" in capsys.readouterr().err
    assert (trained / "run-binary" / "model.safetensors").stat().st_mtime_ns == before


def test_killed_and_resumed_equals_uninterrupted(trained, tmp_path):
    options = ["--epochs", "12", "--set", "channels=8", "--set", "batch_size=16", "--set", "patience=12", "--quiet"]
    graph = str(trained / "binary")
    killed = [sys.executable, "-m", "gdsfd", "train", graph, "--out", str(tmp_path / "killed"), *options]
    process = subprocess.Popen(killed)
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob(".killed*/epoch-0000[2-9]")) and process.poll() is None:
        assert time.monotonic() < deadline, "no checkpoint appeared"
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert process.returncode == -signal.SIGKILL, "the run ended before it could be killed; give it more epochs"
    assert not (tmp_path / "killed").exists()
    assert main(["predict", str(tmp_path / "killed"), graph, "--out", str(tmp_path / "p.csv")]) == 2
    arguments = killed[3:]
    assert main([*arguments, "--resume"]) == 0
    assert main(["train", graph, "--out", str(tmp_path / "whole"), *options]) == 0
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("killed", "whole")]
    assert weights[0] == weights[1]
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["killed", "whole"]


def test_a_second_training_into_the_same_folder_is_refused_at_once(trained, tmp_path, capsys):
    graph, run = str(trained / "binary"), str(tmp_path / "run")
    first = subprocess.Popen([sys.executable, "-m", "gdsfd", "train", graph, "--out", run, "--set", "patience=100"])
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob(".run.training/epoch-*")) and first.poll() is None:
        assert time.monotonic() < deadline, "no checkpoint appeared"
        time.sleep(0.01)
    for options in ([], ["--resume"], ["--force"]):
        assert main(["train", graph, "--out", run, *QUICK, *options]) == 2
        assert f"another process (pid {first.pid}) trains into this folder" in capsys.readouterr().err
    assert list(tmp_path.glob(".run.training/epoch-*"))
    first.kill()
    first.wait()
    assert main(["train", graph, "--out", run, *QUICK]) == 0  # what a killed process left does not block
    assert [entry.name for entry in tmp_path.iterdir()] == ["run"]


def one_class(graph):
    graph["patient"].y[:] = 1.0


def no_labels(graph):
    graph["patient"].y[:] = float("nan")


def no_tuning(graph):
    graph["patient"].split = ["train" if name == "tuning" else name for name in graph["patient"].split]


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        (one_class, [], "all labelled training patients are 'yes', there is nothing to learn"),
        (no_labels, [], "the split 'train' has no labelled patient"),
        (no_tuning, [], "the graph has no split 'tuning'"),
        (None, ["--set", "accelerator=cuda"], "setting 'accelerator': 'cuda' was asked for"),
        (None, ["--set", "precision=16-mixed", "--set", "accelerator=cpu"], "'16-mixed' needs a GPU"),
        (
            None,
            ["--set", 'learning_rate="1e-3"'],
            "'learning_rate': expected a number from 0 to 10 or",
        ),
        (None, ["--set", "learning_rate=nan"], "got nan"),
        (None, ["--set", "members=1000000000"], "'members': expected a whole number from 1 to 64 or none"),
        (None, ["--set", "channels=true"], "'channels': expected a whole number from 1 to 4,096 or none, got True"),
        (None, ["--set", 'suspects=["groups", "patern"]'], "got 'patern'. Did you mean 'pattern'?"),
        (None, ["--set", "backbone_options.layer=3"], "unknown option of the backbone 'muse': 'layer'"),
        (None, ["--seed", "-1"], "seed: expected a whole number from 0 to 4,294,967,295, got -1"),
    ],
)
@pytest.mark.skipif(torch.cuda.is_available(), reason="looks at what is said without a GPU")
def test_what_cannot_be_trained_is_said_before_the_work(tmp_path, capsys, change, options, message):
    graph = graph_from_cohort(make_cohort(60))
    if change is not None:
        change(graph)
    gdsfd.save_graph(graph, tmp_path / "graph")
    assert main(["train", str(tmp_path / "graph"), "--out", str(tmp_path / "runs" / "run"), *options]) == 2
    printed = capsys.readouterr()
    assert message in printed.err
    assert len(printed.err.splitlines()) == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["graph"]
