"""Lines on cohorts that come with Python packages, as a table and sentences."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from result_lines import BASELINES, REFERENCE, Line, commit_words, newest
from rst_table import list_table
from scipy.stats import t

FIGURES = {"auroc": "AUROC", "auprc": "AUPRC"}


def gaps(lines: Sequence[Line], arm: str, rival: str, figure: str = "auroc") -> dict[str, float]:
    """By cohort an arm's figure less a rival's, on the same folds."""
    found = newest(lines, lambda line: (line["cohort"], line["arm"]))
    cohorts = sorted({cohort for cohort, _ in found})
    return {
        cohort: found[cohort, arm][figure] - found[cohort, rival][figure]
        for cohort in cohorts
        if (cohort, arm) in found and (cohort, rival) in found
    }


def over_cohorts(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean over cohorts with a 95 % t interval, which is about cohorts like these; its ends are NaN for one."""
    mean = float(np.mean(values))
    if len(values) < 2:
        return mean, float("nan"), float("nan")
    half = float(t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values)))
    return mean, mean - half, mean + half


def package_rows(lines: Sequence[Line]) -> list[list[str]]:
    """One row per cohort: patients, AUROC of boosting, and every other arm's less it with its interval."""
    found = newest(lines, lambda line: (line["cohort"], line["arm"]))
    arms = sorted({arm for _, arm in found if arm != REFERENCE}, key=lambda arm: (arm in BASELINES, arm))
    rows = [["cohort", "patients", REFERENCE, *(f"{arm} less it" for arm in arms)]]
    for cohort in sorted({cohort for cohort, _ in found}):
        base = found[cohort, REFERENCE]
        cells = []
        for arm in arms:
            line = found[cohort, arm]
            low, high = line["auroc_minus_boosting_interval"]
            mean = f"{line['auroc_minus_boosting']:+.3f}"
            cells.append(f"{f'**{mean}**' if low > 0 or high < 0 else mean} [{low:+.3f}, {high:+.3f}]")
        rows.append([cohort, f"{base['patients']:,}", f"{base['auroc']:.3f}", *cells])
    return rows


def sentence(lines: Sequence[Line], arm: str, rival: str) -> str:
    """What an arm is above or below a rival on the mean over cohorts, in both figures."""
    told = []
    for figure, word in FIGURES.items():
        own = list(gaps(lines, arm, rival, figure).values())
        mean, low, high = over_cohorts(own)
        higher = sum(value > 0 for value in own)
        told.append(f"{mean:+.3f} [{low:+.3f}, {high:+.3f}] {word} (higher on {higher} of {len(own)})")
    return f"{arm} less {rival}: {', '.join(told)}"


def clearly(lines: Sequence[Line], arm: str) -> str:
    """On how many cohorts an arm's AUROC is above or below boosting's by an interval without 0."""
    found = newest(lines, lambda line: (line["cohort"], line["arm"]))
    intervals = [line["auroc_minus_boosting_interval"] for (_, name), line in found.items() if name == arm]
    above, below = sum(low > 0 for low, _ in intervals), sum(high < 0 for _, high in intervals)
    return f"{arm}: clearly above {REFERENCE} on {above} of {len(intervals)}, clearly below on {below}"


def package_cohorts(lines: list[Line]) -> list[str]:
    """The table, means over cohorts, and where the lines are from."""
    arms = list(dict.fromkeys(line["arm"] for line in lines))
    networks = sorted(arm for arm in arms if arm not in BASELINES)
    rivals = [arm for arm in (REFERENCE, "lightgbm tuned", "logistic") if arm in arms]
    said = [f"- {sentence(lines, arm, rival)}." for arm in networks for rival in rivals]
    said += [f"- {clearly(lines, arm)}." for arm in (*networks, *rivals[1:])]
    commits = ", ".join(sorted({commit_words(line) for line in lines}))
    return [
        *list_table(package_rows(lines)),
        "",
        "Means over cohorts with 95 % t intervals over them, and single cohorts by the intervals of the table:",
        "",
        *said,
        "",
        f"Commit {commits}.",
        "",
    ]
