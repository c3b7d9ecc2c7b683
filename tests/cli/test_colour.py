"""Colour on a terminal, plain text everywhere else."""

from __future__ import annotations

import io
import os
import subprocess
import sys

import pytest

from gdsfd.cli.colour import RED, painted


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")


def test_a_terminal_gets_colour_and_a_pipe_none():
    assert painted("error:", RED, Terminal()) == "\033[31;1merror:\033[0m"
    assert painted("error:", RED, io.StringIO()) == "error:"


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_a_terminal_that_wants_none_gets_none(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    assert painted("error:", RED, Terminal()) == "error:"


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a pseudo-terminal")
def test_an_error_on_a_real_terminal_is_coloured(tmp_path):
    """The whole way: stderr is a pseudo-terminal, stdout a pipe."""
    ours, theirs = os.openpty()
    command = [sys.executable, "-m", "gdsfd", "check", str(tmp_path / "none.toml")]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=theirs, timeout=60)
    os.close(theirs)
    said = os.read(ours, 65536).decode()
    os.close(ours)
    assert done.returncode == 2
    assert "gdsfd check: \033[31;1merror:\033[0m " in said
    assert done.stdout == b""
