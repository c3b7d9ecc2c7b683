"""Memory accounts of processes of their own."""

from __future__ import annotations

import pytest
import torch

from gdsfd.bench.memory import measure_memory, step_account
from gdsfd.errors import GdsfdError

SHAPE = {"patients": 2000, "modalities": 5, "density": 0.6, "channels": 64, "layers": 2, "dtype": "float32"}


def test_a_step_that_needs_64_mib_is_seen_to():
    def call() -> dict[str, int]:
        return {"numbers": torch.ones(2**24).numel()}

    step_account(call, "cpu")  # whatever is loaded on first use
    account = step_account(call, "cpu")
    assert 60 * 2**20 < account["step_bytes"] < 100 * 2**20
    assert account["peak_bytes"] > account["step_bytes"]
    assert account["numbers"] == 2**24


def test_plain_pyg_needs_more_than_the_package():
    accounts = {}
    for name in ("plain pyg", "auto"):
        arguments = {"shape": SHAPE, "contestant": name, "backward": True, "seed": 0}
        accounts[name] = measure_memory("message_passing", arguments, 1, "cpu")
    edges = 6000 * 64 * 4
    assert accounts["plain pyg"]["step_bytes"] > 5 * edges
    assert accounts["auto"]["step_bytes"] < accounts["plain pyg"]["step_bytes"]


def test_a_process_that_fails_is_told():
    arguments = {"shape": SHAPE, "contestant": "no such backend", "backward": False, "seed": 0}
    with pytest.raises(GdsfdError, match=r"the process that measures memory failed: .*backend"):
        measure_memory("message_passing", arguments, 1, "cpu")
