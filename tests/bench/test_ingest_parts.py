"""Both contestants of the benchmark of ingestion make the same arrays."""

from __future__ import annotations

import numpy as np
import pytest

from gdsfd.bench.ingest_exports import write_exports
from gdsfd.bench.ingest_parts import compare, run_gdsfd
from gdsfd.bench.opponents.pandas_ingest import run_pandas


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
