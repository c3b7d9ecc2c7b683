"""Question 3: how robust against missing modalities?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from gdsfd.fusion_study.answer import Answer, Material
from gdsfd.fusion_study.ranks import Orders, orders
from gdsfd.fusion_study.robustness import agreements, alerts, floors, presence_leakage, regrets, squares, summary
from gdsfd.fusion_study.svg import bumps, curves, heat

__all__ = ["robust"]

#: Draws of subjects for the agreement of orders.
RESAMPLES = 200
_ONE_BY_ONE = ("without ", "only ")


def robust(material: Material) -> Answer:
    """What each learner loses when modalities of test patients are hidden, in which ways, and whether rankings survive.

    A model retrained on what remains (boosting) is the floor: what ignorance alone costs. Regret is the floor less a
    learner's figure: above 0 the absence itself confuses it.
    """
    plan = material.plan
    table: Any = material.means.pivot_table(index="learner", columns="condition", values="auroc", sort=False)
    whole = [each.name for each in plan.contenders if each.name in table.index]
    table = table.loc[whole, [name for name in plan.conditions if name in table.columns]].dropna(axis=1)
    shares = [rate for rate in plan.rates if f"random {rate:g}" in table.columns]
    rates = [f"random {rate:g}" for rate in shares]
    half = rates[int(np.argmin([abs(rate - 0.5) for rate in shares]))] if rates else ""
    mixed = [name for name in table.columns if not name.startswith(_ONE_BY_ONE)]
    floor = floors(material)
    regret = regrets(table, floor)
    own = material.predictions[material.predictions["learner"].isin(whole)]
    found = orders(own, mixed if len(whole) > 1 else [], RESAMPLES)
    agreement = agreements(found, table, half)
    leakage = presence_leakage(material)
    square = squares(material)
    tables = {
        "in_short": summary(material, table, regret, half, found),
        "rank_agreement": agreement[agreement["condition"].isin(mixed)].reset_index(drop=True),
        "conditions": table[mixed].reset_index(),
        "one_modality_at_a_time": _one_by_one(table),
        "regret": regret,
        "alerts_and_calibration": alerts(material, whole),
        "presence_alone": leakage,
        **{f"trained_under_{name}": each.reset_index(names="trained under") for name, each in square.items()},
    }
    figures = _figures(table, whole, shares, rates, mixed, floor, square)
    facts: dict[str, Any] = {"auroc": table.to_dict("index"), "floor": floor, "half": half}
    if not half or len(whole) < 2:
        return Answer(3, ("Hiding was not part of the plan.",), tables, figures, facts)
    facts |= {"best_hidden": str(table[half].idxmax()), "tau": float(found.agreement("natural", half).value)}
    sentences = [_hidden(table, half, regret, plan.margin), *_linked(table, found, half, plan.margin)]
    return Answer(3, tuple(sentences), {name: each for name, each in tables.items() if len(each)}, figures, facts)


def _hidden(table: Any, half: str, regret: pd.DataFrame, margin: float) -> str:
    """Who ranks best with half hidden at random, and whose absence costs most beyond ignorance."""
    best = str(table[half].idxmax())
    loss = float(table.loc[best, "natural"] - table.loc[best, half])
    said = (
        f"With a share of {half.split(' ')[1]} of the modalities hidden at random {best} ranks best "
        f"({table.loc[best, half]:.3f}, {loss:.3f} less than with all that is there)"
    )
    one = regret[regret["condition"].str.startswith("without ")] if len(regret) else regret
    if not len(one):
        return said + "."
    worst = one.sort_values("regret", ascending=False).iloc[0]
    name = str(worst["condition"]).removeprefix("without ")
    word = "more than ignorance would" if worst["regret"] > margin else "no more than ignorance does"
    cost = f"{worst['regret']:+.3f} against boosting retrained without it"
    return f"{said}; the absence of {name} costs {worst['learner']} {word} ({cost}), the most of all."


def _linked(table: Any, found: Orders, half: str, margin: float) -> list[str]:
    """Whether the ranking by hiding at random holds where absence has a reason."""
    named = {
        "in those with the outcome": "hidden in ill 0.5",
        "by risk": "by risk 0.5",
        **{
            f"as in environment {name.removeprefix('habits of ')}": name
            for name in table
            if name.startswith("habits of ")
        },
    }
    told = {words: name for words, name in named.items() if name in found.areas}
    if not told:
        return [f"The order of learners agrees {_tau(found, 'natural', half)} with that of patients as they come."]
    words, name = min(told.items(), key=lambda each: found.agreement(half, each[1]).value)
    said = (
        f"This order of learners agrees {_tau(found, half, name)} with the one where modalities are missing {words}, "
        f"the least of {len(told)} mechanisms that have a reason"
    )
    ill, well = "hidden in ill 0.5", "hidden in well 0.5"
    if ill in table.columns and well in table.columns:
        swing = table[well] - table[ill]
        most = str(swing.abs().idxmax())
        word = "health" if swing[most] > 0 else "illness"
        said += (
            f"; {most} swings most, from {table.loc[most, ill]:.3f} with modalities missing in those with the outcome "
            f"alone to {table.loc[most, well]:.3f} with them missing in the others"
        )
        if abs(swing[most]) > margin:
            said += f": absence means {word} to it"
    return [said + "."]


def _tau(found: Orders, first: str, second: str) -> str:
    each = found.agreement(first, second)
    if not math.isfinite(each.value):
        return "in nothing that can be said"
    ends = f" [{each.low:.2f}, {each.high:.2f}]" if math.isfinite(each.low) else ""
    return f"to {each.value:.2f}{ends} (Kendall's tau)"


def _one_by_one(table: Any) -> pd.DataFrame:
    """Modalities down; each learner's AUROC without it and with it alone across, conditions first."""
    rows = [name for name in table.columns if name.startswith(_ONE_BY_ONE)]
    return table[rows].T.rename_axis("condition").reset_index() if rows else pd.DataFrame()


def _figures(
    table: Any,
    whole: Sequence[str],
    shares: Sequence[float],
    rates: Sequence[str],
    mixed: Sequence[str],
    floor: dict[str, float],
    square: dict[str, pd.DataFrame],
) -> dict[str, str]:
    found = {}
    if rates and whole:
        lines = {name: [float(table.loc[name, one]) for one in ("natural", *rates)] for name in whole}
        if all(one in floor for one in rates) and "boosting" in whole:
            lines["floor: boosting trained for it"] = [lines["boosting"][0], *(floor[one] for one in rates)]
        found["hidden_at_random"] = curves(lines, [0.0, *shares], "share of modalities hidden at random", "AUROC")
    if len(whole) > 1 and len(mixed) > 1:
        order = table["natural"].sort_values(ascending=False).index
        places = table[list(mixed)].rank(ascending=False, method="first").astype(int).loc[order]
        found["ranks"] = bumps({str(name): list(own) for name, own in zip(order, places.to_numpy())}, list(mixed))
        found["conditions"] = heat(
            table.loc[order, list(mixed)].to_numpy(), list(order), list(mixed), "what test patients lose", ""
        )
    for name, each in square.items():
        if len(each) > 1:
            across = f"{name}: test patients lose"
            found[f"train_by_test_{name}"] = heat(
                each.to_numpy(), list(each.index), list(each.columns), across, "training patients"
            )
    return found
