"""Tables on declared suspects follow from the lines of their studies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.test_documentation import docs_module

pages = docs_module("suspect_lines")


def line(seed: int, gain: float, **other: Any) -> dict[str, Any]:
    given = {"seed": seed, "tells_nats": [0.25], "choice": "debiased", "commit": "0123456789ab", "dirty": False}
    given |= {"command": "python benchmarks/x.py", "time": f"2026-01-0{seed + 1}"}
    areas = {"reference": {"test": 0.75}, "debiased": {"test": 0.75 + gain}}
    return given | areas | other


def test_rows_are_means_over_seeds_and_the_newest_line_counts():
    lines = [line(0, 0.5, declared="site"), line(0, 0.02, declared="site"), line(1, -0.04, declared="site")]
    lines.append(line(0, 0.0001, declared="sex", choice="reference", tells_nats=[0.0]))
    text = "\n".join(pages.wrong_suspects(lines))
    assert "* - site\n     - 0.25\n     - −0.010 (−0.040 to +0.020)\n     - 2 of 2" in text
    assert "* - sex\n     - 0.00\n     - 0.000 (0.000 to 0.000)\n     - 0 of 1" in text
    assert text.endswith("2 seeds; ``python benchmarks/x.py``; commit ``01234567``.")


def test_what_leaving_out_showed_stands_beside_the_splits():
    told = {"world": "illness", "mode": "full"}
    lines = [
        line(0, 0.01, **told, evidence={"difference": -0.02}),
        line(1, 0.01, **told, evidence={}, dirty=True),
    ]
    text = "\n".join(pages.ordered_because_ill(lines))
    assert "* - illness\n     - ``full``\n     - 0.25\n" in text
    assert "- left out\n" in text
    assert "- +0.010 (+0.010 to +0.010)\n     - −0.020 (−0.020 to −0.020; 1 of 2)\n" in text
    assert "``01234567``, ``01234567`` +." in text


@pytest.mark.parametrize("name", ["wrong_suspects", "ordered_because_ill"])
def test_the_lines_there_are_make_a_whole_table(name):
    file = Path(pages.__file__).parents[2] / "benchmarks" / "results" / f"{name}.jsonl"
    lines = [json.loads(text) for text in file.read_text(encoding="utf-8").splitlines()]
    rows = "\n".join(getattr(pages, name)(lines)).split("* - ")[1:]
    assert len({row.count("\n     - ") for row in rows}) == 1
    assert len(rows) > 4
    assert "–" not in "".join(rows)
