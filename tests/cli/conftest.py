"""What holds for all tests of the command line, and runs that several of them look at."""

from __future__ import annotations

import io
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

import gdsfd
from gdsfd.cli import main, progress
from gdsfd.graph.from_cohort import graph_from_cohort
from tests.cohort_factory import make_cohort

#: A training of a moment.
QUICK = ["--epochs", "2", "--set", "channels=8", "--set", "batch_size=32", "--quiet"]
#: A demo of a moment.
SMALL = ["--patients", "300", "--epochs", "2", "--resamples", "20", "--jobs", "1"]


@pytest.fixture(autouse=True)
def no_line_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine tests take longer than the time after which long work says how far it is."""
    monkeypatch.setattr(progress, "FIRST", 3600.0)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a graph per kind of outcome (``binary``, ...) and a run on each (``run-binary``, ...)."""
    folder = tmp_path_factory.mktemp("train")
    for outcomes in ("binary", "multiclass", "multilabel"):
        gdsfd.save_graph(graph_from_cohort(make_cohort(120, outcomes=outcomes)), folder / outcomes)
        assert main(["train", str(folder / outcomes), "--out", str(folder / f"run-{outcomes}"), *QUICK]) == 0
    return folder


@dataclass(frozen=True)
class Demo:
    """A demo that has run: its folder and what it printed."""

    folder: Path
    out: str
    err: str


@pytest.fixture(scope="session")
def demo_run(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """A small demo."""
    folder, out, err = tmp_path_factory.mktemp("demo") / "demo", io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        assert main(["demo", "--out", str(folder), *SMALL, "--seed", "3"]) == 0
    return Demo(folder, out.getvalue(), err.getvalue())


@pytest.fixture
def demo(demo_run: Demo) -> Path:
    """The folder of a small demo."""
    return demo_run.folder
