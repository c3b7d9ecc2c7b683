"""Question 1 in detail: for whom, with how many training patients, for which decisions; what modalities are worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import pandas as pd

from gdsfd.fusion_study.answer import Material
from gdsfd.fusion_study.decision_curve import decision_curve
from gdsfd.fusion_study.strata import gains_in_strata
from gdsfd.fusion_study.svg import curves, forest
from gdsfd.fusion_study.worth import learning_curve, worth_of_modalities

__all__ = ["Details", "gain_forest", "gains_in_detail"]


@dataclass(frozen=True)
class Details:
    """Tables and figures by name."""

    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    figures: dict[str, str] = field(default_factory=dict)


def gain_forest(rows: Sequence[dict[str, Any]], name: str, margin: float) -> str:
    """A forest plot of rows with a gain and its ends.

    Args:
        rows: With ``gain``, ``gain_low``, ``gain_high``.
        name: Which entry names them.
        margin: Half the width of the band.
    """
    return forest([(r[name], r["gain"], r["gain_low"], r["gain_high"]) for r in rows], "gain in AUROC", margin)


def gains_in_detail(material: Material, single: str) -> Details:
    """What boosting on all modalities gains over boosting on the best single one, in detail.

    Args:
        material: The study's.
        single: The best single modality.
    """
    reference = f"boosting, only {single}"
    found = Details()
    strata, tests = gains_in_strata(material, "boosting", reference)
    if len(strata):
        found.tables["gains_in_strata"], found.tables["do_strata_differ"] = strata, tests
        drawn = strata[strata["gain"].notna()]
        named = drawn.assign(name=drawn["by"] + ": " + drawn["stratum"])
        if len(drawn):
            found.figures["gains_in_strata"] = gain_forest(
                cast(Any, named).to_dict("records"), "name", material.plan.margin
            )
    decisions = decision_curve(material, "boosting", reference)
    found.tables["decision_curve"] = decisions
    found.figures["decision_curve"] = curves(
        {
            "all modalities": decisions["learner"].tolist(),
            f"{single} alone": decisions["reference"].tolist(),
            "act on everybody": decisions["everybody"].clip(lower=-0.05).tolist(),
            "act on nobody": [0.0] * len(decisions),
        },
        decisions["threshold"].tolist(),
        "risk from which one acts",
        "net benefit",
    )
    worth = worth_of_modalities(material)
    if len(worth):
        found.tables["what_each_modality_is_worth"] = worth
    learning: Any = learning_curve(material, single)
    if len(learning):
        found.tables["learning_curve"] = learning
        lines = {str(name): own["gain"].tolist() for name, own in learning.groupby("learner", sort=False)}
        shares = sorted(set(learning["share"]))
        found.figures["learning_curve"] = curves(lines, shares, "share of training patients", "gain in AUROC")
    return found
