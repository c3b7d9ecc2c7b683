"""What a modality would add had everyone been measured: chances of having it, and gains by these."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from torch_geometric.data import HeteroData

from gdsfd.errors import InputError
from gdsfd.fusion_study.answer import Material
from gdsfd.fusion_study.weights import inverse_weights, propensity, tipping_point, weighted_gain
from gdsfd.graph.availability import presence_of
from gdsfd.graph.flatten import flatten

__all__ = ["chances", "gains_if_measured"]

#: Draws of subjects for each interval.
RESAMPLES = 300


def chances(graph: HeteroData) -> dict[str, NDArray[np.float64]]:
    """Probability of having each modality that some lack, given the modalities that everyone has; [N] each.

    Cross-fitted over all patients of the graph; outcomes are not read. Empty where no modality is had by everyone, and
    without those that too few have, or lack.
    """
    presence, names = presence_of(graph).numpy(), list(graph.schema.names)
    always = [name for name, own in zip(names, presence.T) if own.all()]
    table, columns = flatten(graph)
    kept = [place for place, name in enumerate(columns) if any(name.startswith(f"{each}.") for each in always)]
    if not kept:
        return {}
    subject = np.unique(np.asarray(graph["patient"].subject, dtype=str), return_inverse=True)[1]
    found = {}
    for name, has in zip(names, presence.T):
        if not has.all():
            try:
                found[name] = propensity(has, table[:, kept].astype(np.float64), subject.astype(np.int64))
            except InputError:  # too few with it, or without
                continue
    return found


def gains_if_measured(material: Material) -> pd.DataFrame:
    """What each modality adds to all others: on those who have it, and had everyone been measured.

    Gradient boosting with all modalities less boosting retrained without the modality, among test patients who have
    it; as they are, and weighted by the inverse of their chance of having it. Mean over seeds, of the ends of each
    split's interval, too, which is wider than that of the mean.

    Returns:
        Columns ``modality``, ``target``, ``as_it_looks`` and ``if_measured`` with their ends, ``effective`` (what the
        weighted patients are worth), ``patients``, ``tipping_point`` (the least over seeds), ``warning``.
    """
    facts = material.patients.set_index("id")
    whole = material.predictions[material.predictions["condition"] == "natural"]
    rows = []
    for name in material.plan.modalities:
        if f"chance:{name}" not in facts:
            continue
        by_target: dict[str, list[dict[str, Any]]] = {}
        key: Any
        for key, own in whole[whole["learner"] == "boosting"].groupby(["target", "seed"], sort=False):
            target, seed = str(key[0]), int(key[1])
            rest = whole[(whole["learner"] == f"boosting, without {name}") & (whole["seed"] == seed)]
            both = own.merge(rest[rest["target"] == target], on="id", suffixes=("", "_rest"))
            both = both[facts.loc[both["id"], f"has:{name}"].to_numpy(dtype=bool)]
            if len(both):
                chance = facts.loc[both["id"], f"chance:{name}"].to_numpy(dtype=np.float64)
                by_target.setdefault(target, []).append(_of_seed(both, chance, seed))
        for target, each in by_target.items():
            numbers = [column for column in each[0] if column not in ("warning", "tipping_point")]
            row = {column: float(np.mean([one[column] for one in each])) for column in numbers}
            row |= {"tipping_point": min(one["tipping_point"] for one in each)}
            rows.append({"modality": name, "target": target, **row, "warning": each[0]["warning"]})
    return pd.DataFrame(rows)


def _of_seed(both: pd.DataFrame, chance: NDArray[np.float64], seed: int) -> dict[str, Any]:
    y, p, rest = (both[name].to_numpy(dtype=np.float64) for name in ("y", "p", "p_rest"))
    subject = np.unique(both["subject"].to_numpy(dtype=str), return_inverse=True)[1].astype(np.int64)
    weights = inverse_weights(np.ones(len(y), dtype=bool), chance)
    found: dict[str, Any] = {}
    for name, values in (("as_it_looks", np.ones(len(y))), ("if_measured", weights.values)):
        gain = weighted_gain(y, p, rest, values, subject, RESAMPLES, seed)
        found |= {name: gain.value, f"{name}_low": gain.low, f"{name}_high": gain.high}
    tipping = tipping_point(y, p, rest, weights.values) if math.isfinite(found["if_measured"]) else math.nan
    more = {"effective": weights.effective, "patients": float(len(y)), "tipping_point": tipping}
    return {**found, **more, "warning": weights.warning}
