"""A run killed in the middle and resumed equals the uninterrupted one, bit for bit."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from gdsfd.errors import InputError
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.graph.serialization import save_graph
from gdsfd.training import Debiaser
from gdsfd.training.storage.checkpoint import work_folder
from tests.cohort_factory import make_cohort

SETTINGS = {"max_epochs": 8, "channels": 8, "patience": 8}


class Stopped(Exception):
    pass


@pytest.mark.parametrize("backbone", ["concat", "grape", "muse"])
def test_resumed_equals_uninterrupted(backbone: str, tmp_path: Path) -> None:
    graph = graph_from_cohort(make_cohort(150))
    whole = Debiaser(backbone, **SETTINGS).fit(graph, out=tmp_path / "whole", baselines=False)

    def stop(row: dict) -> None:
        if row["epoch"] == 3:
            raise Stopped

    with pytest.raises(Stopped):
        Debiaser(backbone, **SETTINGS).fit(graph, out=tmp_path / "run", on_epoch=stop, baselines=False)
    assert not (tmp_path / "run").exists()
    with pytest.raises(InputError, match="has not finished"):
        Debiaser.load(tmp_path / "run")
    resumed = Debiaser(backbone, **SETTINGS).fit(graph, out=tmp_path / "run", resume=True, baselines=False)
    assert [row["train_loss"] for row in resumed.history] == [row["train_loss"] for row in whole.history]
    np.testing.assert_array_equal(resumed.predict_proba(graph), whole.predict_proba(graph))
    assert not work_folder(tmp_path / "run").exists()


def test_resuming_with_other_settings_is_refused(tmp_path: Path) -> None:
    graph = graph_from_cohort(make_cohort(100))

    def stop(row: dict) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        Debiaser("concat", **SETTINGS).fit(graph, out=tmp_path / "run", on_epoch=stop, baselines=False)
    with pytest.raises(InputError, match="started with other settings"):
        Debiaser("muse", **SETTINGS).fit(graph, out=tmp_path / "run", resume=True, baselines=False)


@pytest.mark.slow
def test_kill_9_then_resume_from_the_command_line(tmp_path: Path) -> None:
    save_graph(graph_from_cohort(make_cohort(400)), tmp_path / "graph")
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}

    def command(run: str, *more: str) -> list[str]:
        settings = ["--set", "max_epochs=25", "--set", "patience=25", "--set", "batch_size=32"]
        train = [sys.executable, "-m", "gdsfd", "train", str(tmp_path / "graph")]
        return [*train, "--out", str(tmp_path / run), *settings, *more]

    subprocess.run(command("whole"), check=True, env=environment, capture_output=True)
    killed = subprocess.Popen(command("run"), env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    work = work_folder(tmp_path / "run")
    deadline = time.monotonic() + 120
    while not list(work.glob("epoch-0000[3-9]")) and time.monotonic() < deadline:
        time.sleep(0.005)
    killed.send_signal(signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL, "the run ended before it could be killed"
    assert not (tmp_path / "run").exists()

    subprocess.run(command("run", "--resume"), check=True, env=environment, capture_output=True)
    whole, resumed = (json.loads((tmp_path / run / "model.json").read_text()) for run in ("whole", "run"))
    assert len(resumed["history"]) == 25
    for before, after in zip(whole["history"], resumed["history"], strict=True):
        assert {k: v for k, v in before.items() if k != "seconds"} == {k: v for k, v in after.items() if k != "seconds"}
    weights = [(tmp_path / run / "model.safetensors").read_bytes() for run in ("whole", "run")]
    assert weights[0] == weights[1]


def test_a_checkpoint_being_written_is_ignored(tmp_path: Path) -> None:
    graph = graph_from_cohort(make_cohort(100))

    def stop(row: dict) -> None:
        if row["epoch"] == 2:
            raise Stopped

    with pytest.raises(Stopped):
        Debiaser("concat", **SETTINGS).fit(graph, out=tmp_path / "run", on_epoch=stop, baselines=False)
    half = work_folder(tmp_path / "run") / "writing"
    half.mkdir()
    (half / "weights.safetensors").write_bytes(b"half")
    resumed = Debiaser("concat", **SETTINGS).fit(graph, out=tmp_path / "run", resume=True, baselines=False)
    whole = Debiaser("concat", **SETTINGS).fit(graph, baselines=False)
    np.testing.assert_array_equal(resumed.predict_proba(graph), whole.predict_proba(graph))
