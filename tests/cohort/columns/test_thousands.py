"""Points between thousands in values of events are doubted item by item, and following the warning reads them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.cohort import Cohort
from tests.cohort.small_exports import PATIENTS, spec

IDS = [f"{k:03d}" for k in range(PATIENTS)]
COUNTS = [800 + 13 * k for k in range(PATIENTS)]
GROUPED = [f"{count:,}".replace(",", ".") for count in COUNTS]
#: Item -> cells that say nothing of thousands.
PLAIN = {
    "potassium": [f"{3 + k / 10:.1f}" for k in range(PATIENTS)],
    "gravity": [f"1.0{10 + k % 20}" for k in range(PATIENTS)],  # three digits, but no whole number beside them
    "glucose": [str(80 + k) for k in range(PATIENTS)],
    "precise": [f"{90 + k / 8:g}" for k in range(PATIENTS)],  # some of three digits, others of fewer
    "small": [["1.234", "1.235", "7"][k % 3] for k in range(PATIENTS)],  # no whole number of three digits
    "once": ["1.234", *["900"] * (PATIENTS - 1)],
    "large": ["1.234", "1.235", *["9000"] * (PATIENTS - 2)],
}


def entry(cells: dict[str, list[Any]], form: str, **fields: Any) -> dict[str, Any]:
    wide = pd.DataFrame({"pid": IDS, **cells})
    if form == "wide":
        own: dict[str, Any] = {"source": wide, "values": list(cells)}
    else:
        own = {"source": wide.melt("pid", var_name="item"), "item": "item", "value": "value"}
    return {"name": "m", "kind": "events", "id": "pid", "min_count": 1, **own, **fields}


def doubts(cohort: Cohort) -> list[tuple[str, str]]:
    return [(each.where, each.text) for each in cohort.receipt.findings if "between thousands" in each.text]


@pytest.mark.parametrize("form", ["long", "wide"])
def test_items_with_points_between_thousands_are_told(form: str) -> None:
    cells = {**PLAIN, "platelets": GROUPED}
    cohort = build_cohort(spec(entry(cells, form)))
    ((where, text),) = doubts(cohort)
    assert where == "m.platelets"
    assert text.startswith(
        "its numbers with a point all have three digits behind it ('1.008'), beside whole ones up to 995"
    )
    column = {"long": "value", "wide": "platelets"}[form]
    read = text.split("derive ")[1]
    mended = build_cohort(spec(entry(cells, form, derive={column: read})))
    assert not doubts(mended)
    observed: Any = mended.observations["m"]
    number = mended.schema.modalities[0].items.index("platelets")
    np.testing.assert_array_equal(observed.value[observed.item == number], np.float32(COUNTS))
    potassium = observed.value[observed.item == mended.schema.modalities[0].items.index("potassium")]
    np.testing.assert_allclose(potassium, np.array(PLAIN["potassium"], float), rtol=1e-6)


@pytest.mark.parametrize("form", ["long", "wide"])
def test_other_numbers_are_not_doubted(form: str) -> None:
    assert not doubts(build_cohort(spec(entry(PLAIN, form))))
    numbers = {"platelets": [float(text) for text in GROUPED]}  # stored as numbers: nobody wrote a point
    assert not doubts(build_cohort(spec(entry(numbers, form))))


def test_new_patients_are_told_of_too_and_several_items_are_named() -> None:
    cells = {"a": [str(count) for count in COUNTS], "b": [str(count) for count in COUNTS]}
    model = build_cohort(spec(entry(cells, "long")))
    ((where, text),) = doubts(build_cohort(spec(entry({"a": GROUPED, "b": GROUPED}, "long")), like=model.schema))
    assert where == "m.a"
    number = """CAST(replace("value__text", '.', '') AS DOUBLE)"""
    read = f"""CASE WHEN "item" IN ('a', 'b') THEN {number} ELSE "value" END"""
    assert text.endswith(f"if so, derive {read}; so has 1 item more")
