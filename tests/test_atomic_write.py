"""Folders and files appear whole or not at all, whatever happens while they are written."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import gdsfd.atomic_write as module
from gdsfd.atomic_write import atomic_directory, atomic_file, check_writable, put_in_place
from gdsfd.errors import InputError

MARKER, FORMAT = "thing.json", "thing"


def write(folder: Path, word: str) -> None:
    with atomic_directory(folder, MARKER, FORMAT) as temporary:
        (temporary / MARKER).write_text('{"format": "thing"}')
        (temporary / "deep").mkdir()
        (temporary / "deep" / "word.txt").write_text(word)


def word_in(folder: Path) -> str:
    return (folder / "deep" / "word.txt").read_text()


@pytest.mark.parametrize("exchange", [True, False])
def test_writes_and_overwrites_and_leaves_nothing_else(tmp_path, monkeypatch, exchange):
    if not exchange:
        monkeypatch.setattr(module, "_exchange", lambda one, other: False)
    target = tmp_path / "new" / "parents" / "out"
    write(target, "first")
    assert word_in(target) == "first"
    write(target, "second")
    assert word_in(target) == "second"
    assert os.listdir(target.parent) == ["out"]


def test_an_empty_folder_is_taken(tmp_path):
    (tmp_path / "out").mkdir()
    write(tmp_path / "out", "x")
    assert word_in(tmp_path / "out") == "x"


def test_an_error_leaves_the_old_folder(tmp_path):
    target = tmp_path / "out"
    write(target, "old")
    with pytest.raises(RuntimeError, match="half way"), atomic_directory(target, MARKER, FORMAT) as temporary:  # noqa: PT012
        (temporary / MARKER).write_text("{")
        raise RuntimeError("half way")
    assert word_in(target) == "old"
    assert os.listdir(tmp_path) == ["out"]


def test_a_kill_leaves_the_old_folder_and_the_next_write_cleans_up(tmp_path):
    target = tmp_path / "out"
    write(target, "old")
    program = (
        "import os, signal, sys\n"
        "from gdsfd.atomic_write import atomic_directory\n"
        f"with atomic_directory({str(target)!r}, 'thing.json', 'thing') as temporary:\n"
        "    (temporary / 'thing.json').write_text('half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert word_in(target) == "old"
    assert len(os.listdir(tmp_path)) == 2
    write(target, "new")
    assert word_in(target) == "new"
    assert os.listdir(tmp_path) == ["out"]


def test_a_live_neighbour_is_not_cleaned_up(tmp_path):
    with atomic_directory(tmp_path / "out", MARKER, FORMAT) as slow:
        (slow / MARKER).write_text('{"format": "thing"}')
        write(tmp_path / "out", "quick")
        assert slow.is_dir()
    assert not (tmp_path / "out" / "deep").exists()  # the slow one ended last


@pytest.mark.parametrize("content", ['{"format": "other"}', "not json", "[]"])
def test_refuses_what_is_not_ours(tmp_path, content):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / MARKER).write_text(content)
    with pytest.raises(InputError, match=r"out: the folder is not empty and holds no thing; choose another"):
        write(tmp_path / "out", "x")
    assert (tmp_path / "out" / MARKER).read_text() == content


def test_refuses_a_file(tmp_path):
    (tmp_path / "out").write_text("precious")
    with pytest.raises(InputError, match=r"expected a folder to write the thing to, got a file"):
        write(tmp_path / "out", "x")
    assert (tmp_path / "out").read_text() == "precious"


@pytest.mark.parametrize("there", [True, False], ids=["to a folder", "to nothing yet"])
def test_a_link_is_followed_and_stays(tmp_path, there):
    target, link = tmp_path / "disk" / "real", tmp_path / "link"
    link.symlink_to(target)
    if there:
        write(target, "old")
    write(link, "new")
    assert link.is_symlink()
    assert word_in(target) == word_in(link) == "new"
    assert sorted(path.name for path in tmp_path.rglob("*") if "partial" in path.name) == []
    assert [path.name for path in target.parent.iterdir()] == ["real"]


def test_a_link_to_something_else_is_refused_and_stays(tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.docx").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "thesis")
    with pytest.raises(InputError, match="not empty"):
        write(tmp_path / "link", "new")
    (tmp_path / "round").symlink_to(tmp_path / "round")
    with pytest.raises(InputError, match="cannot be written"):
        check_writable(tmp_path / "round" / "graph")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "round", "thesis"]
    assert (tmp_path / "link").is_symlink()


def test_a_place_that_cannot_be_written_is_told_before_the_work(tmp_path):
    (tmp_path / "file").write_text("x")
    for place in (tmp_path / "file" / "graph", tmp_path / "file" / "deep" / "graph"):
        with pytest.raises(
            InputError, match=r"graph cannot be written: expected a folder at .*file, got a file; choose another"
        ):
            check_writable(place)
        with pytest.raises(InputError, match="cannot be written"):
            write(place, "new")
    check_writable(tmp_path / "new" / "graph")
    check_writable(tmp_path / "new", inside=True)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_full_disk_is_told_as_such_and_leaves_the_old_folder(tmp_path):
    write(tmp_path / "out", "old")
    code = (
        "import resource\nimport numpy as np\nfrom safetensors.numpy import save_file\n"
        "from gdsfd.errors import InputError\nfrom gdsfd.atomic_write import atomic_directory\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, 1 << 16))\n"
        f"try:\n    with atomic_directory({str(tmp_path / 'out')!r}, 'thing.json', holds='thing') as folder:\n"
        "        BODY\nexcept InputError as error:\n    print(error)\n"
    )
    for body in (
        "(folder / 'x').write_bytes(bytes(1 << 20))",
        "save_file({'a': np.zeros(1 << 20)}, folder / 'x.safetensors')",
    ):
        run = subprocess.run([sys.executable, "-c", code.replace("BODY", body)], capture_output=True, text=True)
        assert "out cannot be written: File too large; free space there" in run.stdout, run.stderr
    assert word_in(tmp_path / "out") == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_whole_file_or_the_old_one(tmp_path):
    file = tmp_path / "deep" / "p.csv"
    with atomic_file(file) as temporary:
        temporary.write_text("old")
        assert not file.exists()

    def fail_halfway():
        with atomic_file(file) as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_halfway()
    assert file.read_text() == "old"
    assert [entry.name for entry in file.parent.iterdir()] == ["p.csv"]


def test_a_full_disk_is_told_and_leaves_the_old_file(tmp_path):
    (tmp_path / "p.csv").write_text("old")
    code = (
        "import resource\nfrom gdsfd.errors import InputError\nfrom gdsfd.atomic_write import atomic_file\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, 1 << 16))\n"
        f"try:\n    with atomic_file({str(tmp_path / 'p.csv')!r}) as file:\n"
        "        file.write_bytes(bytes(1 << 20))\nexcept InputError as error:\n    print(error)\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "p.csv cannot be written: File too large; free space there" in run.stdout, run.stderr
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


def test_a_folder_is_put_in_place_of_another(tmp_path):
    for name in ("new", "old"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "word").write_text(name)
    put_in_place(tmp_path / "new", tmp_path / "old")
    assert (tmp_path / "old" / "word").read_text() == "new"
    put_in_place(tmp_path / "old", tmp_path / "third")
    assert (tmp_path / "third" / "word").read_text() == "new"
