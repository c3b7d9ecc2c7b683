"""The simulated coverage behind the report's intervals: at least 90 % wherever one is printed, less simulation error.

The full table is ``benchmarks/interval_coverage.py`` with its lines in ``benchmarks/results``.
"""

from __future__ import annotations

import importlib.util
import math
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def benchmark():
    sys.path.insert(0, str(BENCHMARKS))
    try:
        spec = importlib.util.spec_from_file_location("interval_coverage", BENCHMARKS / "interval_coverage.py")
        module = importlib.util.module_from_spec(spec)
        sys.modules["interval_coverage"] = module
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(BENCHMARKS))
    return module


def floor(n):
    """What a coverage of 90 % stays above in all but one of 1,000 simulations of size n."""
    return 0.9 - 3.1 * math.sqrt(0.9 * 0.1 / n)


@pytest.mark.slow
@pytest.mark.parametrize("positives", [5, 10, 30])
@pytest.mark.parametrize(("auroc", "per_subject"), [(0.75, 1), (0.97, 1), (0.75, 2)])
def test_every_interval_holds_the_truth_in_nine_of_ten_samples(benchmark, positives, auroc, per_subject):
    design = benchmark.Design(positives * per_subject, 4 * positives * per_subject, auroc, per_subject=per_subject)
    repetitions = 150
    for name, found in benchmark.coverage(design, repetitions, 100).items():
        printed = round(found["printed"] * repetitions)
        if printed >= 30:
            assert found["coverage"] >= floor(printed), name


@pytest.mark.parametrize("seeds", [2, 3, 5, 10])
@pytest.mark.parametrize("skewed", [False, True])
def test_intervals_over_seeds_hold_the_truth_too(benchmark, seeds, skewed):
    for name, found in benchmark.coverage_over_seeds(seeds, 300, skewed).items():
        if found["printed"] > 0.3:
            assert found["coverage"] >= floor(round(found["printed"] * 300)), name
