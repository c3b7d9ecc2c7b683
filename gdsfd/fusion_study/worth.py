"""What each modality is worth (Shapley), and how the gain grows with training patients."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from gdsfd.fusion_study.answer import Material
from gdsfd.fusion_study.differences import difference
from gdsfd.fusion_study.resampled import resampled
from gdsfd.fusion_study.shapley import shapley, subsets

__all__ = ["boosting_of_sets", "learning_curve", "worth_of_modalities"]


def boosting_of_sets(material: Material) -> dict[frozenset[str], str]:
    """Set of modalities -> name of gradient boosting that was retrained on it."""
    plan, fitted = material.plan, set(material.means["learner"])
    found: dict[frozenset[str], str] = {}
    for each in plan.fits:
        if each.part == "boosting" and each.name in fitted and getattr(each, "training", "natural") == "natural":
            found[frozenset(each.modalities or plan.modalities)] = each.name
    return found


def worth_of_modalities(material: Material) -> pd.DataFrame:
    """Shapley values of modalities in AUROC, by gradient boosting retrained on every set of them.

    The empty set has .5. Empty unless there is a model of every set.

    Returns:
        Columns ``modality``, ``worth`` with its ends over splits (none where all seeds judge the same
        patients), ``how``.
    """
    names = material.plan.modalities
    models = boosting_of_sets(material)
    if len(names) < 2 or any(each not in models for each in subsets(names)):
        return pd.DataFrame()
    values: dict[frozenset[str], Any] = {each: np.array(material.by_seed(models[each])) for each in subsets(names)}
    values[frozenset()] = np.full(len(material.plan.seeds), 0.5)
    rows = []
    for name, own in shapley(values, names).items():
        found = resampled(own, *material.sizes)
        ends = (math.nan, math.nan) if material.one_split else (found.low, found.high)
        named = {"worth": found.mean, "worth_low": ends[0], "worth_high": ends[1]}
        rows.append({"modality": name, **named, "how": "retrained on every set"})
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
        kind, _, word = getattr(each, "training", "natural").partition(" ")
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
