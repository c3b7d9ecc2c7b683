"""The benchmark of ingestion."""

from __future__ import annotations

import pytest

from gdsfd.bench.ingest import bench_ingest
from gdsfd.bench.options import Options


def test_lines_of_whole_processes():
    lines = bench_ingest(2000, 30, "process", 1, Options())
    assert [line["contestant"] for line in lines] == ["gdsfd", "pandas"]
    for line in lines:
        assert line["measures"] == "process"
        assert line["shape"] == {"events": 2000, "patients": 30, "items": 30, "bin_minutes": 60}
        assert line["peak_bytes"] > 2**20
        assert line["events_per_second"] == pytest.approx(2000 / line["seconds"])
