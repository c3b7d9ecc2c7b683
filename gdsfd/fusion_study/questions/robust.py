"""Question 3: how robust against missing modalities?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import kendalltau

from gdsfd.fusion_study.answer import Answer, Material
from gdsfd.fusion_study.ranks import rank_survival
from gdsfd.fusion_study.svg import curves

__all__ = ["rank_agreement", "robust"]

#: Draws of subjects for the agreement of orders.
RESAMPLES = 200


def robust(material: Material) -> Answer:
    """What each learner loses when modalities of test patients are hidden, and whether rankings survive.

    A model retrained without a modality (boosting, of question 1) is the floor: what ignorance alone costs. Regret is
    the floor less a learner's figure: above 0 the absence itself confuses it.
    """
    plan = material.plan
    table: Any = material.means.pivot_table(index="learner", columns="condition", values="auroc", sort=False)
    whole = [each.name for each in plan.contenders if each.name in table.index]
    table = table.loc[whole, [name for name in plan.conditions if name in table.columns]]
    shares = [rate for rate in plan.rates if f"random {rate:g}" in table.columns]
    rates = [f"random {rate:g}" for rate in shares]
    regret: Any = _regret(material, table)
    agreement: Any = _with_intervals(material, rank_agreement(table), whole, rates)
    figures = {
        "hidden_at_random": curves(
            {name: [table.loc[name, one] for one in ("natural", *rates)] for name in whole},
            [0.0, *shares],
            "share of modalities hidden at random",
            "AUROC",
        )
    }
    facts: dict[str, Any] = {"auroc": table.to_dict("index")}
    sentences = ["Hiding was not part of the plan."]
    if rates and len(whole) > 1:
        half = rates[int(np.argmin([abs(rate - 0.5) for rate in shares]))]
        best = str(table[half].idxmax())
        loss = table.loc[best, "natural"] - table.loc[best, half]
        share = half.split(" ")[1]
        own = agreement.set_index("condition").loc[half]
        tau, low, high = (float(own[name]) for name in ("tau", "tau_low", "tau_high"))
        ends = f" [{low:.2f}, {high:.2f}]" if low == low else ""
        stays = "the same learners lead" if tau > 0.6 else "other learners lead"
        sentences = [
            f"With a share of {share} of the modalities hidden at random {best} ranks best "
            f"({table.loc[best, half]:.3f}, {loss:.3f} less than with all that is there).",
            f"The order of learners then and as patients come agrees to {tau:.2f}{ends} (Kendall's tau): {stays}.",
        ]
        facts |= {"best_hidden": best, "tau": tau, "condition": half}
    if len(regret):
        worst = regret.sort_values("regret", ascending=False).iloc[0]
        word = "more than ignorance would" if worst["regret"] > plan.margin else "no more than ignorance does"
        sentences.append(
            f"The absence of {worst['modality']} costs {worst['learner']} {word}: {worst['regret']:+.3f} against "
            "boosting retrained without it."
        )
    tables = {"conditions": table.reset_index(), "rank_agreement": agreement, "regret": regret}
    return Answer(3, tuple(sentences), tables, figures, facts)


def rank_agreement(table: Any) -> pd.DataFrame:
    """Kendall's tau between the learners' order as patients come and under each other condition.

    Args:
        table: AUROC; learners down, conditions across, ``natural`` among them.
    """
    others = [name for name in table.columns if name != "natural"]
    found = [kendalltau(table["natural"], table[name]).statistic if len(table) > 1 else np.nan for name in others]
    return pd.DataFrame({"condition": others, "tau": [float(each) for each in found]})


def _with_intervals(material: Material, agreement: pd.DataFrame, whole: list[str], rates: list[str]) -> pd.DataFrame:
    """Ends over draws of subjects for hiding at random, of the first target; with several, tau is of the mean."""
    own = material.predictions[material.predictions["learner"].isin(whole)]
    target = str(own["target"].iloc[0]) if len(own) else ""
    ends = {}
    for condition in rates if len(whole) > 1 else ():
        found = rank_survival(own, target, "natural", condition, RESAMPLES)
        ends[condition] = (found.low, found.high)
    nothing = (np.nan, np.nan)
    for place, name in enumerate(("tau_low", "tau_high")):
        agreement[name] = [ends.get(each, nothing)[place] for each in agreement["condition"]]
    return agreement


def _regret(material: Material, table: Any) -> pd.DataFrame:
    """Boosting retrained without a modality less each learner when it is hidden, averaged over seeds."""
    rows = []
    for name in material.plan.modalities:
        column, own = f"without {name}", np.array(material.by_seed(f"boosting, without {name}"))
        if column not in table.columns or not np.isfinite(own).any():
            continue
        floor = float(np.nanmean(own))
        rows += [
            {"modality": name, "learner": learner, "floor": floor, "hidden": value, "regret": floor - value}
            for learner, value in table[column].items()
        ]
    return pd.DataFrame(rows, columns=["modality", "learner", "floor", "hidden", "regret"])
