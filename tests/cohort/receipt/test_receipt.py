"""A receipt names no patient unless it is asked to, and survives JSON."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.receipt.receipt import Drop, Finding, Receipt, SourceReceipt
from gdsfd.cohort.receipt.text import receipt_text
from gdsfd.cohort.spec import CohortSpec
from gdsfd.errors import InputError
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


@pytest.mark.parametrize("on", ["pid", "person", "ward"])
def test_nor_does_a_warning_of_keys_that_do_not_match(on: str) -> None:
    who, numbers = patients(), labs()
    numbers["pid"] = [f"{MARK}{own}x" for own in numbers["pid"]]
    numbers.loc[0, "pid"] = f"{MARK}001"
    who["pid"] = MARK + who["pid"]
    who["person"] = MARK + who["person"]
    who.loc[2, "person"] = who.loc[0, "person"].lower()
    who["ward"] = MARK + (who.index % 40).astype(str)  # one of their own each, as the id of a stay is
    look_up = who.drop_duplicates(on)[:3][[on]].assign(region="west")
    modality = {"name": "labs", "kind": "table", "source": numbers, "id": "pid", "columns": ["wbc"]}
    join = {"source": look_up, "on": on, "columns": ["region"]}
    made = spec(modality, cohort={"source": who, "subject": "person", "join": join})
    receipt = build_cohort(made).receipt
    assert {"match", "join", "leakage"} <= {finding.kind for finding in receipt.findings}
    assert MARK not in json.dumps(receipt.to_dict())
    told = {finding.kind for finding in build_cohort(made, show_ids=True).receipt.findings if MARK in finding.text}
    assert told >= {"match", "join", "leakage"}


def test_ids_on_demand() -> None:
    receipt = build_cohort(marked(), show_ids=True).receipt
    dropped = {drop.reason: drop.examples for drop in receipt.modalities[1].drops}
    assert dropped["id not in the cohort"][0].startswith(MARK)
    assert MARK in receipt_text(receipt)


def made() -> Receipt:
    drops = [Drop("blank item", 3, ["hr"]), Drop("id not in the cohort", 2, ["P1"], names_patients=True)]
    labs = SourceReceipt("labs", "events", ["labs.csv"], 10, 5, 4, drops, notes=["a note"], fitted={"items": 2})
    cohort = SourceReceipt("cohort", "cohort", ["p.csv"], 5, 4, 4, [Drop("no id", 1, ["P2"], names_patients=True)])
    return Receipt(
        cohort, [labs], {"splits": [{"split": "train"}]}, {"train": 4}, [Finding("range", "labs.hr", "odd", 2)]
    )


def test_ids_of_patients_are_forgotten_and_names_of_items_stay() -> None:
    receipt = made()
    receipt.forget_ids()
    assert [drop.examples for drop in receipt.modalities[0].drops] == [["hr"], []]
    assert receipt.cohort.drops[0].examples == []
    assert [drop.rows for drop in receipt.modalities[0].drops] == [3, 2]


def test_a_receipt_survives_json() -> None:
    assert Receipt.from_dict(json.loads(json.dumps(made().to_dict()))) == made()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cohort": None}, "receipt.cohort"),
        ({"modalities": [{"name": "labs"}]}, r"receipt.modalities.0.kind"),
        ({"findings": [{"kind": 1, "where": "x", "text": "y"}]}, r"receipt.findings.0.kind"),
        ({"subjects": {"train": "many"}}, "receipt.subjects.train"),
    ],
)
def test_what_is_no_receipt_is_refused_with_its_place(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Receipt.from_dict({**made().to_dict(), **change})


def test_a_notebook_shows_rows_and_warnings() -> None:
    shown = made()._repr_html_()
    for text in ("5 of 10 rows kept, 4 patients", "range: labs.hr", "odd"):
        assert text in shown
    assert repr(made()) == "Receipt(4 patients, 1 warnings)"
