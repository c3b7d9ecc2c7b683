"""The benchmark of single aggregations."""

from __future__ import annotations

import pytest

from gdsfd.bench import aggregation
from gdsfd.bench.aggregation import bench_aggregation
from gdsfd.bench.agreement import DisagreementError
from gdsfd.bench.options import Options
from gdsfd.bench.problem import Shape

SHAPE = Shape(60, 5, 0.6, channels=8)


FAST = Options(turns=3, budget=0.1, memory=False)


def test_aggregations_in_both_directions():
    lines = bench_aggregation(SHAPE, ["auto", "pyg"], FAST)
    found = {(line["part"], line["mode"], line["contestant"]) for line in lines}
    assert len(found) == len(lines) == 2 * 2 * 2
    assert all(line["copy_share"] > 0 for line in lines)
    assert all(line["speedup_over_pyg"] == 1 for line in lines if line["contestant"] == "pyg")


def test_a_backend_that_differs_from_the_reference_is_not_timed(monkeypatch):
    original = aggregation.aggregate

    def wrong(node, edge, graph, toward, backend):
        return original(node, edge, graph, toward, backend=backend) * (1.01 if backend == "auto" else 1)

    monkeypatch.setattr(aggregation, "aggregate", wrong)
    with pytest.raises(DisagreementError, match="auto toward left"):
        bench_aggregation(SHAPE, ["pyg", "auto"], FAST)
