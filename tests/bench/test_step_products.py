"""What is counted as unavoidable in a training step, beside what a profiler counts."""

from __future__ import annotations

import pytest
from torch.utils.flop_counter import FlopCounterMode

from gdsfd.bench.problem import Shape
from gdsfd.bench.step_products import step_flops, step_maps, step_products


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
