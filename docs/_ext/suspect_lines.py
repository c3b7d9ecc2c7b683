"""Lines on what declared suspects cost, right ones and wrong ones, as tables of reStructuredText."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from result_lines import Line, commit_words, newest
from rst_table import list_table

from gdsfd.evaluation.report.numbers import number

SPLITS = ("test", "test_unbiased", "test_shifted_missingness")


def wrong_suspects(lines: list[Line]) -> list[str]:
    """One row per declaration."""
    return _table(lines, {"declared": "declared"})


def ordered_because_ill(lines: list[Line]) -> list[str]:
    """One row per reason why modalities are absent, and mode."""
    return _table(lines, {"modalities are absent because of": "world", "mode": "mode"})


def _table(lines: list[Line], named: dict[str, str]) -> list[str]:
    found = newest(lines, lambda line: (*(line[field] for field in named.values()), line["seed"])).values()
    splits = [split for split in SPLITS if all(split in line["debiased"] for line in found)]
    left_out = all("evidence" in line for line in found)
    columns: dict[str, Callable[[Line], float]] = {split.replace("_", " "): _gain(split) for split in splits}
    if left_out:
        columns["left out"] = lambda line: line["evidence"].get("difference", float("nan"))
    rows = [[*named, "suspects tell, nats", *columns, "guard used it"]]
    for key in dict.fromkeys(tuple(line[field] for field in named.values()) for line in found):
        fits = [line for line in found if tuple(line[field] for field in named.values()) == key]
        tells = sum(sum(line["tells_nats"]) for line in fits) / len(fits)
        used = sum(line["choice"] == "debiased" for line in fits)
        figures = [mean_and_range([figure(line) for line in fits]) for figure in columns.values()]
        words = [f"``{word}``" if name == "mode" else word for name, word in zip(named, key)]
        rows.append([*words, f"{tells:.2f}", *figures, f"{used} of {len(fits)}"])
    seeds = sorted({line["seed"] for line in found})
    commits = ", ".join(sorted({commit_words(line) for line in found}))
    commands = ", ".join(sorted({f"``{line['command']}``" for line in found}))
    widths = " ".join(["16"] * len(named) + ["8"] + ["14"] * len(columns) + ["8"])
    return [*list_table(rows, widths), "", f"{len(seeds)} seeds; {commands}; commit {commits}."]


def _gain(split: str) -> Callable[[Line], float]:
    return lambda line: line["debiased"][split] - line["reference"][split]


def mean_and_range(values: Sequence[float]) -> str:
    """Mean with the least and the greatest in brackets; values that are not there (NaN) are left out, and counted."""
    known = [value for value in values if value == value]
    if not known:
        return "–"
    mean, low, high = (number(value, signed=True) for value in (sum(known) / len(known), min(known), max(known)))
    count = "" if len(known) == len(values) else f"; {len(known)} of {len(values)}"
    return f"{mean} ({low} to {high}{count})"
