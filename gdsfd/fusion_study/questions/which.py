"""Question 2: which fusion?"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from gdsfd.comparison.statistics import holm
from gdsfd.evaluation.metrics.calibration import calibration_line
from gdsfd.fusion_study.answer import Answer, Material, signed
from gdsfd.fusion_study.differences import difference
from gdsfd.fusion_study.figures_table import figures_of, mean_over_targets
from gdsfd.fusion_study.ranks import orders
from gdsfd.fusion_study.svg import forest

__all__ = ["which"]

_FIGURES = ("auroc", "auprc", "brier", "log_loss")
#: What every learner is held against.
REFERENCES = ("concat", "boosting")
#: Draws of subjects for the chance of being best.
RESAMPLES = 200


def which(material: Material) -> Answer:
    """Every learner beside concatenation and beside boosting, on the same patients."""
    table: Any = _table(material)
    plan = material.plan
    rows = [
        (row["learner"], row["minus_concat"], row["minus_concat_low"], row["minus_concat_high"])
        for row in table.to_dict("records")
        if row["learner"] != "concat"
    ]
    networks = [each.name for each in plan.contenders if each.network]
    best = str(table.loc[table["auroc"].idxmax(), "learner"])
    top = table.set_index("learner").loc[best]
    better = [name for name in networks if _verdict(table, name, "concat") == "better"]
    ahead = [name for name in networks if _verdict(table, name, "boosting") == "better"]
    first = f"{best} has the highest AUROC ({top['auroc']:.3f})"
    if best != "concat":
        gap = signed(*(float(top[f"minus_concat{end}"]) for end in ("", "_low", "_high")))
        first += f", {gap} against concatenation: {top['verdict_concat']}"
    second = (
        f"Better than concatenation by the plan's rule {_are(better)}; better than gradient boosting {_are(ahead)}."
    )
    facts: dict[str, Any] = {
        "best": best,
        "better_than_concat": better,
        "better_than_boosting": ahead,
        "table": table.drop(columns=["seconds", "parameters"]).to_dict("records"),
    }
    picture = forest(rows, "AUROC minus concatenation's", plan.margin)
    tables = {"learners": table}
    left_out = _left_out(material)
    if len(left_out):
        tables["environments_left_out"] = left_out
    return Answer(2, (first + ".", second), tables, {"minus_concat": picture}, facts)


def _left_out(material: Material) -> pd.DataFrame:
    """Each environment after training on the others: learners' AUROC and their difference to concatenation's."""
    if material.left_out is None:
        return pd.DataFrame()
    rows = []
    for environment, own in material.left_out.groupby("holdout", sort=False):
        figures = figures_of(own)
        there = replace(
            material,
            predictions=own,
            figures=figures,
            means=mean_over_targets(figures),
            fits=[fit for fit in material.left_out_fits if fit["holdout"] == environment],
            left_out=None,
        )
        for each in material.plan.contenders:
            found = difference(there, each.name, "concat")
            rows.append(
                {
                    "environment": environment,
                    "learner": each.name,
                    "patients": there.sizes[1],
                    "auroc": _mean(there.by_seed(each.name)),
                    "minus_concat": found.mean,
                    "minus_concat_low": found.low,
                    "minus_concat_high": found.high,
                    "verdict": "itself" if each.name == "concat" else found.verdict,
                }
            )
    return pd.DataFrame(rows)


def _mean(values: list[float]) -> float:
    known = [value for value in values if math.isfinite(value)]
    return float(np.mean(known)) if known else math.nan


def _table(material: Material) -> pd.DataFrame:
    rows = []
    for each in material.plan.contenders:
        row: dict[str, Any] = {"learner": each.name}
        for figure in _FIGURES:
            row[figure] = _mean(material.by_seed(each.name, figure=figure))
        row |= _calibration(material.predictions, each.name)
        for reference in REFERENCES:
            found = difference(material, each.name, reference)
            named = {"": found.mean, "_low": found.low, "_high": found.high, "_p": found.p}
            row |= {f"minus_{reference}{end}": value for end, value in named.items()}
            row[f"verdict_{reference}"] = "itself" if each.name == reference else found.verdict
        own = [fit for fit in material.fits if fit["learner"] == each.name]
        row["seconds"] = float(np.mean([fit["seconds"] for fit in own])) if own else np.nan
        row["parameters"] = next((fit["parameters"] for fit in own), None)
        rows.append(row)
    table = pd.DataFrame(rows)
    drawn = orders(material.predictions[material.predictions["learner"].isin(table["learner"])], ["natural"], RESAMPLES)
    best = dict(zip(drawn.learners, drawn.best("natural"), strict=True)) if "natural" in drawn.areas else {}
    table["chance_of_being_best"] = [float(best.get(name, math.nan)) for name in table["learner"]]
    for reference in REFERENCES:
        table[f"minus_{reference}_holm"] = holm(table[f"minus_{reference}_p"].tolist())
    return table.sort_values("auroc", ascending=False, ignore_index=True)


def _calibration(predictions: pd.DataFrame, learner: str) -> dict[str, float]:
    """Intercept and slope of the outcome's log-odds on the predicted, the mean over seeds and targets."""
    own = predictions[(predictions["learner"] == learner) & (predictions["condition"] == "natural")]
    lines = []
    for _, each in own.groupby(["seed", "target"], sort=False):
        y, p = (each[name].to_numpy(dtype=np.float64) for name in ("y", "p"))
        cluster = np.unique(each["subject"].to_numpy(dtype=str), return_inverse=True)[1].astype(np.int64)
        lines.append([found.value for found in calibration_line(y, p, cluster)])
    columns = np.array(lines, dtype=np.float64).reshape(-1, 2).T
    return {name: _mean(list(column)) for name, column in zip(("calibration_intercept", "calibration_slope"), columns)}


def _verdict(table: Any, learner: str, reference: str) -> str:
    return str(table.loc[table["learner"] == learner, f"verdict_{reference}"].iloc[0])


def _are(names: list[str]) -> str:
    if not names:
        return "is none of the networks"
    return f"{'is' if len(names) == 1 else 'are'} {', '.join(names)}"
