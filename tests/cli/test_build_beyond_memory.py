"""A graph three times as large as the memory of its build, which the kernel limits."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

LIMIT = 1 << 30
PATIENTS, ITEMS = 30_000, 2_700  # every patient has every item once: 40 bytes of the graph each
PIECE = 1_000
GROUPS = Path("/sys/fs/cgroup/memory")

SPEC = """
[cohort]
source = "cohort.parquet"
id = "stay"

[outcome]
name = "death"
column = "died"
positive = 1

[[modality]]
name = "labs"
kind = "events"
source = "labs.parquet"
id = "stay"
item = "item"
value = "value"
"""


@pytest.fixture
def group() -> Iterator[Path]:
    """A control group of at most LIMIT bytes, files in the kernel's cache included."""
    group = GROUPS / f"gdsfd-test-{os.getpid()}"
    try:
        group.mkdir()
        (group / "memory.limit_in_bytes").write_text(str(LIMIT))
    except OSError as error:
        with suppress(OSError):
            group.rmdir()
        pytest.skip(f"no control group of version 1 can be made here: {error}")
    yield group
    group.rmdir()


def write_exports(folder: Path) -> None:
    """Events in the order of patients within a thousand, items in another order for each."""
    random = np.random.default_rng(0)
    ids = np.arange(PATIENTS)
    died = random.random(PATIENTS) < 0.3
    pq.write_table(pa.table({"stay": ids, "died": died.astype(np.int8)}), folder / "cohort.parquet")
    names = pa.array([f"item {number:04d}" for number in range(ITEMS)])
    writer = None
    for first in range(0, PATIENTS, PIECE):
        owner = np.repeat(ids[first : first + PIECE], ITEMS)
        items = np.tile(random.permutation(ITEMS).astype(np.int32), PIECE)
        value = (random.standard_normal(len(owner), dtype=np.float32) + died[owner]).round(1)
        columns = {"stay": owner, "item": pa.DictionaryArray.from_arrays(pa.array(items), names), "value": value}
        table = pa.table(columns)
        writer = writer or pq.ParquetWriter(folder / "labs.parquet", table.schema)
        writer.write_table(table)
    assert writer is not None
    writer.close()
    (folder / "spec.toml").write_text(SPEC)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_graph_three_times_as_large_as_memory(group: Path, tmp_path: Path) -> None:
    write_exports(tmp_path)
    build = [sys.executable, "-m", "gdsfd", "build", str(tmp_path / "spec.toml"), "--out", str(tmp_path / "graph")]
    inside = ["sh", "-c", f'echo $$ > {group}/cgroup.procs && exec "$@"', "sh", *build, "--json"]
    done = subprocess.run(inside, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert (tmp_path / "graph" / "tensors.safetensors").stat().st_size > 3 * LIMIT
    assert int((group / "memory.max_usage_in_bytes").read_text()) <= LIMIT
    (source,) = json.loads(done.stdout)["receipt"]["modalities"]
    assert source["rows_kept"] == PATIENTS * ITEMS
    assert sorted(os.listdir(tmp_path)) == ["cohort.parquet", "graph", "labs.parquet", "spec.toml"]
