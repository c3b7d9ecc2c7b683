"""Lines of ``benchmarks/boosted_members.py`` as a table of paired differences, by rules from the figures."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean, stdev
from typing import Any

from rst_table import list_table
from scipy.stats import t

Line = dict[str, Any]

PAIRS = (
    ("none, trees", "none"),
    ("none, trees", "boosting"),
    ("streams, trees", "full"),
    ("streams, trees", "boosting + strata"),
)
SPLITS = ("test_unbiased", "test_flipped")


def boosted_members(lines: list[Line]) -> list[str]:
    """A row per design and pair: mean differences of AUROC over seeds; and a row over designs' means."""
    areas = {(line["design"], line["seed"], line["arm"]): line["auroc"] for line in lines}
    designs = list(dict.fromkeys(design for design, _, _ in areas))
    rows = []
    for one, two in PAIRS:
        means: list[list[float]] = []
        for design in designs:
            seeds = [s for d, s, arm in areas if (d, arm) == (design, one) and (design, s, two) in areas]
            if not seeds:
                continue
            gaps = [[areas[design, s, one][part] - areas[design, s, two][part] for s in seeds] for part in SPLITS]
            means.append([fmean(each) for each in gaps])
            rows.append([f"``{design}``", f"{one} − {two}", str(len(seeds)), *(_number(each) for each in means[-1])])
        if len(means) > 2:
            over = [_interval([each[part] for each in means]) for part in range(len(SPLITS))]
            rows.append(["**mean of designs**", f"{one} − {two}", "", *over])
    return list_table([["design", "difference", "seeds", "unbiased", "flipped"], *rows])


def _interval(values: Sequence[float]) -> str:
    """Mean with a 95 % t interval."""
    half = t.ppf(0.975, len(values) - 1) * stdev(values) / len(values) ** 0.5
    return f"{_number(fmean(values))} [{_number(fmean(values) - half)}, {_number(fmean(values) + half)}]"


def _number(value: float) -> str:
    return f"{value:+.3f}"
