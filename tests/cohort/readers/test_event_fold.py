from __future__ import annotations

from dataclasses import astuple
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from gdsfd.cohort.readers.event_fold import EventFold, FoldedEvents, joined_observations

ITEMS, STEPS = 3, 4


def events(patients: list[int], rows: int = 200) -> pa.RecordBatch:
    random = np.random.default_rng(len(patients))
    patient = random.choice(patients, rows)
    series, minutes = patient * ITEMS + random.integers(0, ITEMS, rows), random.integers(0, 40, rows).astype(float)
    value = random.normal(size=rows)
    order = np.lexsort((value, minutes, series))
    return pa.RecordBatch.from_pydict({"series": series[order], "minutes": minutes[order], "value": value[order]})


def fold() -> EventFold:
    return EventFold(ITEMS, STEPS, 0.0, 10.0)


def assert_equal(one: FoldedEvents, other: FoldedEvents) -> None:
    assert one.broken == other.broken
    for mine, theirs in zip(astuple(one.observations), astuple(other.observations)):
        assert mine.dtype == theirs.dtype
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize("limit", ["0", "1000000"])
def test_workers_together_give_what_one_gives(limit: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = events([0, 1, 4, 5, 9])
    whole = fold()([batch]).observations
    owner = batch["series"].to_numpy() // ITEMS
    groups = [[9, 1], [], [0, 5], [4]]
    parts = [fold()([batch.filter(pa.array(np.isin(owner, group)))]).observations for group in groups]
    monkeypatch.setenv("GDSFD_ARRAY_BYTES", limit)
    joined = joined_observations(parts, tmp_path)
    assert_equal(FoldedEvents(joined), FoldedEvents(whole))
    assert isinstance(joined.summary, np.memmap) == (limit == "0")
    assert joined_observations([whole]) is whole


@pytest.mark.parametrize("batches", [[], [events([3, 7])]])
def test_bytes_and_back(batches: list[pa.RecordBatch]) -> None:
    folded = fold()(batches)
    packed = fold().packed(folded)
    assert_equal(fold().unpacked(packed), folded)
    assert_equal(fold().unpacked(memoryview(b"xyz" + packed)[3:]), folded)  # wherever in a larger buffer they lie


def test_the_first_value_beyond_what_is_stored_is_named() -> None:
    batch = pa.RecordBatch.from_pydict({"series": [1, 4, 5], "minutes": [0.0, 1.0, 2.0], "value": [1.0, -1e39, 1e300]})
    folded = fold()([batch])
    assert folded.broken == (4, -1e39)
    assert fold().unpacked(fold().packed(folded)).broken == (4, -1e39)
