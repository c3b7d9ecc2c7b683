"""Buffers whose sizes are known only after fitting: they load, and every other mismatch stays an error."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from gdsfd.nn.adjustment.fitted_buffers import FittedBuffers


class Table(FittedBuffers):
    sized_by_data = ("rows",)
    no_longer_kept = ("spread",)

    def __init__(self, rows: int = 0, width: int = 2) -> None:
        super().__init__()
        self.register_buffer("rows", torch.arange(rows * width, dtype=torch.float).view(rows, width))
        self.register_buffer("mean", torch.zeros(width))


def test_a_fresh_module_takes_the_stored_size_also_inside_another() -> None:
    stored, fresh = nn.Sequential(Table(3)), nn.Sequential(Table())
    fresh.load_state_dict(stored.state_dict())
    assert torch.equal(fresh[0].rows, stored[0].rows)
    assert fresh[0].rows.data_ptr() != stored[0].rows.data_ptr()
    fresh.load_state_dict(nn.Sequential(Table(1)).state_dict())  # and another one later
    assert fresh[0].rows.tolist() == [[0.0, 1.0]]


def test_what_earlier_versions_kept_is_left() -> None:
    stored = {**Table(2).state_dict(), "spread": torch.ones(2)}
    fresh = Table()
    fresh.load_state_dict(stored)
    assert torch.equal(fresh.rows, stored["rows"])
    assert "spread" in stored  # the caller's mapping is as it was


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rows": torch.zeros(3)}, "size mismatch for rows"),
        ({"mean": torch.zeros(3)}, "size mismatch for mean"),
        ({"other": torch.zeros(3)}, "Unexpected key"),
    ],
)
def test_other_mismatches_stay_errors(change: dict[str, torch.Tensor], message: str) -> None:
    with pytest.raises(RuntimeError, match=message):
        Table().load_state_dict({**Table(2).state_dict(), **change})


def test_a_missing_buffer_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="Missing key"):
        Table().load_state_dict({"mean": torch.zeros(2)})
