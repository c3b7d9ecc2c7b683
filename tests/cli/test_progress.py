"""What long work says: a line per minute in a pipe, a bar on a terminal, nothing when it is quick or quiet."""

from __future__ import annotations

import io
import logging
import re
import time

import pytest

from gdsfd.cli import progress
from gdsfd.cli.progress import heartbeat
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.training import Debiaser
from tests.cohort_factory import make_cohort

FIRST, EVERY = progress.FIRST, progress.EVERY  # before conftest.py changes them


@pytest.fixture
def hasty(monkeypatch):
    """A minute of 50 milliseconds."""
    monkeypatch.setattr(progress, "FIRST", 0.05)
    monkeypatch.setattr(progress, "EVERY", 0.05)


def wait_for(capsys, lines: int) -> list[str]:
    seen, deadline = "", time.monotonic() + 30
    while seen.count("\n") < lines and time.monotonic() < deadline:
        time.sleep(0.01)
        seen += capsys.readouterr().err
    return seen.splitlines()


def test_a_line_now_and_then_says_how_far_it_is(hasty, capsys):
    with heartbeat("training muse", quiet=False) as tell:
        assert re.fullmatch(r"training muse \(\d+ s\)", wait_for(capsys, 1)[0])
        row = {"model": "debiased", "epoch": 7, "tuning_loss": 0.43211, "seconds": 0.5}
        tell(progress.epoch_words(row, 100))
        lines = wait_for(capsys, 3)
    left = r"at most 46 s left of this fit"
    assert re.fullmatch(
        rf"training muse: debiased, epoch 7 of at most 100, tuning loss 0\.4321, {left} \(\d+ s\)", lines[-1]
    )
    time.sleep(0.2)
    assert capsys.readouterr().err.count("\n") <= 1  # it has ended


def test_quick_work_and_quiet_work_say_nothing(capsys, monkeypatch):
    with heartbeat("training", quiet=False):
        pass
    monkeypatch.setattr(progress, "FIRST", 0.01)
    with heartbeat("training", quiet=True) as tell:
        tell("far")
        time.sleep(0.1)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("columns", [80, 30])
def test_a_terminal_has_one_line_that_is_written_anew_and_wiped(monkeypatch, columns):
    stream = Terminal()
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setattr(progress, "TICK", 0.02)
    monkeypatch.setenv("COLUMNS", str(columns))
    with heartbeat("comparing", quiet=False, line=True) as tell:
        tell("3 of 40 fits done, 12 s each, about 8 min left")
        time.sleep(0.2)
    lines = stream.getvalue().split(progress.WIPE)
    assert len(lines) > 3
    assert lines[-1] == ""
    assert all(len(line) < columns for line in lines)
    assert "\n" not in stream.getvalue()
    assert lines[1].startswith("comparing: 3 of 40 fits")


def test_work_with_a_bar_of_its_own_has_no_line(monkeypatch):
    stream = Terminal()
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setattr(progress, "TICK", 0.01)
    with heartbeat("building", quiet=False):
        time.sleep(0.05)
    with heartbeat("comparing", quiet=True, line=True):
        time.sleep(0.05)
    assert stream.getvalue() == ""


def test_the_first_line_comes_within_a_minute():
    assert FIRST <= 60
    assert EVERY <= 60


@pytest.mark.parametrize(("seconds", "words"), [(4.4, "4 s"), (60, "1 min 0 s"), (3725, "62 min 5 s")])
def test_elapsed(seconds, words):
    assert progress._elapsed(seconds) == words


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("given", "terminal", "shown"), [(None, True, True), (None, False, False), (False, True, False)]
)
def test_fit_shows_a_bar_on_a_terminal_only(monkeypatch, given, terminal, shown):
    stream = Terminal() if terminal else io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    model = Debiaser("concat", max_epochs=2, channels=4, members=1)
    model.fit(graph_from_cohort(make_cohort(60)), progress=given)
    assert ("training concat" in stream.getvalue()) == shown


def test_the_log_has_a_line_per_epoch_and_the_library_no_handler(caplog):
    graph = graph_from_cohort(make_cohort(60))
    with caplog.at_level(logging.INFO, logger="gdsfd"):
        Debiaser("concat", "strata", max_epochs=2, channels=4, members=1, guard_folds=0).fit(graph)
    own = [record.getMessage() for record in caplog.records if record.name.startswith("gdsfd")]
    assert own[0] == "training concat: 2 fits of 1 network (reference, debiased); at most 2 epochs each"
    assert own[1].startswith("training concat: reference, epoch 1 of at most 2, tuning loss ")
    assert own[3].startswith("concat, reference: ended by max_epochs=2")
    assert own[6].startswith("concat, debiased: ended by max_epochs=2")
    assert own[7].startswith("guard: ")
    assert len(own) == 8
    assert not logging.getLogger("gdsfd").handlers
    assert not logging.getLogger("gdsfd.training.progress").handlers
