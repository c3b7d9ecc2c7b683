"""Which rows of the cohort table are patients, and what is read of them."""

from __future__ import annotations

import pytest

from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.patients.cohort_cells import check_unique, named_columns, origins, read_cells
from gdsfd.cohort.sources.sources import Sources
from gdsfd.cohort.spec.column_needs import needs_of_spec
from gdsfd.errors import InputError
from tests.cohort.small_exports import PATIENTS, events, patients, spec


def cells_of(frame=None, like=None, **cohort):
    given = spec(cohort={"source": patients() if frame is None else frame, **cohort})
    with Sources(given.base_dir, needs_of_spec(given)) as sources:
        return read_cells(given, sources, like)


def test_cells_are_text_in_the_order_of_the_table_and_only_what_is_named() -> None:
    frame = patients()[::-1].assign(year=range(PATIENTS))
    frame["site"] = frame["site"].where(frame["site"] != "north")
    read = cells_of(frame, environment="site", groups=["year"])
    assert read.ids == frame["pid"].tolist()
    assert read.cells["year"] == [str(number) for number in range(PATIENTS)]
    assert read.cells["site"] == [None if value != value else value for value in frame["site"]]
    assert "sex" not in read.cells
    assert read.drops == []


def test_rows_dropped_from_the_cohort_are_counted() -> None:
    frame = patients()
    frame.loc[3, "pid"] = " "
    cohort = build_cohort(spec(cohort={"source": frame, "where": "pid IS NULL OR pid >= '002'"}))
    receipt = cohort.receipt.cohort
    assert [(drop.reason, drop.rows) for drop in receipt.drops] == [("cohort.where is not true", 2), ("blank pid", 1)]
    assert (receipt.rows_read, receipt.rows_kept, receipt.patients) == (40, 37, 37)
    assert len(cohort) == 37


@pytest.mark.parametrize(
    ("frame", "where", "words"),
    [
        (patients(), "pid = 'nobody'", "40 rows were read, cohort.where = \"pid = 'nobody'\" is true for none"),
        (patients().assign(pid=None), None, r"column 'pid' \(cohort.id\) is blank in all 40 rows"),
        (patients().assign(pid=["a", "b"] * 20), None, "2 values of 'pid' repeat"),
    ],
)
def test_a_table_without_patients_or_with_one_twice_is_refused(frame, where, words) -> None:
    with pytest.raises(InputError, match=words):
        cells_of(frame, **({"where": where} if where else {}))


def test_repeated_ids_are_named_once_each() -> None:
    check_unique(["a", "b"], "pid", "patients.csv")
    with pytest.raises(InputError, match=r"patients.csv: .* 1 values of 'pid' repeat: 'a'\."):
        check_unique(["a", "a", "b", "a"], "pid", "patients.csv")


def test_every_named_column_has_the_field_that_names_it() -> None:
    source = events().assign(charted="2150-01-01 10:00")
    chart = {"name": "chart", "kind": "events", "source": source, "id": "pid", "item": "item", "value": "value"}
    given = spec({**chart, "time": "charted", "origin": "admitted"}, cohort={"environment": "site", "groups": ["sex"]})
    with Sources(given.base_dir, needs_of_spec(given)) as sources:
        view = sources.open(given.cohort.source, "cohort", in_order=True)
        named = dict(named_columns(given, view))
    assert {name: named[name] for name in ("pid", "person", "site", "sex", "admitted", "died")} == {
        "pid": "cohort.id",
        "person": "cohort.subject",
        "site": "cohort.environment",
        "sex": "cohort.groups",
        "admitted": "origin of a modality",
        "died": "outcome 'death'",
    }
    assert origins(given) == ["admitted"]
