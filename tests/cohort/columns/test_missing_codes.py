"""Numbers for "not measured" that are declared and stand nowhere, or stand there and are not declared."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.columns.missing_codes import DeclaredMissing, coded, coded_column, held
from gdsfd.cohort.spec_check import check_spec
from tests.cohort.small_exports import PATIENTS, spec

IDS = [f"{k:03d}" for k in range(PATIENTS)]
NUMBERS = [0.5 + 3 * (k % 13) for k in range(PATIENTS)]


def told(entry: dict[str, Any]) -> list[str]:
    """The warnings of this kind; a build and a check have the same."""
    made = spec({"name": "m", "id": "pid", **entry})
    found = [finding.text for finding in build_cohort(made).receipt.findings if finding.kind == "missing"]
    checked = [finding.text for finding in check_spec(made).warnings if finding.kind == "missing"]
    assert found == checked
    return found


def table(values: list[Any], **fields: Any) -> list[str]:
    frame = pd.DataFrame({"pid": IDS, "x": values, "word": np.where(np.arange(PATIENTS) % 2, "a", "b")})
    return told({"kind": "table", "source": frame, "min_level_count": 1, **fields})


def events(values: list[Any], wide: bool, **fields: Any) -> list[str]:
    frame = pd.DataFrame({"pid": IDS, "t": 5, "item": np.where(np.arange(PATIENTS) % 4, "hr", "map"), "x": values})
    form = {"values": ["x"]} if wide else {"item": "item", "value": "x"}
    return told({"kind": "events", "source": frame, "time": "t", "min_count": 1, **form, **fields})


def planted(code: Any, cells: int = 4) -> list[Any]:
    return [code] * cells + NUMBERS[cells:]


@pytest.mark.parametrize(
    "code", [-99, -1, "-99.0", 9999, *(pytest.param(code, marks=pytest.mark.slow) for code in (-9, 999))]
)
@pytest.mark.parametrize("read", [table, lambda *a, **f: events(*a, True, **f), lambda *a, **f: events(*a, False, **f)])
def test_a_number_that_stands_apart_is_told_until_it_is_declared(read: Any, code: Any) -> None:
    values = planted(code) if not isinstance(code, str) else [str(value) for value in planted(code)]
    number = f"{float(code):g}"
    found = read(values)
    assert len(found) == 1
    assert f"({number} in " in found[0]
    assert f"missing = [{number}]" in found[0]
    assert read(values, missing=[code]) == []
    wrong = read(values, missing=[-8])
    assert len(wrong) == 2
    assert any("missing lists '-8', which no cell" in text for text in wrong)


@pytest.mark.parametrize("read", [table, lambda *a, **f: events(*a, True, **f), lambda *a, **f: events(*a, False, **f)])
def test_what_is_declared_twice_or_blank_is_not_told(read: Any) -> None:
    values = [str(value) for value in planted("-9.0")]
    values[:2] = ["n/a", ""]
    assert read(values, missing=["-9", -9.0, "n/a", ""]) == []
    assert "lists 'NA'," in read(values, missing=["-9", "n/a", "NA"])[0]


def test_values_that_are_no_codes() -> None:
    for codes, least, most, whole in [
        ({-1.0: 9}, 0, 1, True),  # worse, equal, better
        ({-9.0: 9}, -12, 10, True),  # a base excess
        ({9.0: 5}, 0, 8, True),
        ({9.0: 5}, 0.5, 3.0, False),
        ({99.0: 50}, 70, 100, True),  # a saturation
        ({-99.0: 2}, 0, 100, True),
        ({-99.0: 50}, 0, 0, True),  # nothing else is known
    ]:
        assert coded("x", codes, least, most, whole) is None
    assert coded_column("x", np.array([np.nan, 1.0, 2.0])) is None
    assert coded_column("x", np.array([-9.0] * 5)) is None


def test_several_codes_are_told_together() -> None:
    item = coded_column("x", np.array([7.0, 8, 9, 0, 1, 2, np.nan]))
    assert item is not None
    assert dict(item.cells) == {7: 1, 8: 1, 9: 1}
    item = coded_column("x", np.array([-9.0, -9, 999, 0, 1.5, 40]))
    assert item is not None
    assert dict(item.cells) == {-9: 2, 999: 1}


def test_codes_and_vectors_have_declared_values_that_stand_nowhere_told() -> None:
    frame = pd.DataFrame({"pid": IDS, "code": ["A1", "unknown"] * (PATIENTS // 2), "e_1": 1.5, "e_2": 2.5})
    codes = {"kind": "codes", "source": frame, "code": "code", "min_count": 1}
    assert told({**codes, "missing": ["unknown"]}) == []
    assert ["lists 'unknwon'," in text for text in told({**codes, "missing": ["unknwon"]})] == [True]
    assert ["lists 'NA'," in text for text in told({**codes, "missing": ["unknown", "NA"]})] == [True]
    vectors = {"kind": "embedding", "source": frame, "columns": "e_*"}
    assert ["lists '-9'," in text for text in told({**vectors, "missing": [-9]})] == [True]
    assert told({**vectors, "missing": [1.5]}) == []


def test_new_patients_need_not_have_what_training_had() -> None:
    frame = pd.DataFrame({"pid": IDS, "x": planted(-99)})
    entry = {"name": "m", "kind": "table", "id": "pid", "missing": [-99]}
    fitted = build_cohort(spec({**entry, "source": frame})).schema
    here = build_cohort(spec({**entry, "source": frame.assign(x=NUMBERS)}), like=fitted)
    assert [finding for finding in here.receipt.findings if finding.kind == "missing"] == []
    other = build_cohort(spec({**entry, "source": frame.assign(x=planted(-9))}), like=fitted)
    assert [finding.where for finding in other.receipt.findings if finding.kind == "missing"] == ["m"]


def test_which_declared_values_stand_in_cells() -> None:
    assert held(["-9", -99, "NA"], ["-9.00", "NA ", "5"]) == {"-9"}
    declared = DeclaredMissing()
    declared.note("a", [-9, "-9.0", "", "NA"], {"-9"})
    declared.note("b", [-9, "NA", "gone"], set())
    assert [(finding.where, finding.text[:25]) for finding in declared.findings()] == [
        ("a, b", "missing lists 'NA', which"),
        ("b", "missing lists 'gone', whi"),
    ]


@pytest.mark.parametrize("wide", [True, False])
def test_numbers_beyond_whole_numbers_of_64_bits_are_read(wide: bool) -> None:
    assert events([1.2345678901234567e19, 1e30, *[-99.0] * 12, *NUMBERS[14:]], wide) != []
