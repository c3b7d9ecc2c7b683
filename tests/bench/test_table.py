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


def test_on_a_narrow_screen_columns_follow_below():
    lines = [line("plain pyg", step_bytes=2**30, peak_bytes=2**31), line("auto", step_bytes=2**29, peak_bytes=2**30)]
    rows = [row for row in bench_table(lines, 60).splitlines() if row.startswith("  ")]
    assert max(map(len, rows)) <= 60
    assert sum("plain pyg" in row for row in rows) > 1
    assert "1 thread," in bench_table([line("auto", threads=1)])
