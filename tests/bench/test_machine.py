"""Rates are work over time: bytes read and written, two operations per multiplication of a matrix product."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from gdsfd.bench import machine
from gdsfd.bench.machine import measure_machine


def test_rates_follow_from_the_medians(monkeypatch):
    asked = {}

    def in_turns(calls, turns, threads, device):
        asked.update(calls=calls, given=(turns, threads, device))
        return {name: SimpleNamespace(median=number + 0.5) for number, name in enumerate(calls)}

    monkeypatch.setattr(machine, "in_turns", in_turns)
    found = measure_machine({"float32": torch.float32, "float64": torch.float64}, 2, turns=3)
    assert asked["given"] == (3, 2, "cpu")
    assert found.copy_bytes_per_second == pytest.approx(2 * 128 * 2**20 / 0.5)
    assert found.flops_per_second == pytest.approx({"float32": 2 * 1024**3 / 1.5, "float64": 2 * 1024**3 / 2.5})
    copied = asked["calls"]["copy"]()
    assert copied.numel() * copied.element_size() == 128 * 2**20
    for name, dtype in (("float32", torch.float32), ("float64", torch.float64)):
        product = asked["calls"][name]()
        assert product.dtype == dtype  # and not the last one of the loop
        assert (product == 1024).all()
