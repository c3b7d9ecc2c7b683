"""Question 4: how fair?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from gdsfd.fusion_study.answer import Answer, Material, signed
from gdsfd.fusion_study.availability_gap import correlation_with_missing, gap_by_availability, presence_rates
from gdsfd.fusion_study.fairness import Judged, gap_difference, gaps, judged
from gdsfd.fusion_study.group_table import group_table, with_intersections

__all__ = ["fair", "odds_split"]

_FIGURES = {
    "auroc": "AUROC",
    "tpr": "the share of the ill who are found",
    "fpr": "the share of the others who are alarmed",
}
#: Permutations of groups' labels, and draws of subjects.
PERMUTATIONS, RESAMPLES = 1000, 500


def fair(material: Material) -> Answer:
    """Groups and gaps between them, of the best network and of boosting, beside what chance makes of equal groups.

    Thresholds are those of each fit, chosen on its tuning patients. What fusion changes: the best network's gaps less
    those of gradient boosting on the best single modality, on the same patients. Pairs of attributes have tables of
    their own and are corrected among themselves; the sentences are about single attributes, but for an alarm.
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
    patients, pairs = with_intersections(material.patients, plan.groups)
    table: Any = gaps(own, patients, plan.groups, thresholds, PERMUTATIONS)
    crossed: Any = gaps(own, patients, pairs, thresholds, PERMUTATIONS) if pairs else pd.DataFrame()
    few = {
        str(row["attribute"]): row["too_few"]
        for row in table.drop_duplicates("attribute").to_dict("records")
        if row["too_few"]
    }
    by_target = {
        (str(target), attribute): judged(own, patients, str(target), attribute, thresholds)
        for target in dict.fromkeys(own["target"])
        for attribute in (*plan.groups, *pairs)
    }
    changes = _changes({key: each for key, each in by_target.items() if key[1] in plan.groups}, best, single)
    mine = table[table["learner"] == best]
    alarms = int(crossed.loc[crossed["learner"] == best, "alarm"].sum()) if len(crossed) else 0
    facts: dict[str, Any] = {"learner": best, "single": single, "alarms": int(mine["alarm"].sum()), "too_few": few}
    facts |= {"alarms_of_pairs": alarms}
    tables: dict[str, pd.DataFrame] = {"groups": _groups(by_target, shown), "gaps": _named(table)}
    if len(crossed):
        tables["gaps_between_pairs_of_groups"] = _named(crossed)
    tables["found_or_false_alarms"] = odds_split(table)
    if len(changes):
        tables["what_fusion_changes"] = changes
    if "pattern" in material.patients:
        tables |= _availability(material, {key: by_target[key] for key in by_target if key[1] in plan.groups}, best)
    for attribute in plan.groups:
        tables[f"who_has_what_by_{attribute}"] = presence_rates(material.patients, attribute).reset_index(names="group")
    said = _sentences(mine, changes, best, single, few)
    if alarms:
        said.append(f"Of pairs of attributes {alarms} gaps go beyond chance; they are in the table.")
    return Answer(4, tuple(said), tables, {}, facts)


def odds_split(table: pd.DataFrame) -> pd.DataFrame:
    """How much of a gap in both error rates is in who is found, and how much in who is falsely alarmed.

    Args:
        table: As :func:`gdsfd.fusion_study.fairness.gaps` gives it.

    Returns:
        Per target, learner and attribute: ``tpr_gap`` and ``fpr_gap``, what chance makes of either (the null's median),
        and ``share_found``, the former's share of both; NaN where both are 0.
    """
    key = ["target", "learner", "attribute"]
    wide = table.pivot_table(index=key, columns="figure", values=["gap", "null_median"], sort=False, dropna=False)
    found = pd.DataFrame(index=wide.index)
    for rate in ("tpr", "fpr"):
        found[f"{rate}_gap"], found[f"{rate}_by_chance"] = wide["gap", rate], wide["null_median", rate]
    both = found["tpr_gap"] + found["fpr_gap"]
    found["share_found"] = (found["tpr_gap"] / both).where(both > 0)
    return found.reset_index()


def _named(table: pd.DataFrame) -> pd.DataFrame:
    """Groups that are too few in words."""
    words = [", ".join(f"{name} ({count})" for name, count in each.items()) for each in table["too_few"]]
    return table.assign(too_few=words)


def _groups(by_target: Mapping[tuple[str, str], Judged], learners: Sequence[str]) -> pd.DataFrame:
    """Every group under every learner."""
    parts = []
    for (target, attribute), each in by_target.items():
        for learner in learners:
            own = group_table(each, learner)
            for place, (name, value) in enumerate((("learner", learner), ("target", target), ("attribute", attribute))):
                own.insert(place, name, value)
            parts.append(own)
    return pd.concat(parts, ignore_index=True)


def _mean(material: Material, learner: str) -> float:
    values = np.array(material.by_seed(learner))
    return float(np.nanmean(values)) if np.isfinite(values).any() else math.nan


def _changes(by_target: Mapping[tuple[str, str], Judged], best: str, single: str) -> pd.DataFrame:
    rows = []
    for (target, attribute), each in by_target.items() if single else ():
        for figure, found in gap_difference(each, best, f"boosting, only {single}", RESAMPLES).items():
            ends = {"change": found.value, "change_low": found.low, "change_high": found.high}
            rows.append({"target": target, "attribute": attribute, "figure": figure, **ends, "why": found.reason})
    return pd.DataFrame(rows)


def _availability(
    material: Material, by_target: Mapping[tuple[str, str], Judged], learner: str
) -> dict[str, pd.DataFrame]:
    """Gaps of a learner as they are, and with the same patterns in all groups; and how they go with what is missing."""
    pattern, parts, related = material.patients.set_index("id")["pattern"], [], []
    own = material.predictions[material.predictions["condition"] == "natural"]
    for (target, attribute), each in by_target.items():
        ids = np.sort(own.loc[(own["target"] == target) & (own["learner"] == learner), "id"].unique())
        found = gap_by_availability(each, learner, pattern.loc[ids].to_numpy(dtype=str))
        key = {"target": target, "attribute": attribute}
        parts.append(found.assign(**key))
        lacking = 1 - presence_rates(material.patients, attribute).drop(columns="n").mean(axis=1)
        related.append(correlation_with_missing(each, learner, lacking).assign(**key))
    tables = {"availability_or_model": pd.concat(parts, ignore_index=True)}
    correlations = pd.concat(related, ignore_index=True)
    if correlations["correlation"].notna().any():
        tables["figures_and_what_is_missing"] = correlations
    for name, table in tables.items():
        tables[name] = table[["target", "attribute", *[each for each in table.columns if each not in key]]]
    return tables


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
        named = {key: ", ".join(f"{name} ({count})" for name, count in each.items()) for key, each in few.items()}
        names = "; ".join(f"{attribute}: {groups}" for attribute, groups in named.items())
        said.append(f"Too few patients to compare: {names}.")
    return said
