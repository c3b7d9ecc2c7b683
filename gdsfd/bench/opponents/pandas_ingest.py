"""Ingestion of long-form events as one would write it in pandas."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gdsfd.bench.ingest_exports import BIN_MINUTES, WINDOW_MINUTES

__all__ = ["SUMMARY", "run_pandas"]

#: Summaries of a patient's item, in this order.
SUMMARY = ("count", "mean", "min", "max", "first", "last")


def run_pandas(folder: Path) -> tuple[float, dict[str, Any]]:
    """The same aggregation as one would write it in pandas; returns seconds and arrays."""
    start = time.perf_counter()
    cohort = pd.read_parquet(folder / "cohort.parquet")
    events = pd.read_parquet(folder / "events.parquet")
    events = events[(events.minute >= 0) & (events.minute < WINDOW_MINUTES)]
    rows = pd.DataFrame({"stay": cohort.stay, "row": np.arange(len(cohort), dtype=np.int32)})
    events = events.merge(rows, on="stay")
    events["step"] = events.minute // BIN_MINUTES
    cells = events.groupby(["row", "step", "item"], observed=True).value.mean().reset_index()
    events = events.sort_values(["row", "item", "minute", "value"])
    groups = events.groupby(["row", "item"], observed=True).value
    summary = groups.agg(list(SUMMARY)).reset_index()
    arrays = {name: cells[name].to_numpy() for name in ("row", "step")}
    arrays |= {"item": cells["item"].cat.codes.to_numpy(), "value": cells.value.to_numpy(np.float32)}
    arrays |= {"summary_row": summary.row.to_numpy(), "summary_item": summary["item"].cat.codes.to_numpy()}
    arrays |= {name: summary[name].to_numpy(np.float32) for name in SUMMARY}
    return time.perf_counter() - start, arrays
