"""Long-form events of random patients, for the benchmark of ingestion."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["BIN_MINUTES", "ITEMS", "WINDOW_MINUTES", "write_exports"]

ITEMS = 30
WINDOW_MINUTES = 2880
BIN_MINUTES = 60

_SPEC = f"""
[cohort]
source = "cohort.parquet"
id = "stay"

[outcome]
name = "death"
column = "died"
positive = 1

[[modality]]
name = "events"
kind = "events"
source = "events.parquet"
id = "stay"
time = "minute"
item = "item"
value = "value"
min_count = 1
window = [0, {WINDOW_MINUTES}]
bin = {BIN_MINUTES}
"""


def write_exports(folder: Path, events: int, patients: int, seed: int) -> None:
    """Writes ``spec.toml`` and two Parquet files; events come in random order, a few outside the window.

    Args:
        folder: Where to write.
        events: Rows of the event table.
        patients: Rows of the cohort table.
        seed: Of the random numbers.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    (folder / "spec.toml").write_text(_SPEC, encoding="utf-8")
    random = np.random.default_rng(seed)
    ids = np.arange(patients, dtype=np.int64) + 30_000_000
    labels = (random.random(patients) < 0.1).astype(np.int8)
    pq.write_table(pa.table({"stay": ids, "died": labels}), folder / "cohort.parquet")
    names = pa.array([f"item {k:02d}" for k in range(ITEMS)])
    writer: Any = None
    for start in range(0, events, 1_000_000):
        rows = min(1_000_000, events - start)
        items = pa.array((random.beta(1, 2, rows) * ITEMS).astype(np.int32))
        piece = pa.table(
            {
                "stay": ids[random.integers(0, patients, rows)],
                "minute": random.integers(-60, WINDOW_MINUTES + 60, rows),
                "item": pa.DictionaryArray.from_arrays(items, names),
                "value": np.round(random.normal(80, 20, rows), 2),
            }
        )
        writer = writer or pq.ParquetWriter(folder / "events.parquet", piece.schema)
        writer.write_table(piece)
    writer.close()
