"""One process at a time: a held lock is refused at once, one that was left behind does not block."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gdsfd.errors import InputError
from gdsfd.process_lock import check_unlocked, process_lock

REFUSAL = "{holder} works here"

HOLD = """
import sys, time
from gdsfd.process_lock import process_lock
with process_lock(sys.argv[1], ""):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path: Path):
    """A process that holds the lock ``<tmp>/work/lock``."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "work" / "lock")], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_another_process_is_refused_by_its_number(holder, tmp_path: Path) -> None:
    file = tmp_path / "work" / "lock"
    with (
        pytest.raises(InputError, match=rf"another process \(pid {holder.pid}\) works here"),
        process_lock(file, REFUSAL),
    ):
        pass
    with pytest.raises(InputError, match=f"pid {holder.pid}"):
        check_unlocked(file, REFUSAL)
    assert file.exists()


def test_what_a_killed_process_left_does_not_block(holder, tmp_path: Path) -> None:
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    file = tmp_path / "work" / "lock"
    assert file.read_text() == str(holder.pid)
    check_unlocked(file, REFUSAL)
    with process_lock(file, REFUSAL):
        assert file.read_text() == str(os.getpid())
    assert not file.exists()


def test_a_second_one_in_the_same_process_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    with process_lock(file, REFUSAL):
        with pytest.raises(InputError, match=f"pid {os.getpid()}"), process_lock(file, REFUSAL):
            pass
        assert file.exists()  # the second one has not taken it away
    assert not file.exists()


def test_nothing_is_left_and_nothing_else_is_touched(tmp_path: Path) -> None:
    with process_lock(tmp_path / "a" / "b" / "lock", REFUSAL):
        assert (tmp_path / "a" / "b" / "lock").exists()
    assert list(tmp_path.iterdir()) == []
    with process_lock(tmp_path / "a" / "b" / "lock", REFUSAL):
        (tmp_path / "a" / "result").write_text("kept")
    assert [entry.name for entry in tmp_path.rglob("*")] == ["a", "result"]
    (tmp_path / "empty").mkdir()
    with process_lock(tmp_path / "empty" / "lock", REFUSAL):
        pass
    assert (tmp_path / "empty").is_dir()  # it was there before


def test_the_lock_of_the_next_holder_is_not_removed(tmp_path: Path) -> None:
    file = tmp_path / "work" / "lock"
    with process_lock(file, REFUSAL):
        file.unlink()
        file.write_text("of another")
    assert file.read_text() == "of another"


def test_a_folder_that_cannot_be_written_is_the_users_input(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written to"), process_lock(tmp_path / "file" / "lock", REFUSAL):
        pass
