"""Hand-made material of a study: scores whose AUROC can be foreseen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from gdsfd.fusion_study.answer import Material
from gdsfd.fusion_study.contenders import read_contender
from gdsfd.fusion_study.figures_table import figures_of, mean_over_targets
from gdsfd.fusion_study.plan import StudyPlan

MODALITIES = ("labs", "notes", "imaging")


def material(
    shifts: Mapping[tuple[str, str], float],
    contenders: tuple[str, ...] = ("concat", "boosting"),
    seeds: tuple[int, ...] = (0, 1, 2),
    patients: int = 400,
    same_patients: bool = False,
    noisier: float = 0.0,
    **planned: Any,
) -> Material:
    """Material of a study.

    Args:
        shifts: (learner, condition) -> by how much scores of patients with the outcome are higher.
        contenders: Of the plan.
        seeds: Of the plan.
        patients: Test patients of each seed.
        same_patients: Whether all seeds judge the same ones.
        noisier: Standard deviation of what is added to scores of group ``B`` of ``site``, half of the patients.
        **planned: Further fields of the plan.
    """
    plan = StudyPlan(tuple(read_contender(each) for each in contenders), MODALITIES, seeds, groups=("site",), **planned)
    tables, fits = [], []
    for seed in seeds:
        rng = np.random.default_rng(0 if same_patients else seed)
        y = (rng.random(patients) < 0.4).astype(float)
        noise = rng.normal(size=patients)
        own = np.random.default_rng([seed, 9])
        noise = noise + noisier * rng.normal(size=patients) * (np.arange(patients) % 2)
        first = 0 if same_patients else 1000 * seed
        ids = [f"p{first + row}" for row in range(patients)]
        for (learner, condition), shift in shifts.items():
            p = 1 / (1 + np.exp(-(noise + 0.1 * own.normal(size=patients) + shift * y)))
            columns = {"id": ids, "subject": ids, "seed": seed, "learner": learner, "condition": condition}
            tables.append(pd.DataFrame({**columns, "target": "death", "y": y, "p": p}))
        for learner in dict.fromkeys(name for name, _ in shifts):
            facts = {"learner": learner, "seed": seed, "seconds": 1.0, "parameters": 10, "train": 800, "test": patients}
            fits.append({**facts, "thresholds": {"death": 0.5}})
    predictions = pd.concat(tables, ignore_index=True)
    figures = figures_of(predictions)
    names = predictions["id"].unique()
    number = np.array([int(name[1:]) for name in names])
    facts = {"id": names, "group:site": np.where(number % 2, "B", "A")}
    facts |= {"pattern": np.where(number % 3, "111", "110"), "has:imaging": number % 3 > 0}
    everyone = pd.DataFrame(facts)
    return Material(plan, predictions, figures, mean_over_targets(figures), everyone, fits)


def whole_and_restricted(
    plain: float, alone: Mapping[str, float], rest: Mapping[str, float]
) -> dict[tuple[str, str], float]:
    """Shifts of boosting on all, on single modalities and on all but each."""
    shifts = {("boosting", "natural"): plain, ("concat", "natural"): plain}
    shifts |= {(f"boosting, only {name}", "natural"): own for name, own in alone.items()}
    return shifts | {(f"boosting, without {name}", "natural"): own for name, own in rest.items()}
