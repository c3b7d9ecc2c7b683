"""What is counted as unavoidable in a training step, beside what a profiler counts."""

from __future__ import annotations

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from gdsfd.bench.opponents.contest import OURS
from gdsfd.bench.opponents.streams_contest import streams
from gdsfd.bench.problem import Shape
from gdsfd.bench.step_products import step_flops, step_maps, step_products, stream_maps, stream_products


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_the_products_do_as_much_as_is_counted(layers: int) -> None:
    shape = Shape(100, 3, 0.5, channels=32, layers=layers, dtype="float64")  # by torch's own kernel, which is counted
    with FlopCounterMode(display=False) as counter:
        step_products(shape, 40, 0.25)()
    assert counter.get_total_flops() == step_flops(shape, 40, 0.25)


def test_maps_of_two_layers() -> None:
    shape = Shape(100, 2, 0.5, channels=32)
    encoders = [(20, 64, False), (20, 32, True), (20, 32, True)] * 2
    first = [(40, 32, True), (80, 32, True), (40, 32, True), (80, 32, True)]
    last = [(70, 32, True), (80, 32, True), (80, 32, True)]
    assert step_maps(shape, 40, 0.25) == [*encoders, *first, *last, (80, 32, True)]


def test_a_step_of_two_streams_does_hardly_more_products_than_its_bound() -> None:
    shape = Shape(200, 3, 1.0, channels=32, dtype="float64")
    with FlopCounterMode(display=False) as bound:
        stream_products(shape, 200, 0.0)()
    maps = stream_maps(shape, 200, 0.0)
    assert bound.get_total_flops() == sum(2 * rows * into * out * (2 + moves) for rows, into, out, moves in maps)
    loss = streams(shape, 0, "cpu", False).losses[OURS]

    def in_place(total: torch.Size, one: torch.Size, other: torch.Size, **_: object) -> int:  # unknown to the counter
        return 2 * one[0] * one[1] * other[1]

    with FlopCounterMode(display=False, custom_mapping={torch.ops.aten.addmm_: in_place}) as done:
        loss(torch.arange(200)).backward()
    assert 1.0 <= done.get_total_flops() / bound.get_total_flops() < 1.05
