"""What cannot be avoided, counted by hand and by torch."""

from __future__ import annotations

import pytest
from torch.utils.flop_counter import FlopCounterMode

from gdsfd.bench.encoder import make_encoders
from gdsfd.bench.problem import Shape, make_problem
from gdsfd.bench.work import aggregation_bytes, bare_products, encoder_bytes, flops, products


def test_the_products_of_two_layers():
    shape = Shape(100, 5, 0.6, channels=8, layers=2)
    rows = [product.rows for product in products(shape, 300)]
    # Edges: two messages, one update. Patients: two updates, and for the second layer messages, kept, edge update.
    assert rows.count(300) == 3
    assert rows.count(100) == 2 + 3
    assert rows.count(1) == 2
    assert rows.count(5) == 2 * 3 + 1


@pytest.mark.parametrize("backward", [False, True])
def test_the_bare_products_do_as_much_as_is_counted(backward):
    shape = Shape(40, 3, 0.6, channels=16, layers=3)
    with FlopCounterMode(display=False) as counter:
        bare_products(shape, 70, backward)()
    assert counter.get_total_flops() == flops(shape, 70, backward)


def test_the_package_does_little_more_and_plain_pyg_more_than_twice_as_much():
    shape = Shape(60, 5, 0.6, channels=16, dtype="float64")  # a kernel for float32 is not in torch's account
    problem = make_problem(shape, 0, backward=False)
    edges = problem.layout.num_edges
    sparse, plain = make_encoders(shape, 0)
    done = {}
    for name, call in (
        ("sparse", lambda: sparse(problem.tokens, problem.layout, "reference")),
        ("plain", lambda: plain(problem.tokens, plain.edge_index(problem.layout), shape.patients)),
    ):
        with FlopCounterMode(display=False) as counter:
            call()
        done[name] = counter.get_total_flops()
    needed = flops(shape, edges, backward=False)
    assert needed <= done["sparse"] <= 1.05 * needed
    assert done["plain"] > 2 * needed


def test_bytes_grow_with_the_number_type_and_thrice_with_backward():
    narrow, wide = Shape(50, 5, channels=8), Shape(50, 5, channels=8, dtype="float64")
    indices = 2 * 8 * 150 * 2
    assert encoder_bytes(wide, 150, False) - indices == 2 * (encoder_bytes(narrow, 150, False) - indices)
    assert encoder_bytes(narrow, 150, True) == 3 * encoder_bytes(narrow, 150, False)


def test_bytes_of_an_aggregation():
    assert aggregation_bytes(10, 3, 4, 2, 4, backward=False) == (10 + 3 + 4) * 2 * 4 + 80
    assert aggregation_bytes(10, 3, 4, 2, 4, backward=True) == (10 + 3 + 4 + 20 + 6 + 4) * 2 * 4 + 160
