"""What a build leaves when a signal ends it: nothing at once, and after ``kill -9`` nothing once another has run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

NEEDED, NOT_NEEDED = "NEEDEDMARK", "ADDRESSMARK"
SPEC = """\
[cohort]
source = "patients.csv"
id = "pid"

[outcome]
name = "died"
column = "died"
positive = "yes"
negative = "no"

[[modality]]
name = "codes"
kind = "codes"
source = "codes.csv"
id = "pid"
code = "code"
"""


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exports")
    pid = np.arange(2_000)
    died = np.where(pid % 3 == 0, "yes", "no")
    address = [f"{NOT_NEEDED}{number}" for number in pid]
    pd.DataFrame({"pid": pid, "died": died, "address": address}).to_csv(folder / "patients.csv", index=False)
    row = np.arange(200_000)
    frame = pd.DataFrame({"pid": row % 2_000, "code": [f"{NEEDED}{number % 5_000}" for number in row]})
    frame["address"] = [f"{NOT_NEEDED}{number}" for number in row]
    frame.to_csv(folder / "codes.csv", index=False)
    (folder / "spec.toml").write_text(SPEC)
    return folder


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    (tmp_path / "tmp").mkdir()
    return tmp_path / "tmp"


def build(exports: Path, out: Path, temporary: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "gdsfd", "build", str(exports / "spec.toml"), "--out", str(out), "--quiet"]
    return subprocess.Popen(
        command,
        env={**os.environ, "TMPDIR": str(temporary)},
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # ignored in a background job
    )


def holding(*folders: Path) -> Iterator[Path]:
    """Files below folders that hold a patient's value."""
    for file in (file for folder in folders for file in folder.rglob("*") if file.is_file()):
        content = file.read_bytes()
        if NEEDED.encode() in content or NOT_NEEDED.encode() in content:
            yield file


def signalled(exports: Path, out: Path, temporary: Path, sent: signal.Signals) -> subprocess.Popen[bytes]:
    """A build, ended by a signal once patients are on the disk."""
    process = build(exports, out, temporary)
    until = time.monotonic() + 240  # a machine may be busy
    while not any(holding(out.parent)):
        assert process.poll() is None, "the build was over before the signal"
        assert time.monotonic() < until
        time.sleep(0.01)
    process.send_signal(sent)
    process.wait(240)
    return process


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGHUP, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
def test_a_signal_leaves_nothing_and_says_so(
    exports: Path, tmp_path: Path, temporary: Path, sent: signal.Signals
) -> None:
    out = tmp_path / "results" / "graph"
    out.parent.mkdir()
    process = signalled(exports, out, temporary, sent)
    assert process.returncode == 128 + sent
    assert process.stderr is not None
    assert b"gdsfd build: interrupted" in process.stderr.read()
    assert not list(out.parent.iterdir())
    assert not [path for path in temporary.iterdir() if path.name.startswith("gdsfd")]
    assert not list(holding(temporary))


@pytest.mark.parametrize(
    "same",
    [pytest.param(True, id="into the same place"), pytest.param(False, id="beside it", marks=pytest.mark.slow)],
)
def test_what_a_kill_leaves_goes_with_the_next_build(
    exports: Path, tmp_path: Path, temporary: Path, same: bool
) -> None:
    out = tmp_path / "results" / "graph"
    out.parent.mkdir()
    process = signalled(exports, out, temporary, signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    (left,) = out.parent.iterdir()
    assert left.stat().st_mode & 0o077 == 0  # nobody else can read it
    assert not [file for file in holding(left) if NOT_NEEDED.encode() in file.read_bytes()]
    dead = temporary / f"gdsfd-cohort-{'0' * 12}"  # of a Python session that was killed
    (dead / "database").mkdir(parents=True)
    (dead / "database" / "cohort.duckdb.wal").write_text(NEEDED)
    following = out if same else out.parent / "other"
    process = build(exports, following, temporary)
    assert process.wait(240) == 0
    assert list(out.parent.iterdir()) == [following]
    assert not list(holding(temporary))


def test_a_full_disk_is_not_blamed_on_the_exports(exports: Path, tmp_path: Path, temporary: Path) -> None:
    out = tmp_path / "results" / "graph"
    code = (
        "import resource, sys\nimport gdsfd.graph.build\nfrom gdsfd.cli import main\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 18, 1 << 18))\n"
        f"sys.exit(main(['build', {str(exports / 'spec.toml')!r}, '--out', {str(out)!r}]))\n"
    )
    environment = {**os.environ, "TMPDIR": str(temporary)}
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 2, run.stderr
    assert f"{out.parent}, where the database of the build lies, says: File too large; free space there" in run.stderr
    assert "codes.csv" not in run.stderr
    assert not out.parent.exists()
