"""Lines on columns put on one scale per environment, as a table of reStructuredText."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from guard_lines import NAMES
from result_lines import Line, commit_words, newest
from rst_table import list_table

PLAIN = "as measured"


def alignment_rows(lines: Sequence[Line]) -> list[list[str]]:
    """One row per cohort and model: mean AUROC as measured, and what each other table adds, with its least and most."""
    found = newest(lines, lambda line: (line["cohort"], line["model"], line["table"]))
    tables = [name for name in dict.fromkeys(table for *_, table in found) if name != PLAIN]
    rows = [["cohort", "model", "left out", PLAIN, *(f"{name} less {PLAIN}" for name in tables)]]
    for cohort, model in dict.fromkeys((cohort, model) for cohort, model, _ in found):
        plain = found[cohort, model, PLAIN]["auroc"]
        cells = []
        for name in tables:
            other = found[cohort, model, name]["auroc"]
            gaps = [other[place] - plain[place] for place in plain]
            cells.append(f"{np.mean(gaps):+.3f} ({min(gaps):+.3f} to {max(gaps):+.3f})")
        mean = f"{np.mean(list(plain.values())):.3f}"
        rows.append([NAMES.get(cohort, cohort), model, str(len(plain)), mean, *cells])
    return rows


def site_alignment(lines: list[Line]) -> list[str]:
    """The table, how often a mean came out higher, and where the lines are from."""
    rows = alignment_rows(lines)
    means = [cell for row in rows[1:] for cell in row[4:]]
    better = sum(not cell.startswith("-") and not cell.startswith("+0.000") for cell in means)
    commits = ", ".join(sorted({commit_words(line) for line in lines}))
    words = f"Higher than {PLAIN} in {better} of {len(means)} means over the environments left out; commit {commits}."
    return [*list_table(rows), "", words, ""]
