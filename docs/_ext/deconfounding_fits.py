"""Fits of the studies of deconfounding, and paired differences between their arms. Needs nothing of Sphinx."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gdsfd.comparison.statistics import Paired, mean_estimate, paired

Line = dict[str, Any]

MECHANISMS = {
    "mcar": "MCAR",
    "mar": "MAR",
    "mnar": "MNAR by confounder",
    "mnar_outcome": "MNAR by outcome",
    "mnar_severity": "MNAR by severity",
}
#: Mechanisms under which presence says nothing of care practice.
SILENT = ("mcar", "mar")


@dataclass
class Study:
    """All fits of a design and a backbone with the same settings of training.

    Args:
        design: The simulated design.
        backbone: The backbone.
        settings: Of training, in words.
        fits: By mechanism trained under, arm and seed.
    """

    design: str
    backbone: str
    settings: str
    fits: dict[tuple[str, str, int], Line] = field(default_factory=dict)

    @property
    def trained(self) -> list[str]:
        """Mechanisms trained under."""
        return _in_order({trained for trained, _, _ in self.fits})

    @property
    def tested(self) -> list[str]:
        """Mechanisms tested under."""
        return _in_order({name for line in self.fits.values() for name in line["auroc"]})

    @property
    def arms(self) -> list[str]:
        """Arms, in the order of the file."""
        return list(dict.fromkeys(arm for _, arm, _ in self.fits))

    @property
    def seeds(self) -> list[int]:
        """Seeds."""
        return sorted({seed for _, _, seed in self.fits})

    def values(self, arm: str, trained: str, figure: str) -> dict[int, float]:
        """A figure of an arm by seed.

        Args:
            arm: The arm.
            trained: The mechanism trained under; ``all``: the mean over mechanisms, for seeds that have all.
            figure: See :func:`figure_of`.
        """
        if trained == "all":
            each = [self.values(arm, one, figure) for one in self.trained]
            shared = set.intersection(*map(set, each)) if each else set()
            return {seed: sum(one[seed] for one in each) / len(each) for seed in shared}
        found = {
            seed: figure_of(line, figure)
            for (one, name, seed), line in self.fits.items()
            if one == trained and name == arm
        }
        return {seed: value for seed, value in found.items() if math.isfinite(value)}

    def mean(self, arm: str, trained: str, figure: str) -> float:
        """The mean over seeds; NaN without any."""
        return mean_estimate(list(self.values(arm, trained, figure).values())).value

    def gap(self, arm: str, reference: str, trained: str, figure: str) -> Paired:
        """Paired differences over the seeds that both have."""
        mine, other = self.values(arm, trained, figure), self.values(reference, trained, figure)
        seeds = sorted(mine.keys() & other.keys())
        return paired([mine[seed] for seed in seeds], [other[seed] for seed in seeds])


def figure_of(line: Line, figure: str) -> float:
    """An AUROC of a fit; NaN where it has none.

    Args:
        line: The fit.
        figure: ``on MECHANISM``; ``alike`` (as trained); ``elsewhere`` (mean over the other mechanisms); ``silent``
            (mean over those of the others under which presence says nothing of care practice); ``unbiased``
            (``test_unbiased``); or ``without MODALITY SPLIT`` and ``only MODALITY SPLIT``.
    """
    word, *rest = figure.split(" ")
    if word == "on":
        value = line["auroc"].get(rest[0])
    elif word == "alike":
        value = line["auroc"].get(line["trained"])
    elif word == "unbiased":
        value = line.get("unbiased")
    elif word in ("elsewhere", "silent"):
        others = [
            each
            for name, each in line["auroc"].items()
            if name != line["trained"] and (word == "elsewhere" or name in SILENT)
        ]
        value = sum(others) / len(others) if others else None
    else:
        value = line.get(word, {}).get(rest[0], {}).get(rest[1])
    return math.nan if value is None else float(value)


def read_studies(files: Iterable[Path]) -> list[Study]:
    """The studies in files that may be absent or end in half a line; of a fit made twice the newer one counts."""
    found: dict[tuple[str, str, str], Study] = {}
    for line in read_lines(files):
        settings = ", ".join(f"{name} = {value}" for name, value in line.get("settings", {}).items())
        key = line["design"], line["backbone"], settings
        fit = line["trained"], line["arm"], int(line["seed"])
        found.setdefault(key, Study(*key)).fits[fit] = line
    return list(found.values())


def read_lines(files: Iterable[Path]) -> list[Line]:
    """The fits in files, oldest first; half a line at the end is left out."""
    lines = []
    for file in files:
        for text in file.read_text(encoding="utf-8").splitlines() if file.is_file() else ():
            try:
                line = json.loads(text)
            except ValueError:
                continue
            if isinstance(line, dict) and {"design", "trained", "seed", "backbone", "arm", "auroc"} <= line.keys():
                lines.append(line)
    return lines


def commands(lines: Sequence[Line]) -> list[str]:
    """How the fits were made: command, days and commits; a line of text each."""
    runs: dict[str, list[Line]] = {}
    for line in lines:
        runs.setdefault(str(line.get("command", "")), []).append(line)
    said = []
    for command, mine in runs.items():
        if command:
            days = sorted({str(line["time"])[:10] for line in mine if "time" in line})
            commits = dict.fromkeys(f"``{line['commit'][:8]}``" for line in mine if line.get("commit"))
            span = " to ".join(dict.fromkeys([days[0], days[-1]])) if days else "day unknown"
            said.append(f"``{command}`` ({span}; {', '.join(commits) or 'commit unknown'}; {len(mine)} fits)")
    return said


def gap_text(gap: Paired) -> str:
    """A difference with its interval, as in a table."""
    if not math.isfinite(gap.mean):
        return "–"
    return f"{gap.mean:+.3f}" + (f" [{gap.low:+.3f}, {gap.high:+.3f}]" if math.isfinite(gap.low) else "")


def mechanism_words(name: str) -> str:
    """A mechanism's name in words."""
    return MECHANISMS.get(name, name)


def _in_order(names: Iterable[str]) -> list[str]:
    ranks = list(MECHANISMS)
    return sorted(names, key=lambda name: (ranks.index(name) if name in ranks else len(ranks), name))
