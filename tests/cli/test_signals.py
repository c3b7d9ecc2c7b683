"""Signals that would end the process at once interrupt the block, once; all else stays as it was."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator

import pytest

from gdsfd.cli import signals
from gdsfd.cli.signals import Stop, orderly_end

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.fixture(autouse=True)
def usual_handlers() -> Iterator[None]:
    """Those of a process that nobody has changed, whatever runs these tests."""
    before = {number: signal.getsignal(number) for number in ENDING}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in ENDING[1:]:
        signal.signal(number, signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def handlers() -> list[object]:
    return [signal.getsignal(number) for number in ENDING]


def interrupted(body: Callable[[], None]) -> Stop:
    """What the block knows after a body that a signal ended."""
    held = []

    def run() -> None:
        with orderly_end() as stop:
            held.append(stop)
            body()

    with pytest.raises(KeyboardInterrupt):
        run()
    return held[0]


@pytest.mark.parametrize("number", ENDING)
def test_a_signal_interrupts_the_block_and_says_which_it_was(number: signal.Signals) -> None:
    before = handlers()
    assert interrupted(lambda: signal.raise_signal(number)).number == number
    assert handlers() == before


def test_without_a_signal_nothing_is_told_and_handlers_come_back() -> None:
    before = handlers()
    with orderly_end() as stop:
        assert handlers() == [stop] * 3
    assert stop.number is None
    assert handlers() == before


def test_handlers_come_back_after_an_error_too() -> None:
    before = handlers()
    with pytest.raises(ValueError, match="broken"), orderly_end():
        raise ValueError("broken")
    assert handlers() == before


def test_a_second_signal_does_not_interrupt_the_clean_up_unless_it_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[str] = []

    def body() -> None:
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            signal.raise_signal(signal.SIGINT)
            ended.append("clean-up")

    assert interrupted(body).number == signal.SIGTERM
    assert ended == ["clean-up"]
    monkeypatch.setattr(signals, "_PATIENCE_S", -1.0)
    assert interrupted(body).number == signal.SIGINT
    assert ended == ["clean-up"]


def test_what_is_ignored_or_handled_outside_stays_so() -> None:
    heard: list[int] = []
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # nohup
    signal.signal(signal.SIGTERM, lambda number, frame: heard.append(number))
    with orderly_end() as stop:
        signal.raise_signal(signal.SIGHUP)
        signal.raise_signal(signal.SIGTERM)
    assert stop.number is None
    assert heard == [signal.SIGTERM]


def test_in_another_thread_no_handler_is_set() -> None:
    found: list[list[object]] = []

    def run() -> None:
        with orderly_end():
            found.append(handlers())

    before = handlers()
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert found == [before]


def test_a_forked_child_dies_as_it_would_have() -> None:
    with orderly_end():
        child = os.fork()
        if not child:
            signal.raise_signal(signal.SIGTERM)
            os._exit(0)
        _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status)
    assert os.WTERMSIG(status) == signal.SIGTERM
