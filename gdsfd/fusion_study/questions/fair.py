"""Question 4: how fair?"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from gdsfd.fusion_study.answer import Answer, Material, signed
from gdsfd.fusion_study.availability_gap import gap_by_availability, presence_rates
from gdsfd.fusion_study.fairness import gap_difference, gaps, judged

__all__ = ["fair"]

_FIGURES = {"auroc": "AUROC", "tpr": "share of patients with the outcome found", "fpr": "false alarms"}
#: Permutations of groups' labels, and draws of subjects.
PERMUTATIONS, RESAMPLES = 1000, 500


def fair(material: Material) -> Answer:
    """Gaps between groups of the best network and of boosting, beside what chance makes of groups without any gap.

    Thresholds are those of each fit, chosen on its tuning patients. What fusion changes: the best network's gaps less
    those of gradient boosting on the best single modality, on the same patients.
    """
    plan = material.plan
    if not plan.groups:
        return Answer(4, ("The spec declares no groups, so there is nothing to compare.",))
    networks = [each.name for each in plan.contenders if each.network]
    best = max(networks, key=lambda name: _mean(material, name))
    alone = {name: _mean(material, f"boosting, only {name}") for name in plan.modalities}
    single = max((name for name in alone if math.isfinite(alone[name])), key=lambda name: alone[name], default="")
    shown = [best, "boosting", *([f"boosting, only {single}"] if single else [])]
    own = material.predictions[material.predictions["learner"].isin(shown)]
    thresholds = {
        (fit["learner"], int(fit["seed"]), target): math.nan if value is None else float(value)
        for fit in material.fits
        for target, value in fit["thresholds"].items()
    }
    table: Any = gaps(own, material.patients, plan.groups, thresholds, PERMUTATIONS)
    changes = pd.DataFrame(_changes(material, own, thresholds, best, single) if single else [])
    few = {
        str(row["attribute"]): row["too_few"]
        for row in table.drop_duplicates("attribute").to_dict("records")
        if row["too_few"]
    }
    table["too_few"] = [", ".join(f"{name} ({count})" for name, count in each.items()) for each in table["too_few"]]
    mine = table[table["learner"] == best]
    facts: dict[str, Any] = {"learner": best, "single": single, "alarms": int(mine["alarm"].sum()), "too_few": few}
    tables: dict[str, pd.DataFrame] = {"gaps": table}
    if len(changes):
        tables["what_fusion_changes"] = changes
    if "pattern" in material.patients:
        tables["availability_or_model"] = _availability(material, own, thresholds, best)
    for attribute in plan.groups:
        tables[f"who_has_what_by_{attribute}"] = presence_rates(material.patients, attribute).reset_index(names="group")
    return Answer(4, tuple(_sentences(mine, changes, best, single, few)), tables, {}, facts)


def _mean(material: Material, learner: str) -> float:
    values = np.array(material.by_seed(learner))
    return float(np.nanmean(values)) if np.isfinite(values).any() else math.nan


def _changes(
    material: Material, own: pd.DataFrame, thresholds: dict[tuple[str, int, str], float], best: str, single: str
) -> list[dict[str, Any]]:
    rows = []
    for target in dict.fromkeys(own["target"]):
        for attribute in material.plan.groups:
            each = judged(own, material.patients, target, attribute, thresholds)
            for figure, found in gap_difference(each, best, f"boosting, only {single}", RESAMPLES).items():
                ends = {"change": found.value, "change_low": found.low, "change_high": found.high}
                rows.append({"target": target, "attribute": attribute, "figure": figure, **ends, "why": found.reason})
    return rows


def _availability(
    material: Material, own: pd.DataFrame, thresholds: dict[tuple[str, int, str], float], learner: str
) -> pd.DataFrame:
    """Gaps of a learner as they are, and with the same patterns of modalities in all groups."""
    pattern, parts = material.patients.set_index("id")["pattern"], []
    for target in dict.fromkeys(own["target"]):
        ids = np.sort(own.loc[(own["target"] == target) & (own["condition"] == "natural"), "id"].unique())
        for attribute in material.plan.groups:
            each = judged(own, material.patients, target, attribute, thresholds)
            found = gap_by_availability(each, learner, pattern.loc[ids].to_numpy(dtype=str))
            parts.append(found.assign(target=target, attribute=attribute))
    table = pd.concat(parts, ignore_index=True)
    return table[["target", "attribute", *[name for name in table.columns if name not in ("target", "attribute")]]]


def _sentences(mine: Any, changes: Any, best: str, single: str, few: dict[str, Any]) -> list[str]:
    defined = mine[mine["gap"].notna()]
    if not len(defined):
        return ["No attribute has two groups that are large enough to compare."]
    alarms = defined[defined["alarm"]].sort_values("p_adjusted")
    if len(alarms):
        top = alarms.iloc[0]
        said = [
            f"{len(alarms)} of {len(defined)} gaps of {best} go beyond what chance makes of equal groups, first of all "
            f"by {top['attribute']}: {_FIGURES[top['figure']]} differs by {top['gap']:.3f} between {top['highest']} "
            f"and {top['lowest']} (chance: up to {top['null_95']:.3f} in 95 of 100)."
        ]
    else:
        top = defined.sort_values("gap", ascending=False).iloc[0]
        said = [
            f"None of {len(defined)} gaps of {best} goes beyond what chance makes of equal groups; the largest is "
            f"{top['gap']:.3f} ({_FIGURES[top['figure']]}, by {top['attribute']}; chance: up to {top['null_95']:.3f} "
            "in 95 of 100)."
        ]
    found = changes[changes["figure"] == "tpr"] if len(changes) else changes
    if len(found) and found["change"].notna().any():
        largest = found.loc[found["change"].abs().idxmax()]
        width = signed(*(float(largest[name]) for name in ("change", "change_low", "change_high")))
        said.append(
            f"Fusion changes the gap in patients found by {largest['attribute']} by {width}, against boosting on "
            f"{single} alone."
        )
    if few:
        names = "; ".join(f"{attribute}: {', '.join(groups)}" for attribute, groups in few.items())
        said.append(f"Too few patients to compare: {names}.")
    return said
