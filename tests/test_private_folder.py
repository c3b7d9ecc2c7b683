"""Temporary folders are their maker's alone, go with the block, and those of dead processes go with the next."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from gdsfd.private_folder import folder_beside, private_folder, remove_dead_folders


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The system's place for temporary files."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    return tmp_path / "tmp"


def mode(folder: Path) -> int:
    return stat.S_IMODE(folder.stat().st_mode)


def test_a_folder_is_private_and_goes_with_the_block(temporary: Path) -> None:
    with private_folder("cohort") as folder, private_folder("cohort") as other:
        assert folder != other
        assert folder.parent == temporary
        assert mode(folder) == 0o700
        (folder / "database").mkdir()
        (folder / "database" / "x").write_text("patients")
    assert not list(temporary.iterdir())
    with pytest.raises(ValueError, match="broken"), private_folder("cohort"):
        raise ValueError("broken")
    assert not list(temporary.iterdir())


def test_only_what_looks_like_ours_and_nobody_holds_is_removed(temporary: Path) -> None:
    dead = temporary / f"gdsfd-jobs-{'0' * 12}"
    mine = [temporary / name for name in ("gdsfd-results", "gdsfd-cohort-notours", f"x-gdsfd-cohort-{'0' * 12}")]
    for folder in (dead, *mine):
        folder.mkdir()
        (folder / "x").write_text("x")
    elsewhere = temporary.parent / "precious"
    elsewhere.mkdir()
    link = temporary / f"gdsfd-cohort-{'1' * 12}"
    link.symlink_to(elsewhere)
    file = temporary / f"gdsfd-cohort-{'2' * 12}"
    file.write_text("a file")
    with private_folder("cohort") as held:
        assert not dead.exists()
        remove_dead_folders()
        assert held.is_dir()
    assert all((folder / "x").exists() for folder in mine)
    assert elsewhere.is_dir()
    assert link.is_symlink()
    assert file.read_text() == "a file"


def test_a_folder_beside_another_takes_its_parents_along_unless_they_are_used(tmp_path: Path) -> None:
    target = tmp_path / "a" / "b" / "graph"
    with folder_beside(target) as folder:
        assert folder.parent == target.parent
        assert folder.name.startswith(".graph.")
        assert folder.name.endswith(".partial")
        assert mode(folder) == 0o700
    assert not list(tmp_path.iterdir())
    with folder_beside(target) as folder:
        folder.rename(target)
    assert target.is_dir()  # what was put in place stays, with its parents
    assert list(target.parent.iterdir()) == [target]


def test_what_a_dead_process_left_beside_goes_and_hidden_files_stay(tmp_path: Path) -> None:
    left = tmp_path / ".other.0123abcd.partial"
    left.mkdir()
    (left / "x").write_text("patients")
    kept = [tmp_path / name for name in (".git", ".other.0123abcd.partial.d", ".other.partial")]
    for folder in kept:
        folder.mkdir()
    with folder_beside(tmp_path / "graph", mode=0o755) as folder:
        assert not left.exists()
        assert mode(folder) & 0o700 == 0o700
    assert sorted(tmp_path.iterdir()) == sorted(kept)


def test_a_private_folder_of_a_dead_process_goes_and_that_of_a_live_one_stays(temporary: Path) -> None:
    code = "import os\nfrom gdsfd.private_folder import private_folder\nwith private_folder('cohort') as folder:\n"
    code += "    (folder / 'x').write_text('NEEDEDMARK')\n"
    environment = {**os.environ, "TMPDIR": str(temporary)}
    died = subprocess.run([sys.executable, "-c", code + "    os.kill(os.getpid(), 9)\n"], env=environment, check=False)
    assert died.returncode == -signal.SIGKILL
    (left,) = temporary.glob("gdsfd-cohort-*")
    waits = code + "    print('ready', flush=True)\n    input()\n"
    with subprocess.Popen(
        [sys.executable, "-c", waits], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as alive:
        assert alive.stdout is not None
        assert alive.stdout.readline() == b"ready\n"
        assert not left.exists()
        (held,) = temporary.glob("gdsfd-cohort-*")
        assert held.stat().st_mode & 0o077 == 0
        subprocess.run([sys.executable, "-c", code], env=environment, check=True)
        assert list(temporary.glob("gdsfd-cohort-*")) == [held]
        alive.communicate(b"\n")
    assert not list(temporary.glob("gdsfd-*"))
