"""Progress on a real terminal: a bar with speed and what is left; none with --quiet, none with --json."""

from __future__ import annotations

import fcntl
import json
import os
import struct
import subprocess
import sys
import termios
import threading
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a pseudo-terminal")


@pytest.fixture(scope="module")
def exports(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("terminal") / "exports"
    run = subprocess.run(
        [sys.executable, "-m", "gdsfd", "simulate", "--out", str(folder), "--patients", "100", "--quiet"], timeout=120
    )
    assert run.returncode == 0
    return folder


def on_a_terminal(*words: str) -> tuple[int, str, str]:
    """Runs a command whose stderr is a terminal of 80 columns; its code, what it printed, and what the terminal got."""
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    shown: list[bytes] = []

    def read() -> None:
        try:
            while part := os.read(ours, 4096):
                shown.append(part)
        except OSError:  # the other end is closed
            pass

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    environment = {**os.environ, "TERM": "xterm", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        [sys.executable, "-m", "gdsfd", *words], stdout=subprocess.PIPE, stderr=theirs, env=environment, timeout=240
    )
    os.close(theirs)
    reader.join(timeout=10)
    os.close(ours)
    return done.returncode, done.stdout.decode(), b"".join(shown).decode()


def test_a_build_shows_bytes_speed_and_what_is_left_and_wipes_them(exports, tmp_path):
    code, printed, shown = on_a_terminal("build", str(exports / "spec.toml"), "--out", str(tmp_path / "graph"))
    assert code == 0
    assert "reading" in shown
    assert "B/s" in shown
    assert "labs" in shown
    assert shown.endswith("\r")  # nothing of the bar stays
    assert "reading" not in printed
    assert printed.startswith("COHORT")


def test_quiet_and_json_show_no_bar_and_keep_stdout_clean(exports, tmp_path):
    spec = str(exports / "spec.toml")
    assert on_a_terminal("build", spec, "--out", str(tmp_path / "one"), "--quiet") == (0, "", "")
    code, printed, shown = on_a_terminal("build", spec, "--out", str(tmp_path / "two"), "--json")
    assert (code, shown) == (0, "")
    assert json.loads(printed)["exit_code"] == 0
