"""Sites and groups without one of the classes."""

from __future__ import annotations

import numpy as np
import pandas as pd

from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.checks.one_class_places import find_one_class_places
from tests.cohort.small_exports import patients, spec

COUNT = 120


def told(died: np.ndarray, site: np.ndarray, sex: np.ndarray | None = None) -> list[tuple[str, str]]:
    table = patients(COUNT).assign(died=np.where(died, "yes", "no"), site=site)
    table["sex"] = np.where(ROW % 5 < 2, "F", "M") if sex is None else sex
    rows = pd.DataFrame({"pid": table["pid"], "x": np.arange(COUNT) % 7 + 0.5})
    entry = {"name": "m", "kind": "table", "source": rows, "id": "pid"}
    cohort = build_cohort(spec(entry, cohort={"source": table, "environment": "site", "groups": ["sex"]}))
    found = find_one_class_places(cohort)
    assert all(finding in cohort.receipt.findings for finding in found)
    return [(finding.where, finding.text) for finding in found]


ROW = np.arange(COUNT)
NORTH = ROW % 3 == 0
DIED = ROW % 4 < 2


def test_a_site_that_does_not_record_the_outcome() -> None:
    ((where, text),) = told(DIED & ~NORTH, np.where(NORTH, "north", "south"))
    assert where == "environment"
    assert text.startswith("none of the 40 patients with a label in 'north' has death = 'yes', where 20 would by the ")


def test_a_site_and_a_group_that_are_the_outcome() -> None:
    found = told(DIED, np.where(DIED, "morgue", "ward"), np.where(DIED, "a", "b"))
    assert [where for where, _ in found] == ["environment"] * 2 + ["group sex"] * 2


def test_ordinary_and_small_sites() -> None:
    assert told(DIED, np.where(NORTH, "north", "south")) == []
    assert told(DIED & (ROW > 12), np.where(ROW < 12, "small", "south")) == []  # six were expected
    assert told(ROW % 40 == 1, np.where(NORTH, "north", "south")) == []
    assert told(DIED, np.full(COUNT, "one")) == []
