"""The flattened table, cell by cell, against a slow reading of the cohort."""

from __future__ import annotations

import numpy as np
import pytest

from gdsfd.cohort.kinds import codes as module
from gdsfd.cohort.schema import SUMMARY_COLUMNS
from gdsfd.graph.flatten import flat_width, flatten
from gdsfd.graph.from_cohort import graph_from_cohort
from tests.cohort_factory import make_cohort


def slow_row(cohort, patient):
    """Name -> value of one patient, read with loops; a name that is not there means NaN."""
    row = {}
    for fields in cohort.schema.modalities:
        found = cohort.observations[fields.name]
        edge = {int(owner): number for number, owner in enumerate(found.patient)}.get(patient)
        row[f"{fields.name} (present)"] = float(edge is not None)
        if fields.kind == "codes":
            row |= {f"{fields.name}={code}": 0.0 for code in fields.codes}
            row[f"{fields.name} (codes)"] = 0.0
        if fields.kind == "events":
            row |= {f"{fields.name}.{item}.count": 0.0 for item in fields.items}
        if edge is None:
            continue
        if fields.kind == "table":
            row |= {f"{fields.name}.{name}": found.numeric[edge, at] for at, name in enumerate(fields.numeric)}
            for at, (name, levels) in enumerate(zip(fields.categorical, fields.levels)):
                cell = found.categorical[edge, at]
                if cell:
                    row[f"{fields.name}.{name}=(other)"] = float(cell == 1)
                    row |= {f"{fields.name}.{name}={level}": float(cell == j + 2) for j, level in enumerate(levels)}
        elif fields.kind == "events":
            for place in range(found.summary_ptr[edge], found.summary_ptr[edge + 1]):
                item = fields.items[found.summary_item[place]]
                row |= {
                    f"{fields.name}.{item}.{column}": found.summary[place, at]
                    for at, column in enumerate(SUMMARY_COLUMNS)
                }
        elif fields.kind == "codes":
            for place in range(found.ptr[edge], found.ptr[edge + 1]):
                if found.code[place] >= 2:
                    row[f"{fields.name}={fields.codes[found.code[place] - 2]}"] = 1.0
                row[f"{fields.name} (codes)"] += float(found.code[place] != 1)
        else:
            row |= {f"{fields.name}.{at}": value for at, value in enumerate(found.vector[edge])}
    return row


@pytest.mark.parametrize("nobody_has", [(), ("chart",), ("labs", "note"), ("diagnosis",)])
def test_equal_to_the_slow_reading(nobody_has):
    cohort = make_cohort(40, nobody_has=nobody_has)
    x, names = flatten(graph_from_cohort(cohort))
    assert x.dtype == np.float32
    assert x.shape == (40, len(names))
    assert len(set(names)) == len(names)
    for patient in range(40):
        slow = slow_row(cohort, patient)
        assert set(slow) <= set(names)
        np.testing.assert_array_equal(
            x[patient], np.array([slow.get(name, np.nan) for name in names], dtype=np.float32)
        )


def test_rows_in_any_order_and_repeated():
    graph = graph_from_cohort(make_cohort(30))
    x, names = flatten(graph)
    rows = np.array([7, 3, 3, 29, 0])
    some, same = flatten(graph, rows)
    np.testing.assert_array_equal(some, x[rows])
    assert same == names


@pytest.mark.parametrize("n", [0, 1])
def test_nobody_and_one_patient(n):
    x, names = flatten(graph_from_cohort(make_cohort(n)))
    assert x.shape == (n, len(names))
    assert names


def test_the_rarest_codes_lose_their_column_first(monkeypatch):
    monkeypatch.setattr(module, "MAX_CODES", 2)
    cohort = make_cohort(100)
    fields = cohort.schema.modalities[2]
    _, names = flatten(graph_from_cohort(cohort))
    frequent = sorted(range(5), key=lambda at: -fields.code_counts[at])[:2]
    assert [name for name in names if name.startswith("diagnosis=")] == [
        f"diagnosis={fields.codes[at]}" for at in frequent
    ]


@pytest.mark.parametrize("most", [2, 500])
def test_the_width_is_known_from_the_schema_alone(monkeypatch, most):
    monkeypatch.setattr(module, "MAX_CODES", most)
    graph = graph_from_cohort(make_cohort(40))
    assert flat_width(graph.schema) == flatten(graph)[0].shape[1]
