"""Arrays are the same whether they are held in memory or mapped from a file."""

from __future__ import annotations

import errno
import gc
import json
import logging
import mmap
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
from torch_geometric.data import HeteroData

from gdsfd import large_arrays
from gdsfd.errors import InputError
from gdsfd.graph import load_graph, save_graph
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.large_arrays import GrowingArray, expect, largest_held, memory_left, without_room, zeros
from gdsfd.nn import grid_store
from gdsfd.training import Debiaser
from tests.cohort_factory import make_cohort

SETTINGS = {"max_epochs": 2, "channels": 8, "members": 2, "batch_size": 64, "guard": "debiased", "accelerator": "cpu"}


@pytest.mark.parametrize("limit", [0, 40, 10**9])
@pytest.mark.parametrize("width", [(), (3,), (2, 2)])
def test_pieces_give_the_array_that_they_are_parts_of(
    limit: int, width: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GDSFD_ARRAY_BYTES", str(limit))
    generator = np.random.default_rng(0)
    pieces = [generator.normal(size=(rows, *width)).astype(np.float32) for rows in (3, 0, 5, 1, 7)]
    array = GrowingArray(np.float32, width)
    for piece in pieces:
        array.append(piece)
    found = array.finish()
    assert isinstance(found, np.memmap) == (limit < 10**9)
    assert found.dtype == np.float32
    assert np.array_equal(found, np.concatenate(pieces))
    found[0] = 7  # it can be written to, as any array
    assert (found[0] == 7).all()


@pytest.mark.parametrize("limit", ["0", "1000000"])
def test_an_array_without_rows(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GDSFD_ARRAY_BYTES", limit)
    assert GrowingArray(np.int32, (6,)).finish().shape == (0, 6)
    nothing = GrowingArray(np.int32)
    nothing.append(np.zeros(0))
    assert nothing.finish().dtype == np.int32


def test_rows_of_another_width_are_refused() -> None:
    with pytest.raises(ValueError, match=r"expected rows of shape \(3,\), got \(2,\)"):
        GrowingArray(np.float32, (3,)).append(np.zeros((1, 2)))


def test_large_zeros_are_a_file_that_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GDSFD_ARRAY_BYTES", "100")
    array = zeros((50, 2), np.float32, tmp_path)
    assert isinstance(array, np.memmap)
    assert not list(tmp_path.iterdir())  # without a name from the beginning
    array[10:20] = 1
    assert array.sum() == 20
    assert not isinstance(zeros((5, 2), np.float32, tmp_path), np.memmap)
    handles = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else None
    del array
    gc.collect()
    if handles is not None:
        assert len(os.listdir("/proc/self/fd")) <= handles


@pytest.mark.parametrize("width", [1, 300, 2000])
def test_rows_that_are_expected_are_asked_of_the_disk_and_no_others(
    width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GDSFD_ARRAY_BYTES", "0")
    array = zeros((4000, width), np.float32)
    assert isinstance(array, np.memmap)
    asked: list[tuple[int, int]] = []

    class Memory:
        def madvise(self, option: int, start: int, length: int) -> None:
            assert option == mmap.MADV_WILLNEED
            asked.append((start, start + length))
            array._mmap.madvise(option, start, length)  # the kernel takes it

    rows = np.random.default_rng(0).integers(0, 4000, 50)
    view = array.view()
    view._mmap = Memory()
    expect(view, rows)
    page = mmap.PAGESIZE
    wanted = {place // page for row in rows.tolist() for place in range(row * width * 4, (row + 1) * width * 4)}
    covered = [number for first, last in asked for number in range(first // page, last // page)]
    assert sorted(covered) == sorted(set(covered))
    assert wanted <= set(covered)
    assert len(set(covered) - wanted) == 0
    asked.clear()
    expect(view, np.arange(100, 1000))  # neighbours are asked for in one go
    assert len(asked) == 1
    expect(np.zeros((3, 3)), np.array([1]))


def test_a_full_disk_is_told_when_the_array_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GDSFD_ARRAY_BYTES", "100")
    with pytest.raises(OSError, match=r"No space left|too large"):
        zeros((2**50,), np.float32, tmp_path)


def test_a_control_group_says_how_much_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limit, used, facts = tmp_path / "limit", tmp_path / "used", tmp_path / "facts"
    files = [(str(limit), str(used), str(facts)), ("none", "none", "none")]
    monkeypatch.setattr(large_arrays, "_control_group_files", lambda: files)
    for text, expected in (("5000", 3000), ("max", None), (str(2**63 - 4096), None), ("1000", 0)):
        limit.write_text(f"{text}\n")
        used.write_text("2000\n")
        left = memory_left()
        assert left == expected if expected is not None else left > 2**20
    limit.write_text("2500")
    for told, kept in (("cache 9\ninactive_file 700\n", 700), ("inactive_file 1\ntotal_inactive_file 900\n", 900)):
        facts.write_text(told)
        assert memory_left() == 500 + kept  # what is kept of files is there to be had


@pytest.mark.parametrize("asked", ["1e9", "-1", "1 GB", " 5"])
def test_a_size_that_is_no_number_of_bytes(asked: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GDSFD_ARRAY_BYTES", asked)
    with pytest.raises(InputError, match="GDSFD_ARRAY_BYTES: expected bytes as a whole number"):
        largest_held()


def test_without_a_number_asked_for_a_share_of_what_is_left_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GDSFD_ARRAY_BYTES", raising=False)
    monkeypatch.setattr(large_arrays, "memory_left", lambda: 2**34)
    assert largest_held() == 2**30
    monkeypatch.setattr(large_arrays, "memory_left", lambda: 0)
    assert largest_held() == 2**24


@pytest.mark.parametrize(("backbone", "debias"), [("concat", "none"), ("muse", "full"), ("grape", "none")])
def test_what_is_trained_from_files_is_what_is_trained_in_memory(
    backbone: str, debias: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = graph_from_cohort(make_cohort(150))
    held = Debiaser(backbone, debias=debias, **SETTINGS).fit(graph)
    save_graph(graph, tmp_path / "graph")
    monkeypatch.setenv("GDSFD_ARRAY_BYTES", "0")
    mapped = load_graph(tmp_path / "graph")
    found = Debiaser(backbone, debias=debias, **SETTINGS).fit(mapped)
    assert _without_seconds(found) == _without_seconds(held)
    assert np.array_equal(found.predict_proba(mapped), held.predict_proba(graph))


def _without_seconds(model: Debiaser) -> list[dict[str, float]]:
    return [{key: value for key, value in row.items() if key != "seconds"} for row in model.history_]


@pytest.mark.parametrize("backbone", ["concat", "grape"])
def test_without_room_on_the_disk_training_is_slower_and_the_same(
    backbone: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    graph = graph_from_cohort(make_cohort(150))
    with monkeypatch.context() as small:
        small.setattr(grid_store, "MOST_BYTES", 0)  # edge lists are what remains
        held = Debiaser(backbone, **SETTINGS).fit(graph, baselines=False).predict_proba(graph)
    monkeypatch.setenv("GDSFD_ARRAY_BYTES", "0")

    def full(folder: Path | None) -> NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(large_arrays, "_file", full)
    with caplog.at_level(logging.WARNING):
        found = Debiaser(backbone, **SETTINGS).fit(graph, baselines=False).predict_proba(graph)
    assert "has no room for them; free space there or set TMPDIR" in caplog.text
    assert np.array_equal(found, held)


def test_other_faults_of_a_disk_are_not_passed_over() -> None:
    with pytest.raises(OSError, match="Input/output"), without_room("slower"):
        raise OSError(errno.EIO, "Input/output error")


ROUND = """
import json, sys
import gdsfd
from gdsfd.graph import load_graph
graph = load_graph(sys.argv[1])
settings = dict(max_epochs=1, channels=16, members=1, batch_size=512, accelerator="cpu", boosted_members=0)
model = gdsfd.Debiaser("muse", **settings).fit(graph, baselines=False, out=sys.argv[2])
chance = gdsfd.Debiaser.load(sys.argv[2]).predict_proba(graph)[:, 1]
history = [{key: value for key, value in row.items() if key != "seconds"} for row in model.history_]
print(json.dumps([history, chance[::97].tolist(), float(chance.sum())]))
"""
LIMIT = 768 << 20  #: bytes; Python, torch and what they hold take half of it
GROUPS = Path("/sys/fs/cgroup/memory")


@pytest.mark.slow
def test_a_graph_of_three_times_the_memory_allowed_trains_to_the_same_numbers(tmp_path: Path) -> None:
    group = GROUPS / f"gdsfd-test-{os.getpid()}"
    try:
        group.mkdir()
        (group / "memory.limit_in_bytes").write_text(str(LIMIT))
    except OSError as error:
        pytest.skip(f"memory cannot be limited here: {error}")
    try:
        save_graph(_wide_graph(), tmp_path / "graph")
        assert (tmp_path / "graph" / "tensors.safetensors").stat().st_size > 3 * LIMIT
        held = _round(tmp_path, "held", None)
        found = _round(tmp_path, "limited", group)
        assert int((group / "memory.max_usage_in_bytes").read_text()) <= LIMIT
        assert found == held
    finally:
        group.rmdir()


def _wide_graph() -> HeteroData:
    """340,000 patients of whom nine of ten have a vector of 2,000 numbers that tells a little of the outcome."""
    cohort, width = make_cohort(340_000, presence=1.0), 2_000
    note = cohort.observations["note"]
    generator = np.random.default_rng(0)
    vector = np.empty((len(note.patient), width), np.float32)
    told = np.nan_to_num(cohort.y[note.patient, 0])
    for first in range(0, len(vector), 10_000):
        some = slice(first, first + 10_000)
        vector[some] = generator.standard_normal((len(vector[some]), width), np.float32) + 0.05 * told[some, None]
    note.vector = vector
    fields = [
        replace(each, width=width, scales=each.scales[-1:] * width) if each.name == "note" else each
        for each in cohort.schema.modalities
    ]
    cohort.schema = replace(cohort.schema, modalities=tuple(fields))
    return graph_from_cohort(cohort)


def _round(folder: Path, name: str, group: Path | None) -> object:
    """What a process of its own makes of the graph, with limited memory where a control group is given."""

    def enter() -> None:
        if group is not None:
            (group / "cgroup.procs").write_text(str(os.getpid()))

    command = [sys.executable, "-c", ROUND, str(folder / "graph"), str(folder / name)]
    environment = {**os.environ, "TMPDIR": str(folder)}
    done = subprocess.run(command, preexec_fn=enter, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])
