from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from gdsfd.cohort.build import build_cohort
from gdsfd.errors import InputError
from tests.cohort.readers.event_cohort import built
from tests.cohort.small_exports import PATIENTS, events, spec


def test_an_item_without_a_value_is_an_occurrence() -> None:
    _cohort, observed = built(events(), value=None, time="minute", min_count=1)
    assert set(observed.value) == {1.0}
    assert observed.summary[:, 0].sum() == len(events())


def test_text_among_the_values() -> None:
    frame = events().astype({"value": str})
    frame.loc[[3, 7], "value"] = ["hemolyzed", "1,234"]
    message = r"column 'value' of .* has 2 values that are not numbers: .*'hemolyzed' \(id 0.*invalid = 'missing'"
    with pytest.raises(InputError, match=message):
        built(frame)
    cohort, _ = built(frame, invalid="missing")
    assert any(drop.reason == "value is not a number" and drop.rows == 2 for drop in cohort.receipt.modalities[0].drops)
    with pytest.raises(InputError, match=r"column 'value' of .* 'hemolyzed' \(id "):
        built(frame, values=["value"])
    cohort, _ = built(frame, values=["value"], invalid="missing")
    assert "2 values are not numbers" in cohort.receipt.modalities[0].notes[0]


def test_wide_events_with_any_number_of_columns_against_pandas() -> None:
    random = np.random.default_rng(0)
    frame = pd.DataFrame(random.normal(size=(120, 100)).round(3), columns=[f"sbp_{k}" for k in range(100)])
    frame = frame.mask(random.random(frame.shape) < 0.5).assign(heart_rate=random.normal(size=120).round(3))
    frame = frame.assign(pid=[f"{k % PATIENTS:03d}" for k in range(120)], t=random.integers(0, 180, 120))
    entry = {"name": "m", "kind": "events", "source": frame, "id": "pid", "time": "t", "window": [0, 180]}
    entry |= {"values": ["heart_rate", "sbp_*"], "min_count": 1}
    cohort = build_cohort(spec(entry))
    items = cohort.schema.modalities[0].items
    assert items == ("heart_rate", *(f"sbp_{k}" for k in range(100)))
    long = frame.melt(["pid", "t"], list(items)).dropna().assign(step=lambda rows: rows.t // 60)
    expected = long.groupby(["pid", "step", "variable"]).value.mean()
    observed: Any = cohort.observations["m"]
    owner = np.repeat(observed.patient, np.diff(observed.ptr))
    found = {
        (cohort.id[who], step, items[item]): value
        for who, step, item, value in zip(owner, observed.step, observed.item, observed.value, strict=True)
    }
    assert found.keys() == set(expected.index)
    np.testing.assert_allclose([found[key] for key in expected.index], expected, rtol=1e-6)
    receipt = cohort.receipt.modalities[0]
    assert receipt.rows_read == receipt.rows_kept == 120


@pytest.mark.parametrize("form", [{"values": ["value"], "item": None}, {}])
@pytest.mark.parametrize("kind", ["int64", "float64", "str"])
def test_values_that_lose_digits_once_stored_are_told(form: dict[str, Any], kind: str) -> None:
    """Numbers of documents, or seconds since 1970: neighbours become one in single precision."""
    frame = events()
    stamps = 1_700_000_000 + np.arange(len(frame))
    found = _lost(built(frame.assign(value=pd.Series(stamps).astype(kind)), min_count=1, **form)[0])
    assert len(found) == (1 if form else 4)  # the fifth item has one event
    assert "different values above 16,777,216 are " in found[0]
    assert _lost(built(frame.assign(value=stamps % 16_777_216), **form)[0]) == []
    assert _lost(built(frame.assign(value=np.arange(len(frame)) * 1e30), **form)[0]) == []


def _lost(cohort: Any) -> list[str]:
    return [finding.text for finding in cohort.receipt.findings if "single precision" in finding.text]
