"""Histories as files: CSV as given, TensorBoard anew on a resumed run."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import pytest

from gdsfd.errors import InputError
from gdsfd.training.history_log import TensorBoardLog, write_history

ROWS = [{"epoch": 1, "train_loss": 0.5, "tuning_loss": 0.75}, {"epoch": 2, "train_loss": 0.25, "tuning_loss": 1.5}]


def test_a_row_per_epoch(tmp_path: Path) -> None:
    write_history(tmp_path / "history.csv", ROWS)
    with (tmp_path / "history.csv").open(newline="") as file:
        found = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
    assert found == ROWS


def test_no_epoch_is_a_header_alone(tmp_path: Path) -> None:
    write_history(tmp_path / "history.csv", [])
    assert (tmp_path / "history.csv").read_text().split() == ["epoch"]


def test_tensorboard_is_written_anew_with_what_was_done(tmp_path: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    folder = tmp_path / "tensorboard"
    folder.mkdir()
    (folder / "old").write_text("of the run before")
    log = TensorBoardLog(folder, ROWS[:1])
    log.add(ROWS[1])
    log.close()
    assert not (folder / "old").exists()
    events = accumulator.EventAccumulator(str(folder))
    events.Reload()
    assert set(events.Tags()["scalars"]) == {"train_loss", "tuning_loss"}
    assert [(each.step, each.value) for each in events.Scalars("tuning_loss")] == [(1, 0.75), (2, 1.5)]


def test_without_the_package_it_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(InputError, match=r"pip install 'gdsfd\[tensorboard\]'"):
        TensorBoardLog(tmp_path)
