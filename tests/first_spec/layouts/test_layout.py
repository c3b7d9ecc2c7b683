"""Recognising a layout, and what is known of its tables."""

from __future__ import annotations

from gdsfd.first_spec.layouts import LAYOUTS, Layout, TableHint, recognised
from tests.first_spec.tables import table_of

LABS = table_of("anything", Stay=[1], LabName=["a"], result=[1])
LAYOUT = Layout(
    "x",
    signs=(frozenset({"stay", "labname"}),),
    leaks={"death*": "a date", "Los": "the end"},
    tables=(TableHint(frozenset({"LABNAME"}), kind="events"), TableHint(frozenset({"stay"}), kind="codes")),
)


def test_columns_alone_tell_a_layout_in_any_case():
    assert recognised([LABS], [LAYOUT]) is LAYOUT
    assert recognised([table_of("labs", stay=[1]), table_of("b", labname=["a"])], [LAYOUT]) is None
    assert recognised([LABS], []) is None


def test_the_first_hint_that_fits_and_leaks_by_pattern():
    assert LAYOUT.hint(LABS).kind == "events"
    assert LAYOUT.hint(table_of("x", stay=[1])).kind == "codes"
    assert LAYOUT.hint(table_of("x", y=[1])) is None
    assert LAYOUT.leak("DeathDate") == "a date"
    assert LAYOUT.leak("los") == "the end"
    assert LAYOUT.leak("sodium") is None


def test_no_layout_names_a_file_or_leaves_something_unsaid():
    for layout in LAYOUTS:
        assert layout.title
        assert layout.notes
        assert layout.signs
        assert all(sign for sign in layout.signs)
        assert all(hint.columns for hint in layout.tables)
        assert all(why and not why.endswith(".") for why in layout.leaks.values())


def test_layouts_are_not_taken_for_one_another():
    for layout in LAYOUTS:
        tables = [table_of(f"t{k}", **{name: [1] for name in sorted(sign)}) for k, sign in enumerate(layout.signs)]
        assert recognised(tables, LAYOUTS) is layout
