from __future__ import annotations

import errno

import numpy as np
import pandas as pd
import pytest

from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.cohort import Cohort, EventObservations
from gdsfd.errors import InputError, SchemaError
from gdsfd.large_arrays import GrowingArray
from tests.cohort.readers.event_cohort import built
from tests.cohort.small_exports import PATIENTS, events, patients, spec


def check(frame: pd.DataFrame, cohort: Cohort, observed: EventObservations, start: float, bin_minutes: float) -> None:
    """Compares cells and summaries with pandas; ``frame`` holds exactly the rows that must be kept."""
    fields = cohort.schema.modalities[0]
    long = frame.assign(
        patient=frame.pid.map({own: row for row, own in enumerate(cohort.id)}),
        number=frame["item"].map({item: number for number, item in enumerate(fields.items)}),
        step=((frame.minute - start) // bin_minutes).astype(int) if bin_minutes else 0,
    )
    cells = long.groupby(["patient", "step", "number"]).value.mean().reset_index()
    assert observed.patient.tolist() == sorted(long.patient.unique())
    np.testing.assert_array_equal(np.repeat(observed.patient, np.diff(observed.ptr)), cells.patient)
    np.testing.assert_array_equal(observed.step, cells.step)
    np.testing.assert_array_equal(observed.item, cells.number)
    np.testing.assert_allclose(observed.value, cells.value, rtol=1e-6)
    ordered = long.sort_values(["minute", "value"])
    summary = (
        ordered.groupby(["patient", "number"]).value.agg(["count", "mean", "min", "max", "first", "last"]).reset_index()
    )
    np.testing.assert_array_equal(np.repeat(observed.patient, np.diff(observed.summary_ptr)), summary.patient)
    np.testing.assert_array_equal(observed.summary_item, summary.number)
    np.testing.assert_allclose(observed.summary, summary.iloc[:, 2:], rtol=1e-6)
    assert (observed.step.dtype, observed.item.dtype, observed.value.dtype) == (np.int32, np.int32, np.float32)
    assert observed.summary.dtype == np.float32
    train = {row for row, split in enumerate(cohort.split) if split == "train"}
    trained = cells[cells.patient.isin(train)]
    for number, scale in enumerate(fields.scales):
        values = trained.value[trained.number == number]
        assert scale.count == len(values)
        assert scale.mean == pytest.approx(values.mean(), rel=1e-5)
        assert scale.std == pytest.approx(values.std(ddof=0), rel=1e-4)


@pytest.mark.parametrize(
    ("window", "bin_minutes"), [((0, 1440), 60), ((-60, 2880), 45), ((30, 100), 60), ((0, 10000), 10000)]
)
def test_long_form_against_pandas(window: tuple[int, int], bin_minutes: int) -> None:
    frame = events()
    cohort, observed = built(frame, time="minute", window=window, bin=bin_minutes, min_count=5)
    kept = frame[(frame.minute >= window[0]) & (frame.minute < window[1])]
    train = {own for own, split in zip(cohort.id, cohort.split) if split == "train"}
    counts = kept[kept.pid.isin(train)]["item"].value_counts()
    items = sorted(counts.index[counts >= 5])
    fields = cohort.schema.modalities[0]
    assert list(fields.items) == items
    assert fields.steps == -(-(window[1] - window[0]) // bin_minutes)
    assert fields.window == window
    check(kept[kept["item"].isin(items)], cohort, observed, window[0], bin_minutes)
    receipt = cohort.receipt.modalities[0]
    assert receipt.rows_kept == kept["item"].isin(items).sum()
    assert receipt.rows_read == len(frame) == receipt.rows_kept + sum(drop.rows for drop in receipt.drops)
    assert receipt.drops[-1].reason == "item rarer than min_count in train"
    assert set(receipt.drops[-1].examples) == set(kept["item"]) - set(items)


def test_without_a_window_train_gives_it() -> None:
    frame = events()
    cohort, observed = built(frame, time="minute", min_count=20)
    assert cohort.schema.modalities[0].window == (-60, 2880)
    check(frame[frame["item"] != "rare"], cohort, observed, -60, 60)
    train = {own for own, split in zip(cohort.id, cohort.split) if split == "train"}
    later = frame.assign(minute=frame.minute + np.where(frame.pid.isin(train), 0, 5000))
    cohort, _ = built(later, time="minute", min_count=20)
    assert cohort.schema.modalities[0].window == (-60, 2880)
    drop = next(drop for drop in cohort.receipt.modalities[0].drops if "that train has" in drop.reason)
    assert drop.rows == (~frame.pid.isin(train)).sum()
    with pytest.raises(InputError, match=r"589 steps of 5; at most 512 .* Set window"):
        built(frame.assign(minute=np.linspace(0, 2941, len(frame)).round()), time="minute", bin=5)


def test_without_a_time_all_is_one_step() -> None:
    frame = events()
    cohort, observed = built(frame, min_count=20)
    fields = cohort.schema.modalities[0]
    assert (fields.steps, fields.bin_minutes, fields.window) == (1, 0, None)
    check(frame[frame["item"] != "rare"].assign(minute=0), cohort, observed, 0, 0)


def test_ties_are_settled_by_value_whatever_the_order_of_rows() -> None:
    frame = pd.DataFrame({"pid": ["000"] * 4, "minute": [5, 5, 5, 0], "item": "hr", "value": [3.0, 1.0, 2.0, 9.0]})
    frame = pd.concat([frame, events()])
    for order in (frame, frame[::-1], frame.sample(frac=1, random_state=0)):
        _, observed = built(order[order["item"] == "hr"], time="minute", window=[0, 60], min_count=1)
        assert observed.summary[0, 4] == 9.0
        if order is frame:
            first = observed
        for name in ("patient", "ptr", "step", "item", "value", "summary"):
            np.testing.assert_array_equal(getattr(observed, name), getattr(first, name))


def test_wide_form_against_the_long_one() -> None:
    random = np.random.default_rng(3)
    wide = pd.DataFrame(
        {"pid": [f"{k:03d}" for k in random.integers(0, PATIENTS, 500)], "minute": random.integers(0, 600, 500)}
    )
    for name, share in (("sbp", 0.5), ("dbp", 0.5), ("paop", 0.03)):
        wide[name] = np.where(random.random(500) < share, random.normal(80, 10, 500).round(2), np.nan)
    wide.loc[random.random(500) < 0.1, "sbp"] = -1
    cohort, observed = built(
        wide, values=["sbp", "dbp", "paop"], time="minute", window=[0, 600], missing=[-1], min_count=20
    )
    assert cohort.schema.modalities[0].items == ("sbp", "dbp")
    long = wide.melt(["pid", "minute"], ["sbp", "dbp"], var_name="item").dropna()
    long = long[long.value != -1]
    check(long, cohort, observed, 0, 60)
    receipt = cohort.receipt.modalities[0]
    measured = wide[["sbp", "dbp", "paop"]].where(wide[["sbp", "dbp", "paop"]] != -1).notna()
    drops = {drop.reason: drop.rows for drop in receipt.drops}
    assert drops["no measured value"] == (~measured.any(axis=1)).sum()
    assert drops["item rarer than min_count in train"] == (measured.paop & ~measured.sbp & ~measured.dbp).sum()
    assert receipt.rows_kept == (measured.sbp | measured.dbp).sum()


def test_like_uses_items_window_and_steps() -> None:
    fitted, _ = built(events(), time="minute", window=[0, 1440], min_count=20)
    fresh = events(count=3, rows=200, seed=1)
    fresh.loc[:9, "item"] = "new"
    cohort, observed = built(fresh, like=fitted.schema, rows=3, time="minute")
    kept = fresh[(fresh.minute >= 0) & (fresh.minute < 1440) & fresh["item"].isin(fitted.schema.modalities[0].items)]
    assert observed.summary[:, 0].sum() == len(kept)
    assert cohort.schema == fitted.schema
    drop = cohort.receipt.modalities[0].drops[-1]
    assert drop.reason == "item unknown to the fitted schema"
    assert "new" in drop.examples
    cohort, observed = built(fresh[:0], like=fitted.schema, rows=3, time="minute")
    assert observed.patient.tolist() == []
    assert observed.ptr.tolist() == observed.summary_ptr.tolist() == [0]
    assert observed.summary.shape == (0, 6)
    wide = fresh.assign(sbp=1.0, dbp=2.0)
    fitted, _ = built(wide, values=["sbp", "dbp"], min_count=1)
    with pytest.raises(SchemaError, match="has no column 'dbp', which the fitted schema needs"):
        built(wide.drop(columns="dbp"), like=fitted.schema, rows=3, values=["sbp", "dbp"])


def test_one_patient_gives_the_same_numbers_alone() -> None:
    frame = events()
    everyone, together = built(frame, time="minute", window=[0, 1440])
    entry = {
        "name": "m",
        "kind": "events",
        "source": frame,
        "id": "pid",
        "item": "item",
        "value": "value",
        "time": "minute",
    }
    alone = build_cohort(spec(entry, cohort={"source": patients()[7:8]}), like=everyone.schema).observations["m"]
    assert isinstance(alone, EventObservations)
    row = together.patient.tolist().index(7)
    np.testing.assert_array_equal(alone.value, together.value[together.ptr[row] : together.ptr[row + 1]])
    np.testing.assert_array_equal(
        alone.summary, together.summary[together.summary_ptr[row] : together.summary_ptr[row + 1]]
    )


def test_a_disk_that_is_full_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(array: GrowingArray, piece: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(GrowingArray, "append", full)
    with pytest.raises(InputError, match=r"where the database of the build lies, says: No space left on device"):
        built(events())


def test_events_that_lie_in_files_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    _, held = built(events(), time="minute", window=[0, 1440], bin=60)
    monkeypatch.setenv("GDSFD_ARRAY_BYTES", "0")
    _, mapped = built(events(), time="minute", window=[0, 1440], bin=60)
    assert isinstance(mapped.value, np.memmap)  # the folder that it was made in is gone meanwhile
    for name in vars(held):
        np.testing.assert_array_equal(getattr(held, name), getattr(mapped, name))
