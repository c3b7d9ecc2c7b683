from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gdsfd.cohort.cohort import EventObservations
from gdsfd.cohort.columns.scales import numeric_scale
from gdsfd.cohort.readers.event_binning import EventReducer, item_scales

ITEMS = 3


def stream(rows: int = 60, seed: int = 5) -> pd.DataFrame:
    """Events of up to five patients and three items between minutes 0 and 100, in the order that is asked for."""
    random = np.random.default_rng(seed)
    columns = {
        "series": random.integers(0, 5 * ITEMS, rows),
        "minutes": random.integers(0, 100, rows).astype(float),
        "value": random.normal(size=rows),
    }
    return pd.DataFrame(columns).sort_values(["series", "minutes", "value"])


def reduced(frame: pd.DataFrame, steps: int, start: float, bin_minutes: float) -> EventObservations:
    reducer = EventReducer(ITEMS, steps, start, bin_minutes)
    reducer.add(*(frame[name].to_numpy() for name in ("series", "minutes", "value")))
    return reducer.finish()


@pytest.mark.parametrize(
    ("steps", "start", "bin_minutes"),
    [(10, 0.0, 10.0), (4, -30.0, 33.0), (3, 0.0, 25.0), (1, 0.0, 0.0)],  # of 25 minutes, the last holds what is later
)
def test_cells_and_summaries_against_loops(steps: int, start: float, bin_minutes: float) -> None:
    frame = stream()
    cells: dict[tuple[int, int, int], list[float]] = {}
    whole: dict[tuple[int, int], list[float]] = {}
    for series, minutes, value in frame.itertuples(index=False):
        patient, item = series // ITEMS, series % ITEMS
        step = 0 if steps == 1 else min(int((minutes - start) // bin_minutes), steps - 1)
        cells.setdefault((patient, step, item), []).append(value)
        whole.setdefault((patient, item), []).append(value)
    found = reduced(frame, steps, start, bin_minutes)
    patients = sorted({patient for patient, _ in whole})
    assert found.patient.tolist() == patients
    owner = np.repeat(found.patient, np.diff(found.ptr))
    assert list(zip(owner.tolist(), found.step.tolist(), found.item.tolist(), strict=True)) == sorted(cells)
    np.testing.assert_allclose(found.value, [np.mean(cells[key]) for key in sorted(cells)], rtol=1e-6)
    owner = np.repeat(found.patient, np.diff(found.summary_ptr))
    assert list(zip(owner.tolist(), found.summary_item.tolist(), strict=True)) == sorted(whole)
    expected = [[len(v), np.mean(v), min(v), max(v), v[0], v[-1]] for _, v in sorted(whole.items())]
    np.testing.assert_allclose(found.summary, expected, rtol=1e-6)


def test_nothing_gives_no_observation() -> None:
    for pieces in (0, 2):
        reducer = EventReducer(ITEMS, 4, 0.0, 10.0)
        for _ in range(pieces):
            reducer.add(np.zeros(0, np.int64), np.zeros(0), np.zeros(0))
        found = reducer.finish()
        assert (found.patient.tolist(), found.ptr.tolist(), found.summary_ptr.tolist()) == ([], [0], [0])
        assert found.summary.shape == (0, 6)
        assert (found.step.dtype, found.value.dtype) == (np.int32, np.float32)


@pytest.mark.parametrize("piece", [1, 2, 3, 7, 100])
@pytest.mark.parametrize("limit", ["0", "100", "100000"])
@pytest.mark.parametrize("steps", [1, 10])
def test_pieces_of_any_size_give_the_same_observations_held_or_mapped(
    piece: int, limit: str, steps: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, frame = 60, stream()
    whole = EventReducer(ITEMS, steps, 0.0, 10.0)
    monkeypatch.setenv("GDSFD_ARRAY_BYTES", limit)
    parts = EventReducer(ITEMS, steps, 0.0, 10.0, tmp_path)
    columns = [frame[name].to_numpy() for name in frame]
    whole.add(*columns)
    for start in range(0, rows, piece):
        parts.add(*(column[start : start + piece] for column in columns))
    first, second = whole.finish(), parts.finish()
    for name in vars(first):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))
        assert getattr(first, name).dtype == getattr(second, name).dtype
    assert isinstance(second.summary, np.memmap) == (limit != "100000")


def test_scales_are_those_of_the_cells_of_training_patients() -> None:
    found = reduced(stream(400), 10, 0.0, 10.0)
    train = np.array([True, False, True, True, False])
    owner = np.repeat(found.patient, np.diff(found.ptr))
    scales = item_scales(found, train, ITEMS + 1)
    for item, scale in enumerate(scales):
        cells = [k for k in range(len(owner)) if train[owner[k]] and found.item[k] == item]
        assert scale == numeric_scale(found.value[cells], owner[cells])
        assert scale.count == len(cells)
    assert [scale.count > 0 for scale in scales] == [True, True, True, False]  # nobody has the last item
