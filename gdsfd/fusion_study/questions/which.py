"""Question 2: which fusion?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from gdsfd.comparison.statistics import holm
from gdsfd.fusion_study.answer import Answer, Material, signed
from gdsfd.fusion_study.differences import difference
from gdsfd.fusion_study.svg import forest

__all__ = ["which"]

_FIGURES = ("auroc", "auprc", "brier", "log_loss")
#: What every learner is held against.
REFERENCES = ("concat", "boosting")


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
    return Answer(2, (first + ".", second), {"learners": table}, {"minus_concat": picture}, facts)


def _table(material: Material) -> pd.DataFrame:
    rows = []
    for each in material.plan.contenders:
        row: dict[str, Any] = {"learner": each.name}
        for figure in _FIGURES:
            row[figure] = float(np.nanmean(material.by_seed(each.name, figure=figure)))
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
    for reference in REFERENCES:
        table[f"minus_{reference}_holm"] = holm(table[f"minus_{reference}_p"].tolist())
    return table.sort_values("auroc", ascending=False, ignore_index=True)


def _verdict(table: Any, learner: str, reference: str) -> str:
    return str(table.loc[table["learner"] == learner, f"verdict_{reference}"].iloc[0])


def _are(names: list[str]) -> str:
    if not names:
        return "is none of the networks"
    return f"{'is' if len(names) == 1 else 'are'} {', '.join(names)}"
