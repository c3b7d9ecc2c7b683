"""The benchmark of ingestion."""

from __future__ import annotations

import numpy as np
import pytest

from gdsfd.bench.ingest import bench_ingest
from gdsfd.bench.ingest_exports import write_exports
from gdsfd.bench.ingest_parts import compare, run_gdsfd
from gdsfd.bench.opponents.pandas_ingest import run_pandas
from gdsfd.bench.options import Options


def test_both_contestants_make_the_same_arrays(tmp_path):
    write_exports(tmp_path, events=3000, patients=40, seed=1)
    arrays = {}
    for name, run in (("gdsfd", run_gdsfd), ("pandas", run_pandas)):
        _, arrays[name] = run(tmp_path)
        for key, array in arrays[name].items():
            np.save(tmp_path / f"{name} {key}.npy", np.asarray(array))
    compare(tmp_path)
    assert len(arrays["gdsfd"]["value"]) > 1000
    wrong = np.asarray(arrays["pandas"]["mean"]).copy()
    wrong[3] += 1
    np.save(tmp_path / "pandas mean.npy", wrong)
    with pytest.raises(SystemExit, match="the contestants differ in 'mean'"):
        compare(tmp_path)


def test_lines_of_whole_processes():
    lines = bench_ingest(2000, 30, "process", 1, Options())
    assert [line["contestant"] for line in lines] == ["gdsfd", "pandas"]
    for line in lines:
        assert line["measures"] == "process"
        assert line["shape"] == {"events": 2000, "patients": 30, "items": 30, "bin_minutes": 60}
        assert line["peak_bytes"] > 2**20
        assert line["events_per_second"] == pytest.approx(2000 / line["seconds"])
