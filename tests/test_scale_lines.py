"""What the page of large cohorts says follows from the figures."""

from __future__ import annotations

from typing import Any

from tests.test_documentation import docs_module

pages = docs_module("scale_lines")


def line(step: str, patients: int, cpu: float, own: float, **other: Any) -> dict[str, Any]:
    made = {"step": step, "patients": patients, "engine": "duckdb" if step == "build" else None, "limit_gib": None}
    made |= {"seconds": 2 * cpu, "cpu_seconds": cpu, "own_bytes": own * 2**30, "mapped_bytes": 2**29, "load": 1.25}
    return {**made, "exit_code": 0, "graph_bytes": 1600 * patients, "time": "2026-01-01T00:00:00+00:00", **other}


LINES = [
    line("build", 10**5, 20, 1.0),
    line("train", 10**5, 100, 1.5),
    line("build", 10**6, 182, 4.0),
    line("train", 10**6, 460, 3.5),
    line("train", 10**6, 999, 9.0, exit_code=137),
    line("build", 10**6, 999, 9.0, limit_gib=8.0),
    line("build", 10**6, 1800, 2.0, engine="spark"),
]


def test_the_table_has_what_ended_well_without_a_limit() -> None:
    rows = pages.measured_rows(pages.measured(LINES))
    assert rows[1:] == [
        ["100,000", "build", "40", "20", "1.00", "0.50", "1.2"],
        ["100,000", "train", "200", "100", "1.50", "0.50", "1.2"],
        ["1,000,000", "build", "364", "182", "4.00", "0.50", "1.2"],
        ["1,000,000", "train", "920", "460", "3.50", "0.50", "1.2"],
        ["1,000,000", "build, spark", "3600", "–", "2.00", "0.50", "1.2"],
    ]


def test_growth_is_of_processor_seconds_per_patient() -> None:
    (said,) = pages.growth(pages.measured(LINES))
    assert said.endswith("1,000,000 patients over those of 100,000: build 0.91, train 0.46.")
    assert pages.growth(pages.measured(LINES[:2])) == []


def test_other_sizes_lie_on_the_line_through_the_two_largest() -> None:
    rows = pages.paper_rows(pages.measured(LINES))
    assert [row[0] for row in rows[1:]] == ["100,000", "1,000,000", "10,000,000", "100,000,000"]
    assert [row[1] for row in rows[1:]] == ["0.16", "1.6", "16", "160"]
    assert rows[1][2] == "0.0056 / 1"
    assert rows[3][2] == "0.5 / 34"
    assert rows[3][4:] == ["–", "–"]
    assert pages.paper_rows(pages.measured(LINES[:2]))[1:] == []
    assert pages._at(10**8, [10**5, 10**6], [4.0, 3.0]) == 3.0  # memory that fell is not promised to fall on
