"""A source is asked for the columns that the spec can use, and for no other: what is not asked for is not copied."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from gdsfd.cohort.schema import ModalityFields
from gdsfd.cohort.spec import CohortSpec
from gdsfd.cohort.spec.column_needs import ColumnNeeds, needs_of_modality, needs_of_spec, source_key
from gdsfd.cohort.spec.name_patterns import matching_names
from tests.cohort.spec.test_name_patterns import LOINC, NAMES


@pytest.mark.parametrize("entry", ["e_[01]", LOINC, "Glucose [*", "a*", "Gro\u0308\u00dfe", ["e_0", "sbp_*"]])
def test_a_source_is_asked_for_what_it_will_be_read_for(entry: str | list[str]) -> None:
    entries = [entry] if isinstance(entry, str) else entry
    chosen = {name for each in entries for name in matching_names(each, NAMES)[0]}
    needs, others = ColumnNeeds(), ColumnNeeds()
    needs.add_choice(entry)
    others.add_choice(None, exclude=entries)
    for name in NAMES:
        assert needs.wants(name, NAMES) == (name in chosen), name
        assert others.wants(name, NAMES) == (name not in chosen), name


def wanted(needs: ColumnNeeds, *columns: str) -> set[str]:
    return {column for column in columns if needs.wants(column, columns)}


def test_columns_that_sql_reads_are_wanted_whatever_their_case_and_as_written() -> None:
    needs = ColumnNeeds()
    needs.add_sql("lower(Unit) = 'icu'", None, "value__text <> '1'")
    needs.add("pid", None)
    assert wanted(needs, "unit", "UNIT", "value", "pid", "address", "None") == {"unit", "UNIT", "value", "pid"}


def test_all_but_some_of_two_modalities_of_one_source_is_what_either_takes() -> None:
    needs = ColumnNeeds()
    needs.add_choice(None, exclude=["a", "s_*"])
    assert wanted(needs, "a", "b", "s_1") == {"b"}
    needs.add_choice(None, exclude=["b"])
    assert wanted(needs, "a", "b", "s_1") == {"a", "b", "s_1"}


def every_field() -> CohortSpec:
    """A spec that names a column in each of its fields, as ``c_...``, ``j_...`` and ``m_...`` of its three sources."""
    cohort = {"source": "c.csv", "id": "c_id", "subject": "c_subject", "environment": ["c_site", "c_era"]}
    cohort |= {"groups": "c_sex", "derive": {"new": "c_derive + 1"}, "where": "c_where = 1"}
    join = {"source": "j.csv", "on": "j_on", "columns": ["j_column"], "derive": {"made": "j_derive"}}
    modality = {"name": "m", "kind": "events", "source": "m.csv", "id": "m_id", "time": "m_time", "origin": "c_origin"}
    modality |= {"item": "m_item", "value": "m_value", "derive": {"d": "m_derive"}, "where": "m_where = 1"}
    return CohortSpec(
        cohort=cohort | {"join": join},
        outcome={"name": "o", "column": "c_outcome", "positive": 1},
        split={"kind": "column", "column": "c_split"},
        modality=modality,
    )


def test_every_field_that_names_a_column_asks_its_source_for_it() -> None:
    needs = needs_of_spec(every_field())
    assert set(needs) == {"c.csv", "j.csv", "m.csv"}
    own = ("id", "subject", "site", "era", "sex", "derive", "where", "origin", "outcome", "split")
    cohort = {f"c_{name}" for name in own}
    assert wanted(needs["c.csv"], *cohort, "address", "m_id", "j_column") == cohort
    look_up = {"j_on", "j_column", "j_derive"}
    assert wanted(needs["j.csv"], *look_up, "address") == look_up
    events = {f"m_{name}" for name in ("id", "time", "item", "value", "derive", "where")}
    assert wanted(needs["m.csv"], *events, "address", "c_origin") == events


def test_the_cohort_table_as_a_modality_is_one_source() -> None:
    table = {"name": "t", "kind": "table", "source": "c.csv", "id": "pid", "columns": ["wbc"], "exclude": ["x"]}
    outcome = {"name": "o", "column": "died", "positive": 1}
    needs = needs_of_spec(CohortSpec(cohort={"source": "c.csv", "id": "pid"}, outcome=outcome, modality=table))
    assert wanted(needs["c.csv"], "pid", "died", "wbc", "x", "address") == {"pid", "died", "wbc"}


def test_columns_of_a_fitted_schema_are_asked_for_too() -> None:
    (modality,) = every_field().modality
    like = ModalityFields("m", "events", numeric=("seen then",))
    assert needs_of_modality(modality, like).wants("seen then")
    assert not needs_of_modality(modality).wants("seen then")


def test_a_path_is_known_by_its_text_and_an_object_by_itself() -> None:
    assert source_key("a.csv") == source_key(Path("a.csv")) != source_key("b.csv")
    frame = pd.DataFrame({"a": [1]})
    assert source_key(frame) == source_key(frame) != source_key(frame.copy())
