"""Edge updates against the reference."""

from __future__ import annotations

import torch
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from ops.backends.triton.cases import CASES, Case, compare, gradients

from gdsfd.ops import edge_update


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(
    CASES.filter(lambda case: case.channels < 6),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
@example(Case(left=90, right=2, edges=300, channels=3), True, False, False)
@example(Case(left=90, right=2, edges=300, channels=3), True, True, True)
@example(Case(left=5, right=2, edges=9, channels=130), True, False, False)
def test_edge_update_equals_the_reference(case: Case, residual: bool, one_left: bool, one_right: bool) -> None:
    graph = case.graph()
    draw = torch.Generator().manual_seed(case.seed)
    sizes = {
        "left": 1 if one_left else graph.num_left,
        "right": 1 if one_right else graph.num_right,
        "edge": graph.num_edges,
    } | ({"residual": graph.num_edges} if residual else {})
    inputs = {
        name: torch.randn(size, case.channels, dtype=torch.float64, generator=draw, requires_grad=True)
        for name, size in sizes.items()
    }
    results = []
    for backend in ("triton", "reference"):
        out = edge_update(
            inputs["left"], inputs["right"], inputs["edge"], inputs.get("residual"), graph, case.activation, backend
        )
        results.append({"out": out.detach()} | gradients(out, inputs))
    compare(*results, 1e-10)


def test_edge_update_in_half_precision() -> None:
    graph = Case(left=20, right=3, edges=90).graph()
    draw = torch.Generator().manual_seed(0)
    wide = {
        name: torch.randn(size, 5, generator=draw).bfloat16().float().requires_grad_()
        for name, size in (("left", 20), ("right", 3), ("edge", 90), ("residual", 90))
    }
    narrow = {name: x.detach().bfloat16().requires_grad_() for name, x in wide.items()}
    results = []
    for backend, inputs in (("triton", narrow), ("reference", wide)):
        out = edge_update(*inputs.values(), graph, backend=backend)
        assert out.dtype == inputs["edge"].dtype
        results.append({"out": out.detach().float()} | {n: g.float() for n, g in gradients(out, inputs).items()})
    compare(*results, 2e-2)
