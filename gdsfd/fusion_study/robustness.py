"""Tables of question 3: floors and regret, areas, what presence gives away, alerts under each condition."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gdsfd.evaluation.intervals.auroc import auroc_interval
from gdsfd.evaluation.metrics.estimate import percentile_interval
from gdsfd.evaluation.metrics.formulas import auroc
from gdsfd.fusion_study.answer import Material
from gdsfd.fusion_study.contenders import PRESENCE, floor_of
from gdsfd.fusion_study.differences import difference
from gdsfd.fusion_study.ranks import Orders, kendall_tau, normalised_area

__all__ = ["agreements", "alerts", "floors", "presence_leakage", "regrets", "squares", "summary"]

#: Fewest patients with, and without the outcome for an AUROC of an environment.
FEWEST = 10


def floors(material: Material) -> dict[str, float]:
    """Condition -> AUROC of boosting that was trained for it, the mean over seeds; where there is one.

    For a hidden modality it is retrained without it, for hiding at random on patients who lose as many.
    """
    plan, found = material.plan, {}
    for name in plan.modalities if len(plan.modalities) > 1 else ():
        found[f"without {name}"] = _mean(material.by_seed(floor_of(plan.modalities, name)))
    for each in plan.floors:
        found[each.training] = _mean(material.by_seed(each.name, each.training))
    return {name: value for name, value in found.items() if math.isfinite(value)}


def regrets(table: pd.DataFrame, floor: dict[str, float]) -> pd.DataFrame:
    """Floor less a learner's AUROC under the same condition; above 0 the absence itself confuses it.

    Args:
        table: AUROC; learners down, conditions across.
        floor: Condition -> floor.
    """
    rows = [
        {"condition": name, "learner": learner, "floor": value, "auroc": own, "regret": value - own}
        for name, value in floor.items()
        if name in table.columns
        for learner, own in table[name].items()
    ]
    return pd.DataFrame(rows, columns=["condition", "learner", "floor", "auroc", "regret"])


def summary(material: Material, table: Any, regret: pd.DataFrame, half: str, found: Orders) -> pd.DataFrame:
    """One row per learner: as patients come, with half hidden, area, regret, and the two sides of the outcome.

    ``area`` is the mean over rates of hiding of where the curve lies between the best single model (0) and the learner
    with all that is there (1). ``swing`` is the AUROC with modalities hidden in the well less that with them hidden in
    the ill: what a learner makes of absence itself, above 0 where absent means healthy to it. Its ends are over draws
    of subjects.

    Args:
        material: The study's.
        table: AUROC; learners down, conditions across.
        regret: See :func:`regrets`.
        half: Hiding at random that stands for all rates; or nothing.
        found: With draws of subjects.
    """
    plan = material.plan
    rates = [rate for rate in plan.rates if f"random {rate:g}" in table.columns]
    single = max((_mean(material.by_seed(f"boosting, only {name}")) for name in plan.modalities), default=math.nan)
    ill, well = "hidden in ill 0.5", "hidden in well 0.5"
    rows = []
    for learner, own in table.iterrows():
        curve = [float(own["natural"]), *(float(own[f"random {rate:g}"]) for rate in rates)]
        mine = regret[regret["learner"] == learner]
        single_out = mine[mine["condition"].str.startswith("without ")]
        row = {"learner": learner, "natural": curve[0]}
        if half:
            row |= {half: float(own[half]), "area": normalised_area([0.0, *rates], curve, single, curve[0])}
            beside = difference(material, str(learner), "boosting", half)
            row |= {"hidden_minus_boosting": beside.mean}
            row |= {"hidden_minus_boosting_low": beside.low, "hidden_minus_boosting_high": beside.high}
        row["regret_at_random"] = _mean(mine.loc[mine["condition"].str.startswith("random "), "regret"])
        row["largest_regret"] = float(single_out["regret"].max()) if len(single_out) else math.nan
        if ill in table.columns and well in table.columns:
            row |= {ill: float(own[ill]), well: float(own[well]), "swing": float(own[well] - own[ill])}
            if ill in found.areas and well in found.areas:
                place = found.learners.index(str(learner))
                ends = percentile_interval((found.areas[well] - found.areas[ill])[place, 1:])
                row |= dict(zip(("swing_low", "swing_high"), ends, strict=True))
        rows.append(row)
    return pd.DataFrame(rows)


def agreements(found: Orders, table: Any, half: str) -> pd.DataFrame:
    """Kendall's tau between learners' orders under each condition and, in turn, as patients come and with half hidden.

    Args:
        found: With draws of subjects, for intervals; conditions it lacks have tau alone.
        table: AUROC; learners down, conditions across.
        half: Hiding at random that the others are held against; or nothing.
    """
    rows = []
    for condition in table.columns:
        row: dict[str, Any] = {"condition": condition}
        for name, reference in (("tau", "natural"), ("tau_random", half)):
            if not reference or condition == reference:
                row |= {name: math.nan, f"{name}_low": math.nan, f"{name}_high": math.nan}
                continue
            each = found.agreement(reference, condition)
            pair = (table[[one]].to_numpy(dtype=np.float64) for one in (reference, condition))
            plain = float(kendall_tau(*pair)[0]) if len(table) > 1 else math.nan
            row |= {name: plain, f"{name}_low": each.low, f"{name}_high": each.high}
        rows.append(row)
    made = pd.DataFrame(rows)
    return made[made["condition"] != "natural"].reset_index(drop=True)


def squares(material: Material) -> dict[str, pd.DataFrame]:
    """Contender -> AUROC by what its training patients lost (down) and what test patients lose (across)."""
    plan, found = material.plan, {}
    for name in plan.retrained:
        trained = [name, *(each.name for each in plan.squares if each.name.startswith(f"{name}, trained under "))]
        asked = plan.conditions_of(plan.squares[0]) if plan.squares else ()
        rows = {
            own.partition(", trained under ")[2] or "natural": {
                condition: _mean(material.by_seed(own, condition)) for condition in asked
            }
            for own in trained
        }
        found[name] = pd.DataFrame.from_dict(rows, orient="index")
    return found


def presence_leakage(material: Material) -> pd.DataFrame:
    """AUROC of who has what, and nothing else: of everybody and in each environment, the mean over seeds.

    Ends are means of the seeds' own intervals, which is wider than that of the mean. Environments with fewer than ten
    patients of a class among the test patients of some seed are left out.
    """
    own = material.predictions[material.predictions["learner"] == PRESENCE]
    if not len(own):
        return pd.DataFrame()
    environment = material.patients.set_index("id").get("environment")
    where = own["id"].map(environment) if environment is not None else pd.Series("", index=own.index)
    parts = {"everybody": own, **{str(name): own[where == name] for name in sorted(set(where)) if name}}
    rows = []
    for name, part in parts.items():
        found = [each for _, group in part.groupby(["target", "seed"], sort=False) if (each := _area(group))]
        if found and len(found) == len(part.groupby(["target", "seed"])) == own.groupby(["target", "seed"]).ngroups:
            value, low, high = (float(each) for each in np.mean(found, axis=0))
            rows.append({"environment": name, "auroc": value, "auroc_low": low, "auroc_high": high})
    return pd.DataFrame(rows, columns=["environment", "auroc", "auroc_low", "auroc_high"])


def alerts(material: Material, learners: Sequence[str]) -> pd.DataFrame:
    """What happens at thresholds chosen as patients come when they lose modalities; the mean over seeds and targets.

    Returns:
        ``learner``, ``condition``, ``alert_rate`` (share above the threshold), ``found`` (share of those with the
        outcome), ``predicted_minus_observed`` (mean probability less the share with the outcome).
    """
    thresholds = {
        (fit["learner"], int(fit["seed"]), str(target)): math.nan if value is None else float(value)
        for fit in material.fits
        for target, value in fit["thresholds"].items()
    }
    rows = []
    whole = material.predictions[material.predictions["learner"].isin(list(learners))]
    key: Any
    for key, own in whole.groupby(["learner", "condition", "seed", "target"], sort=False):
        learner, condition, seed, target = key
        y, p = own["y"].to_numpy(), own["p"].to_numpy()
        over = p >= thresholds.get((str(learner), int(seed), str(target)), math.nan)
        figures = {
            "alert_rate": float(over.mean()),
            "found": float(over[y == 1].mean()) if (y == 1).any() else math.nan,
            "predicted_minus_observed": float(p.mean() - y.mean()),
        }
        rows.append({"learner": learner, "condition": condition, **figures})
    return pd.DataFrame(rows).groupby(["learner", "condition"], sort=False, as_index=False).mean()


def _area(own: pd.DataFrame) -> tuple[float, float, float] | None:
    y, p = own["y"].to_numpy(dtype=np.float64), own["p"].to_numpy(dtype=np.float64)
    if min((y == 1).sum(), (y == 0).sum()) < FEWEST:
        return None
    cluster = np.unique(own["subject"].to_numpy(dtype=str), return_inverse=True)[1].astype(np.int64)
    return (float(auroc(y, p)), *auroc_interval(y, p, cluster))


def _mean(values: Sequence[float] | pd.Series | NDArray[np.float64]) -> float:
    known = np.asarray(values, dtype=np.float64)
    known = known[np.isfinite(known)]
    return float(known.mean()) if len(known) else math.nan
