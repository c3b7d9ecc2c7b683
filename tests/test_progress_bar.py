"""A bar: on a terminal only, gone in the end, and its clock goes on while nothing ends."""

from __future__ import annotations

import io
import threading
import time

import pytest

from gdsfd import progress_bar as module
from gdsfd.progress_bar import progress_bar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("progress", "terminal", "shown"),
    [(None, True, True), (None, False, False), (False, True, False), (True, False, True)],
)
def test_shown_where_it_is_wanted(monkeypatch, progress, terminal, shown):
    stream = Terminal() if terminal else io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    before = threading.active_count()
    with progress_bar("reading", 3, "file", progress) as bar:
        bar.update()
        bar.set_postfix_str("labs")
    assert ("reading" in stream.getvalue()) == shown
    assert threading.active_count() <= before + 1  # tqdm's own monitor may stay, the clock may not


def test_the_clock_goes_on_while_nothing_ends(monkeypatch):
    stream = Terminal()
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setattr(module, "TICK", 0.02)
    with progress_bar("reading", 3, "file", True):
        time.sleep(0.3)
    assert stream.getvalue().count("reading") > 3


def test_bytes_are_written_short_with_speed_and_what_is_left(monkeypatch):
    stream = Terminal()
    monkeypatch.setattr("sys.stderr", stream)
    with progress_bar("reading", 4_000_000, "B", True) as bar:
        time.sleep(0.02)
        bar.update(1_000_000)
        bar.refresh()
        assert "1.00M/4.00M" in stream.getvalue()
        assert "MB/s" in stream.getvalue()


def test_an_error_takes_the_bar_away(monkeypatch):
    stream = Terminal()
    monkeypatch.setattr("sys.stderr", stream)
    with pytest.raises(ValueError, match="labs"), progress_bar("reading", 3, "file", True) as bar:
        raise ValueError("labs")
    assert bar.disable or stream.getvalue().endswith("\r")
