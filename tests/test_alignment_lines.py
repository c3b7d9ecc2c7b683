"""The table on columns put on one scale follows from its lines."""

from __future__ import annotations

from typing import Any

from tests.test_documentation import docs_module

pages = docs_module("alignment_lines")


def line(table: str, north: float, south: float, **other: Any) -> dict[str, Any]:
    given = {"cohort": "eicu", "model": "boosting", "commit": "0123456789ab", "dirty": False}
    return given | {"table": table, "auroc": {"north": north, "south": south}} | other


def test_differences_are_by_environment_left_out():
    lines = [line("centred", 0.1, 0.1), line(pages.PLAIN, 0.80, 0.70), line("centred", 0.78, 0.72)]
    lines += [line("ranks", 0.79, 0.75)]
    head, row = pages.alignment_rows(lines)
    assert head[3:] == [pages.PLAIN, "centred less as measured", "ranks less as measured"]
    assert row == ["eICU demo", "boosting", "2", "0.750", "+0.000 (-0.020 to +0.020)", "+0.020 (-0.010 to +0.050)"]
    text = "\n".join(pages.site_alignment(lines))
    assert "Higher than as measured in 1 of 2 means" in text
    assert "commit ``01234567``" in text


def test_a_cohort_named_as_in_no_other_table_keeps_its_name():
    lines = [line(table, 0.5, 0.5, cohort="ours", dirty=True) for table in (pages.PLAIN, "ranks")]
    assert pages.alignment_rows(lines)[1][0] == "ours"
    assert "commit ``01234567`` +" in "\n".join(pages.site_alignment(lines))
