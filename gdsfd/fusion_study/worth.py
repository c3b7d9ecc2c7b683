"""What each modality is worth (Shapley), and how the gain grows with training patients."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from gdsfd.fusion_study.answer import Material
from gdsfd.fusion_study.differences import difference
from gdsfd.fusion_study.resampled import resampled
from gdsfd.fusion_study.retrained import ORDERS, hidden_sets, subset_model
from gdsfd.shapley import drawn_orders, shapley, shapley_by_orders, subsets

__all__ = ["boosting_of_sets", "learning_curve", "worth_of_modalities"]


def boosting_of_sets(material: Material) -> dict[frozenset[str], str]:
    """Set of modalities -> name of gradient boosting that was retrained on it."""
    plan, fitted = material.plan, set(material.means["learner"])
    found: dict[frozenset[str], str] = {}
    for each in plan.fits:
        if each.part == "boosting" and each.name in fitted and each.training == "natural":
            found[frozenset(each.modalities or plan.modalities)] = each.name
    return found


def worth_of_modalities(material: Material) -> pd.DataFrame:
    """Shapley values of modalities in AUROC, by gradient boosting retrained on every set of them.

    Where there are more than four modalities and the plan has it: by hiding the others from one network that was
    trained with half of the observations hidden. The empty set has .5.

    Returns:
        Columns ``modality``, ``worth`` with its ends over splits (none where all seeds judge the same
        patients), ``how``.
    """
    names = material.plan.modalities
    models = boosting_of_sets(material)
    values: dict[frozenset[str], Any] = {frozenset(): np.full(len(material.plan.seeds), 0.5)}
    if len(names) < 2:
        return pd.DataFrame()
    if all(each in models for each in subsets(names)):
        values |= {each: np.array(material.by_seed(models[each])) for each in subsets(names)}
        worth, how = shapley(values, names), "retrained on every set"
    elif material.plan.every_set and subset_model().name in set(material.means["learner"]):
        asked = hidden_sets(names)
        values |= {each: np.array(material.by_seed(subset_model().name, word)) for each, word in asked.items()}
        every = all(each in values for each in subsets(names))
        worth = shapley(values, names) if every else shapley_by_orders(values, drawn_orders(names, ORDERS))
        how = f"hidden from {subset_model().name}" + ("" if every else f", {ORDERS} orders")
    else:
        return pd.DataFrame()
    rows = []
    for name, own in worth.items():
        found = resampled(own, *material.sizes)
        ends = (math.nan, math.nan) if material.one_split else (found.low, found.high)
        named = {"worth": found.mean, "worth_low": ends[0], "worth_high": ends[1]}
        rows.append({"modality": name, **named, "how": how})
    return pd.DataFrame(rows).sort_values("worth", ascending=False, ignore_index=True)


def learning_curve(material: Material, single: str) -> pd.DataFrame:
    """The gain over the best single modality with fewer training patients.

    Args:
        material: The study's.
        single: The best single modality.

    Returns:
        Columns ``share`` of training patients, ``learner``, ``auroc``, ``single`` (boosting on the modality alone with
        as many patients) and ``gain`` with its ends; shares ascending. Empty where nothing was retrained on a share.
    """
    reference = f"boosting, only {single}"
    shares: dict[str, dict[float, str]] = {}
    for each in material.plan.fits:
        kind, _, word = each.training.partition(" ")
        if kind == "share":
            shares.setdefault(each.name.rpartition(", ")[0], {})[float(word)] = each.name
    alone, rows = {**shares.get(reference, {}), 1.0: reference}, []
    for learner, own in shares.items():
        if learner.startswith("boosting, only "):
            continue
        for share, name in sorted({**own, 1.0: learner}.items()):
            if share not in alone:
                continue
            found = difference(material, name, alone[share])
            areas = {"auroc": _mean(material, name), "single": _mean(material, alone[share])}
            ends = {"gain": found.mean, "gain_low": found.low, "gain_high": found.high}
            rows.append({"share": share, "learner": learner, **areas, **ends})
    return pd.DataFrame(rows)


def _mean(material: Material, learner: str) -> float:
    values = np.array(material.by_seed(learner))
    return float(np.nanmean(values)) if np.isfinite(values).any() else math.nan
