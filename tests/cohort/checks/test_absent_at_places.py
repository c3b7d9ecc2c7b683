"""Sites that name things otherwise, or do not have them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.checks.absent_at_places import find_absent_at_places
from tests.cohort.small_exports import patients, spec

COUNT = 240
ROW = np.arange(COUNT)
PID = np.array([f"{k:03d}" for k in ROW])
NORTH = ROW % 4 == 0  # 60 patients


def told(entry: dict[str, Any], site: np.ndarray | None = None, **cohort: Any) -> list[tuple[str, str]]:
    """The warnings of this kind on a modality."""
    table = patients(COUNT)
    table["site"] = np.where(NORTH, "north", np.where(ROW % 4 == 1, "west", "south")) if site is None else site
    fields = {"source": table, "environment": "site", **cohort}
    built = build_cohort(spec({"name": "m", "id": "pid", **entry}, cohort=fields))
    found = find_absent_at_places(built)
    assert all(finding in built.receipt.findings for finding in found)
    return [(finding.where, finding.text) for finding in found]


def events(item: np.ndarray) -> dict[str, Any]:
    rows = pd.DataFrame({"pid": np.tile(PID, 2), "item": np.append(item, ["map"] * COUNT), "value": 60.0})
    rows["value"] += np.arange(len(rows)) % 17
    return {"kind": "events", "source": rows, "item": "item", "value": "value"}


def codes(code: np.ndarray) -> dict[str, Any]:
    return {"kind": "codes", "source": pd.DataFrame({"pid": PID, "code": code}), "code": "code"}


def table(**columns: np.ndarray) -> dict[str, Any]:
    return {"kind": "table", "source": pd.DataFrame({"pid": PID, "age": 40 + ROW % 31, **columns})}


def test_an_item_of_another_name() -> None:
    ((where, text),) = told(events(np.where(NORTH, "pulse", "hr")))
    assert where == "m"
    assert text.startswith(
        "none of the 60 patients of environment 'north' who have it has 'hr' (100% of the others have it); they alone "
        "have 'pulse'. Is it named or coded otherwise there"
    )


@pytest.mark.parametrize(("one_in", "is_told"), [(3, True), (6, False)])
def test_what_fewer_than_a_quarter_have_may_be_done_at_some_sites_only(one_in: int, is_told: bool) -> None:
    site = np.where(ROW < 100, "north", "south")
    found = told(codes(np.where((ROW >= 100) & (ROW % one_in == 0), "some", "I50")), site)
    assert bool(found) == is_told


def test_another_system_of_codes() -> None:
    old, new = np.array(["410.7", "428", "250.0"]), np.array(["I21.4", "I50", "E11.9"])
    ((_, text),) = told(codes(np.where(NORTH, old[ROW % 3], new[ROW % 3])))
    assert "who have it has code 'E11.9'; code 'I21.4'; code 'I50' (33% of the others have the first)" in text
    assert "they alone have code '250.0'; code '410.7'; code '428'. Is it" in text


def test_other_words_and_an_empty_column() -> None:
    yes = np.array(["yes", "no"])[ROW // 5 % 2]
    ((_, text),) = told(table(vent=np.where(NORTH, np.char.upper(yes) + " (N)", yes)))
    assert "has 'vent', level 'no'; 'vent', level 'yes' (53% of the others have the first); they alone have" in text
    ((_, text),) = told(table(wbc=np.where(NORTH, np.nan, ROW % 13)))
    assert "who have it has 'wbc' (100% of the others have it). Is it" in text
    ((_, text),) = told(table(vent=np.where(NORTH, None, yes)))  # said of the column, not of each level
    assert "who have it has 'vent' (100% of the others have it). Is it" in text


def test_of_two_sites_the_smaller_part_is_told() -> None:
    ((_, text),) = told(events(np.where(NORTH, "pulse", "hr")), np.where(NORTH, "north", "south"))
    assert "environment 'north' who have it has 'hr' (100%" in text or "environment 'south'" in text
    assert "more environments" in text


def test_several_sites_are_counted() -> None:
    ((_, text),) = told(table(wbc=np.where(ROW % 4 < 2, np.nan, ROW % 13)))
    assert "1 more environments lack something, too" in text


@pytest.mark.parametrize(
    "entry",
    [
        events(np.where(ROW % 2 == 0, "hr", "pulse")),
        codes(np.where(NORTH & (ROW > 200), "250.0", np.array(["I21.4", "I50"])[ROW // 8 % 2])),
        table(wbc=np.where(NORTH & (ROW > 8), np.nan, ROW % 13)),  # a few have it
        table(rare=np.where((ROW % 40 == 1) & ~NORTH, "seen", "no")),  # four and a half were expected
        codes(np.where(~NORTH & (ROW % 15 == 1), "rare", "I50")),  # one of eleven of the others has it
        table(unit=np.where(NORTH, "N1", np.where(ROW % 4 == 1, "W1", "S1"))),  # the environment under another name
    ],
)
def test_ordinary_sites(entry: dict[str, Any]) -> None:
    site = np.where(ROW // 4 % 4 == 0, "north", "south") if entry["kind"] == "events" else None
    assert told(entry, site) == []


def test_small_sites_and_none() -> None:
    small = np.where(ROW < 14, "small", np.where(ROW % 2 == 0, "south", "west"))
    assert told(events(np.where(ROW < 14, "pulse", "hr")), small) == []
    entry = events(np.where(NORTH, "pulse", "hr"))
    assert told(entry, np.full(COUNT, "one")) == []
    assert told(entry, environment=None) == []


def test_many_sites(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the largest, sites count as one of the others; patients who are not drawn do not count at all."""
    monkeypatch.setattr("gdsfd.cohort.checks.absent_at_places._ENVIRONMENTS", 2)
    site = np.where(NORTH, "north", np.where(ROW % 4 == 1, "west", np.char.add("s", (ROW % 9).astype(str))))
    ((_, text),) = told(events(np.where(NORTH, "pulse", "hr")), site)
    assert "environment 'north' who have it has 'hr'" in text
    monkeypatch.setattr("gdsfd.cohort.checks.absent_at_places.MAX_PATIENTS", 160)
    ((_, text),) = told(events(np.where(NORTH, "pulse", "hr")), site)
    assert "environment 'north' who have it has 'hr'" in text
