"""A receipt names no patient unless it is asked to."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.receipt.text import receipt_text
from gdsfd.cohort.spec import CohortSpec
from tests.cohort.small_exports import events, labs, patients, spec

MARK = "SECRET-"


def marked() -> CohortSpec:
    """Exports whose rows fall out for every reason there is, with ids that can be told from all other text."""
    who, numbers, rows = patients(), labs(), events()
    for frame in (who, numbers, rows):
        frame["pid"] = MARK + frame["pid"]
    who["person"] = MARK + who["person"]
    rows.loc[::50, "pid"] = MARK + "nobody"
    rows.loc[1::50, "pid"] = None
    rows.loc[2::50, "value"] = np.nan
    rows.loc[3::50, "minute"] = np.nan
    numbers.loc[3, "wbc"] = None
    modality: list[dict[str, Any]] = [
        {"name": "labs", "kind": "table", "source": numbers, "id": "pid", "missing": [-1], "exclude": ["unit"]},
        {
            **{"name": "vitals", "kind": "events", "source": rows, "id": "pid", "item": "item", "value": "value"},
            **{"time": "minute", "window": [0, 1440], "where": "item <> 'k'"},
        },
    ]
    cohort = {"source": who, "subject": "person", "environment": "site", "where": "sex = 'F' OR site = 'south'"}
    split = {"kind": "environment", "holdout": "north", "fractions": [0.8, 0.2, 0]}
    return spec(modality, cohort=cohort, split=split)


def test_a_receipt_holds_no_id() -> None:
    receipt = build_cohort(marked()).receipt
    reasons = {drop.reason for source in (receipt.cohort, *receipt.modalities) for drop in source.drops}
    assert len(reasons) >= 7
    assert MARK not in json.dumps(receipt.to_dict())
    assert MARK not in receipt_text(receipt)


def test_ids_on_demand() -> None:
    receipt = build_cohort(marked(), show_ids=True).receipt
    dropped = {drop.reason: drop.examples for drop in receipt.modalities[1].drops}
    assert dropped["id not in the cohort"][0].startswith(MARK)
    assert MARK in receipt_text(receipt)
