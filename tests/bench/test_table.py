"""Lines as text."""

from __future__ import annotations

from gdsfd.bench.table import bench_table
from tests.bench.lines import line


def test_a_table_per_mode_with_the_columns_there_are():
    lines = [line("plain pyg"), line("auto", seconds=0.005, step_bytes=2**30), line("auto", mode="forward+backward")]
    text = bench_table(lines)
    assert "message passing encoder, forward: 1,000 patients x 5, density 0.6, 64 channels, 2 layers, float32" in text
    assert "5.0 ms" in text
    assert "1.00 GiB" in text
    first, second = text.split("forward+backward")
    assert "own mem." in first
    assert "own mem." not in second
    assert "busy" not in text
    assert "The machine is busy" in bench_table([line("auto", load=1.5)])
