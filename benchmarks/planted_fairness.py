"""Whether gaps between groups alarm when they should, and only then.

    python benchmarks/planted_fairness.py

Two planted worlds of 2,000 patients in two groups of a half each, one learner, one threshold that finds 80 % of all
events. ``half the events``: prevalence .15 in a group, .30 in the other, scores of the same distribution inside outcome
classes, so there is no true gap. ``noisier sensor``: prevalence .30 in both; a group's score has noise that costs it
about .08 of an AUROC of .85. Counted is in how many draws any of the three gaps alarms. One line per world.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
import pandas as pd
from results_line import append_line
from scipy.special import expit

from gdsfd.fusion_study.fairness import gaps
from gdsfd.fusion_study.group_figures import FIGURES

PATIENTS = 2000
#: Standard deviations between the classes: an AUROC of .85.
APART = 1.466
#: Standard deviation of the noise of the worse sensor: an AUROC of .77.
NOISE = 0.97
MEANS = ("gap", "null_median", "null_95", "shrunken")
WORLDS = ("half the events", "noisier sensor")


def draw(world: str, seed: int) -> tuple[pd.DataFrame, pd.DataFrame, dict[tuple[str, int, str], float]]:
    """Predictions, facts and thresholds of one planted cohort."""
    random = np.random.default_rng(seed)
    group = np.arange(PATIENTS) % 2
    share = np.where((group == 1) & (world == "half the events"), 0.15, 0.30)
    y = (random.random(PATIENTS) < share).astype(float)
    score = APART * y + random.normal(size=PATIENTS)
    if world == "noisier sensor":
        score = score + NOISE * group * random.normal(size=PATIENTS)
    ids = [f"p{number}" for number in range(PATIENTS)]
    p = expit(score - 1.5)
    predictions = pd.DataFrame(
        {"id": ids, "subject": ids, "seed": 0, "learner": "one", "condition": "natural", "target": "event"}
    ).assign(y=y, p=p)
    facts = pd.DataFrame({"id": ids, "group:ward": np.where(group == 1, "B", "A")})
    return predictions, facts, {("one", 0, "event"): float(np.quantile(p[y == 1], 0.2))}


def judged_world(world: str, draws: int = 100, permutations: int = 1000) -> dict[str, Any]:
    """In how many draws of a world a gap alarms."""
    tables = []
    for seed in range(draws):
        predictions, facts, thresholds = draw(world, seed)
        tables.append(gaps(predictions, facts, ["ward"], thresholds, permutations))
    by_figure = {name: [own.set_index("figure").loc[name] for own in tables] for name in FIGURES}
    return {
        "world": world,
        "patients": PATIENTS,
        "draws": draws,
        "permutations": permutations,
        "alarms": int(sum(table["alarm"].any() for table in tables)),
        "by_figure": {
            figure: {"alarms": int(sum(row["alarm"] for row in rows))}
            | {name: round(float(np.mean([row[name] for row in rows])), 4) for name in MEANS}
            for figure, rows in by_figure.items()
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=100)
    parser.add_argument("--permutations", type=int, default=1000)
    arguments = parser.parse_args()
    for world in WORLDS:
        line = judged_world(world, arguments.draws, arguments.permutations)
        append_line("planted_fairness.jsonl", **line)
        print(line, flush=True)


if __name__ == "__main__":
    main()
