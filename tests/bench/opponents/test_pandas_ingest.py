"""The aggregation in pandas against a loop over events."""

from __future__ import annotations

import numpy as np
import pandas as pd

from gdsfd.bench.ingest_exports import BIN_MINUTES, WINDOW_MINUTES
from gdsfd.bench.opponents.pandas_ingest import SUMMARY, run_pandas

EVENTS = [  # stay, minute, item, value; two of one minute, at both ends of the window, of a stay that nobody has
    (7, 0, "b", 3.0), (7, 10, "b", 5.0), (7, 10, "b", 4.0), (7, BIN_MINUTES, "b", 1.0), (7, -1, "b", 99.0),
    (9, WINDOW_MINUTES - 1, "a", 2.0), (9, WINDOW_MINUTES, "a", 99.0), (9, 30, "a", 8.0), (8, 5, "a", 99.0),
]  # fmt: skip


def test_cells_and_summaries_are_those_of_a_loop(tmp_path):
    pd.DataFrame({"stay": [9, 7], "died": [0, 1]}).to_parquet(tmp_path / "cohort.parquet")
    frame = pd.DataFrame(EVENTS, columns=["stay", "minute", "item", "value"])
    frame["item"] = frame["item"].astype("category")
    frame.to_parquet(tmp_path / "events.parquet")
    seconds, arrays = run_pandas(tmp_path)
    assert seconds > 0

    cells: dict[tuple[int, int, int], list[float]] = {}
    whole: dict[tuple[int, int], list[tuple[int, float]]] = {}
    for stay, minute, item, value in EVENTS:
        if stay in (9, 7) and 0 <= minute < WINDOW_MINUTES:
            row, number = (9, 7).index(stay), "ab".index(item)
            cells.setdefault((row, minute // BIN_MINUTES, number), []).append(value)
            whole.setdefault((row, number), []).append((minute, value))
    assert [*zip(arrays["row"], arrays["step"], arrays["item"])] == sorted(cells)
    np.testing.assert_allclose(arrays["value"], [np.mean(cells[key]) for key in sorted(cells)])
    assert [*zip(arrays["summary_row"], arrays["summary_item"])] == sorted(whole)
    for place, key in enumerate(sorted(whole)):
        values = [value for _, value in sorted(whole[key])]
        expected = (len(values), np.mean(values), min(values), max(values), values[0], values[-1])
        np.testing.assert_allclose([arrays[name][place] for name in SUMMARY], expected)
