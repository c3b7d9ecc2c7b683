"""Text is set to a terminal's width, and left alone in a pipe."""

from __future__ import annotations

import io

import pytest

from gdsfd.cli.screen import paragraph, screen_width


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


LONG = "the guard lets the debiased network predict only where there is evidence that it is better, see https://x.y/z-a"


@pytest.mark.parametrize(("columns", "width"), [("80", 80), ("20", 60)])
def test_a_terminal_has_a_width_and_a_least_one(monkeypatch, columns, width):
    monkeypatch.setattr("sys.stdout", Terminal())
    monkeypatch.setenv("COLUMNS", columns)
    assert screen_width() == width
    assert screen_width(70) == min(width, 70)
    lines = paragraph(LONG, "  ").splitlines()
    assert len(lines) > 1
    assert all(len(line) <= width and line.startswith("  ") for line in lines)
    assert " ".join(line.strip() for line in lines) == LONG
    first, *further = paragraph(LONG, "concat  ", " " * 8).splitlines()
    assert first.startswith("concat  the guard")
    assert all(line.startswith(" " * 8) for line in further)


def test_a_pipe_has_none(monkeypatch):
    monkeypatch.setattr("sys.stdout", io.StringIO())
    assert screen_width() is None
    assert screen_width(110) == 110
    assert paragraph(LONG, "  ") == f"  {LONG}"
