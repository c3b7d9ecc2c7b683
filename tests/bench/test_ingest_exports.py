"""Exports of the benchmark of ingestion: as many rows as asked for, in any number of pieces, and a spec that fits."""

from __future__ import annotations

import pandas as pd

from gdsfd.bench.ingest_exports import ITEMS, WINDOW_MINUTES, write_exports
from gdsfd.cohort.spec import load_spec


def test_rows_items_and_times(tmp_path):
    write_exports(tmp_path, events=20_000, patients=50, seed=0)
    cohort, events = (pd.read_parquet(tmp_path / f"{name}.parquet") for name in ("cohort", "events"))
    assert len(events) == 20_000
    assert cohort.stay.is_unique
    assert set(events.stay) <= set(cohort.stay)
    assert events["item"].nunique() == ITEMS
    inside = events.minute.between(0, WINDOW_MINUTES - 1)
    assert 0 < (~inside).mean() < 0.1  # a few lie outside the window, on both sides
    assert events.minute.min() < 0
    assert events.minute.max() >= WINDOW_MINUTES
    assert not events.minute.is_monotonic_increasing
    (modality,) = load_spec(tmp_path / "spec.toml").modality
    assert (modality.kind, modality.window) == ("events", (0, WINDOW_MINUTES))


def test_a_seed_gives_the_same_files(tmp_path):
    for folder, seed in (("one", 1), ("same", 1), ("other", 2)):
        (tmp_path / folder).mkdir()
        write_exports(tmp_path / folder, events=500, patients=20, seed=seed)
    one, same, other = (pd.read_parquet(tmp_path / name / "events.parquet") for name in ("one", "same", "other"))
    pd.testing.assert_frame_equal(one, same)
    assert not one.equals(other)
