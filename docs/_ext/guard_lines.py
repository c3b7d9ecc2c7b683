"""Lines on the guard: its rules held against what debiasing came to, and real shifts as it delivers them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from result_lines import Line, newest, read_lines
from rst_table import list_table
from scipy.stats import t

from gdsfd.training.model_selection.guard import LEAST_GAIN

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results"
Figures = dict[tuple[int, str], dict[str, float]]
NAMES = {"uci_heart": "UCI heart", "physionet2012": "PhysioNet 2012", "eicu": "eICU demo", "support2": "SUPPORT2"}
RIVALS = ("none", "margin", "boosting", "boosting_margin")


def _gains(line: Line) -> bool:
    return bool(line["difference"] >= LEAST_GAIN)


def loses(folds: Sequence[float]) -> bool:
    """Whether the guard refuses by what was lost in one of the groups left out."""
    return min(folds, default=0.0) <= -LEAST_GAIN


#: A rule in words -> whether it delivers, by a line of ``guard_by_fold.py``.
RULES: dict[str, Callable[[Line], bool]] = {
    "a gain of .005": _gains,
    "and its interval above 0": lambda line: _gains(line) and line["low"] > 0,
    "and no group left out loses .005": lambda line: _gains(line) and not loses([*line["folds"].values()]),
}


def rule_rows(lines: Sequence[Line]) -> list[list[str]]:
    """One row per design: gain of debiasing on ``test_unbiased``, and per rule how often it delivers and what of it."""
    found = newest(lines, lambda line: (line["design"], line["seed"], line["backbone"], line["debias"])).values()
    rows = [["design", "mode", "cohorts", "gain, always delivered", *RULES]]
    for design, debias in dict.fromkeys((line["design"], line["debias"]) for line in found):
        own = [line for line in found if (line["design"], line["debias"]) == (design, debias)]
        gains = [_unbiased(line, "debiased") - _unbiased(line, "reference") for line in own]
        cells = []
        for rule in RULES.values():
            got = [gain if rule(line) else 0.0 for line, gain in zip(own, gains)]
            cells.append(f"{sum(map(rule, own))}: {np.mean(got):+.3f}, worst {min(got):+.3f}")
        rows.append([f"``{design}``", f"``{debias}``", str(len(own)), f"{np.mean(gains):+.3f}", *cells])
    return rows


def _unbiased(line: Line, network: str) -> float:
    return float(line["auroc"][network]["test_unbiased"])


def guard_by_fold(lines: list[Line]) -> list[str]:
    """The rules' table."""
    return [*list_table(rule_rows(lines)), ""]


def real_shifts_trees(lines: list[Line]) -> list[str]:
    """Each cohort's means over the environments left out, and paired differences of ``full``, as delivered today."""
    rows = [
        [
            "cohort",
            "seeds",
            "``full``",
            *(f"``{name}``" for name in RIVALS),
            *(f"``full`` less ``{name}``" for name in RIVALS),
        ]
    ]
    means: list[dict[str, float]] = []
    found, refused = cohort_means(lines)
    for cohort, by_seed in found.items():
        arms = {arm: np.array([each[arm] for each in by_seed]) for arm in ("full", *RIVALS)}
        means.append({arm: float(each.mean()) for arm, each in arms.items()})
        cells = [f"{means[-1][arm]:.3f}" for arm in ("full", *RIVALS)]
        gaps = [_gap(arms["full"] - arms[name]) for name in RIVALS]
        rows.append([NAMES.get(cohort, cohort), str(len(by_seed)), *cells, *gaps])
    words = (
        f"{over_cohorts(means)} Where the guard of the run had delivered a network that lost {LEAST_GAIN:g} or more in "
        f"one of the groups it left out, which today's guard refuses ({refused} fits), the figure is that of ERM, "
        "which it delivers instead."
    )
    return [*list_table(rows), "", words, ""]


def over_cohorts(means: Sequence[dict[str, float]]) -> str:
    """The arms' means over cohorts, in words."""
    over = {arm: f"{np.mean([each[arm] for each in means]):.3f}" for arm in ("full", *RIVALS)}
    return (
        f"Over the {len(means)} cohorts ``full`` has {over['full']}, ERM {over['none']}, ``margin`` {over['margin']}, "
        f"boosting {over['boosting']}, boosting beside the margin {over['boosting_margin']}."
    )


def cohort_means(lines: Sequence[Line]) -> tuple[dict[str, list[dict[str, float]]], int]:
    """Cohort -> each seed's means over the environments left out; and how many fits of ``full`` are refused today."""
    found: dict[str, list[dict[str, float]]] = {}
    refused = 0
    for cohort in dict.fromkeys(line["design"] for line in lines if "splits" in line):
        figures, turned = delivered(with_full([line for line in lines if line.get("design") == cohort]))
        refused += turned
        if seeds := whole_seeds(figures):
            found[cohort] = seeds
    return found, refused


def with_full(lines: Sequence[Line]) -> list[Line]:
    """A cohort's lines; where training found no practice (``strata_shifts.py``) ``full`` is ``margin``, to the bit."""
    looks = read_lines(RESULTS / "strata_shifts.jsonl") or []
    nothing = {(line["cohort"], line["holdout"], line["seed"]) for line in looks if not line["used"]}
    own = {(line["holdout"], line["seed"]) for line in lines if line.get("arm") == "full"}
    same = [
        {**line, "arm": "full"}
        for line in lines
        if line.get("arm") == "margin"
        and (line["holdout"], line["seed"]) not in own
        and (line["design"], line["holdout"], line["seed"]) in nothing
    ]
    return [*lines, *same]


def delivered(lines: Sequence[Line]) -> tuple[Figures, int]:
    """(seed, environment left out) -> AUROC of each arm as today's guard delivers it; fits of ``full`` now refused."""
    found: dict[tuple[int, str], dict[str, Any]] = {}
    for line in lines:
        if "splits" in line:
            found.setdefault((line["seed"], line["holdout"]), {})[line["arm"]] = line
    figures: Figures = {}
    refused = 0
    for key, arms in found.items():
        figures[key] = {}
        for name, line in arms.items():
            guard = line.get("guard") or {}
            # one that was delivered with less of a gain averages out strata that are a practice, and is delivered still
            gained = guard.get("choice") == "debiased" and _gains(guard)
            turned = gained and loses([*guard.get("groups", {}).values()])
            refused += turned and name == "full"
            figures[key][name] = float((arms["none"] if turned else line)["splits"]["test"]["auroc"])
    return figures, refused


def whole_seeds(figures: Figures) -> list[dict[str, float]]:
    """Means over environments, of the seeds that have every environment and arm."""
    places = {place for _, place in figures}
    whole = []
    for seed in dict.fromkeys(seed for seed, _ in figures):
        own = [figures.get((seed, place), {}) for place in places]
        if all({"full", *RIVALS} <= each.keys() for each in own):
            whole.append({arm: float(np.mean([each[arm] for each in own])) for arm in ("full", *RIVALS)})
    return whole


def _gap(values: np.ndarray) -> str:
    mean = f"{values.mean():+.3f}"
    if len(values) < 2:
        return mean
    half = float(t.ppf(0.975, len(values) - 1)) * float(values.std(ddof=1)) / math.sqrt(len(values))
    return f"{mean} [{values.mean() - half:+.3f}, {values.mean() + half:+.3f}]"
