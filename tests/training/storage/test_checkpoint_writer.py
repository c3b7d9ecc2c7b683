"""Checkpoints written beside training: what was given at the time, each whole, errors told."""

from __future__ import annotations

import pytest
import torch

from gdsfd.training.state import TrainingState
from gdsfd.training.storage import checkpoint_writer
from gdsfd.training.storage.checkpoint import load_checkpoint
from gdsfd.training.storage.checkpoint_writer import CheckpointWriter


def test_what_changes_afterwards_is_not_in_the_checkpoint(tmp_path, monkeypatch):
    written = []
    real = checkpoint_writer.save_checkpoint

    def late(*arguments):
        assert weights["w"][0] == 9  # training has gone on
        real(*arguments)
        written.append(arguments)

    monkeypatch.setattr(checkpoint_writer, "save_checkpoint", late)
    weights, moment = {"w": torch.tensor([1.0, 2.0])}, torch.tensor([3.0])
    state = TrainingState(epoch=1, history=[{"epoch": 1}], best_weights={"w": torch.zeros(2)}, average=dict(weights))
    with CheckpointWriter(tmp_path, {"seed": 0}) as writer:
        hold = writer._worker.submit(_wait_until, lambda: weights["w"][0] == 9)
        writer.save(weights, lambda: {"network": {"state": {0: (moment,)}}}, state)
        weights["w"].fill_(9)
        moment.fill_(9)
        state.epoch = 2
        state.history.append({"epoch": 2})
        hold.result()
    stored, optimizer, found = load_checkpoint(tmp_path, {"seed": 0})
    assert len(written) == 1
    assert stored["w"].tolist() == [1, 2]
    assert found.average["w"].tolist() == [1, 2]
    assert optimizer["network"]["state"][0][0].tolist() == [3]
    assert (found.epoch, found.history) == (1, [{"epoch": 1}])


def _wait_until(true):
    while not true():
        pass


def test_each_epoch_is_written_and_the_newest_stays(tmp_path):
    with CheckpointWriter(tmp_path, {}) as writer:
        for epoch in (1, 2, 3):
            writer.save({"w": torch.full((2,), float(epoch))}, dict, TrainingState(epoch=epoch))
    assert [each.name for each in tmp_path.iterdir()] == ["epoch-00003"]
    assert load_checkpoint(tmp_path, {})[0]["w"].tolist() == [3, 3]


def _epochs(folder, number, error=None):
    with CheckpointWriter(folder, {}) as writer:
        for epoch in range(number):
            writer.save({"w": torch.ones(2)}, dict, TrainingState(epoch=epoch + 1))
        if error is not None:
            raise error


def test_an_error_in_training_waits_for_the_checkpoint_and_is_the_one_told(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        _epochs(tmp_path, 1, KeyboardInterrupt())
    assert load_checkpoint(tmp_path, {})[2].epoch == 1


@pytest.mark.parametrize("epochs", [1, 2])
def test_a_checkpoint_that_cannot_be_written_ends_training(tmp_path, monkeypatch, epochs):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint_writer, "save_checkpoint", full)
    with pytest.raises(OSError, match="No space left"):
        _epochs(tmp_path, epochs)


def test_without_a_folder_nothing_is_asked_for():
    with CheckpointWriter(None, {}) as writer:
        writer.save({}, lambda: pytest.fail("the optimiser's state is not wanted"), TrainingState())
