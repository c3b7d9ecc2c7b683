"""Columns and items of training that nobody has elsewhere."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.schema import CohortSchema
from tests.cohort.small_exports import PATIENTS, events, patients, spec

IDS = [f"{k:03d}" for k in range(PATIENTS)]
LABS = pd.DataFrame({"pid": IDS, "wbc": np.arange(PATIENTS) % 7 + 0.5, "crp": np.arange(PATIENTS) % 5 + 0.25})
LABS["rare"] = np.where(np.arange(PATIENTS) < 2, 1.5, np.nan)


def told(now: pd.DataFrame, kind: str = "table", rows: int = PATIENTS) -> list[str]:
    before = LABS if kind == "table" else events()
    fields: dict[str, Any] = {} if kind == "table" else {"item": "item", "value": "value", "min_count": 1}
    entry = {"name": "m", "kind": kind, "id": "pid", **fields}
    fitted = build_cohort(spec({**entry, "source": before})).schema
    again = build_cohort(spec({**entry, "source": now}, cohort={"source": patients()[:rows]}), like=fitted)
    return [each.text for each in again.receipt.findings if each.text.startswith("none of the ")]


def test_a_column_that_is_empty_here() -> None:
    (text,) = told(LABS.assign(crp=np.nan))
    assert text.startswith("none of the 40 new patients who have it has 'crp', which training had (28 values of 'crp')")
    assert told(LABS) == []
    assert told(LABS.assign(rare=np.nan)) == []  # two patients had it
    assert told(LABS.assign(crp=np.nan), rows=19) == []


def test_a_category_that_is_empty_here() -> None:
    before = LABS.assign(ward=np.where(np.arange(PATIENTS) % 2, "north", "south"))
    entry = {"name": "m", "kind": "table", "id": "pid"}
    fitted = build_cohort(spec({**entry, "source": before})).schema

    def said(ward: object, schema: CohortSchema) -> list[str]:
        again = spec({**entry, "source": before.assign(ward=ward)}, cohort={"source": patients()})
        findings = build_cohort(again, like=schema).receipt.findings
        return [each.text for each in findings if each.text.startswith("none of the ")]

    (text,) = said("", fitted)
    assert "has 'ward', which training had (28 values of 'ward')" in text
    assert said(before["ward"], fitted) == []
    (fields,) = fitted.modalities
    earlier = replace(fitted, modalities=(replace(fields, level_counts=()),))
    assert said("", earlier) == []


def test_an_item_under_another_name() -> None:
    frame = events().replace({"item": {"hr": "pulse_rate_xy"}})
    (text,) = told(frame, "events")
    assert "has 'hr', which training had" in text
    assert told(events(), "events") == []
