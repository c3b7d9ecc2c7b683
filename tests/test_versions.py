"""The list of versions names what is there and what is not."""

from __future__ import annotations

import importlib.metadata
import io

import torch

from gdsfd._version import __version__
from gdsfd.versions import show_versions, versions


def test_versions_are_those_installed():
    found = versions()
    assert found["gdsfd"] == __version__
    assert found["torch"] == importlib.metadata.version("torch")
    assert found["torch threads"] == str(torch.get_num_threads())


def test_an_absent_package_is_said_to_be_absent(monkeypatch):
    monkeypatch.setattr("gdsfd.versions.PACKAGES", ("numpy", "no-such-package-anywhere"))
    found = versions()
    assert found["no-such-package-anywhere"] == "not installed"
    assert found["numpy"] != "not installed"


def test_shown_one_per_line_to_a_stream_or_stdout(capsys):
    stream = io.StringIO()
    show_versions(stream)
    assert capsys.readouterr().out == ""
    lines = stream.getvalue().splitlines()
    assert len(lines) == len(versions())
    assert lines[0].split() == ["gdsfd", __version__]
    show_versions()
    assert capsys.readouterr().out == stream.getvalue()
