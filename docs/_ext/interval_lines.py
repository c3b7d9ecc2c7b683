"""Lines of the simulated coverage of intervals as one table: figures down, numbers of positives across."""

from __future__ import annotations

from typing import Any

from rst_table import list_table

__all__ = ["interval_coverage"]

Line = dict[str, Any]

#: A figure that was printed in fewer samples of a design than this share has too few to judge by.
LEAST_PRINTED = 0.3


def interval_coverage(lines: list[Line]) -> list[str]:
    """The table: the lowest coverage over designs, in %, and a dash where no interval is printed.

    Args:
        lines: Of ``benchmarks/interval_coverage.py``; of the same design the newest counts.
    """
    newest = {str(line.get("design") or (line["seeds"], line["skewed"])): line for line in lines}.values()
    patients = [line for line in newest if "design" in line]
    seeds = [line for line in newest if "seeds" in line]
    numbers = sorted({_subjects(line) for line in patients})
    rows = [["figure", *(f"{number} positive" for number in numbers)]]
    for figure in dict.fromkeys(name for line in patients for name in line["figures"]):
        own = ([line for line in patients if _subjects(line) == number] for number in numbers)
        rows.append([figure, *(_lowest(each, figure) for each in own)])
    out = list_table(rows)
    counts = sorted({line["seeds"] for line in seeds})
    if counts:
        out += ["", "Over seeds, of normal and of skewed differences:", ""]
        rows = [["figure", *(f"{number} seeds" for number in counts)]]
        for figure in dict.fromkeys(name for line in seeds for name in line["figures"]):
            own = ([line for line in seeds if line["seeds"] == number] for number in counts)
            rows.append([figure, *(_lowest(each, figure) for each in own)])
        out += list_table(rows)
    return out


def _subjects(line: Line) -> int:
    """Positive subjects of a design."""
    return int(line["design"]["positives"] // line["design"]["per_subject"])


def _lowest(lines: list[Line], figure: str) -> str:
    found = [line["figures"][figure] for line in lines if figure in line["figures"]]
    known = [one["coverage"] for one in found if one["printed"] >= LEAST_PRINTED]
    return f"{100 * min(known):.0f} %" if known else "–"
