"""Draws a study's pictures anew from the stored lines of ``benchmarks/real_studies.py``.

    python docs/_ext/study_pictures.py

The study draws them itself and ``real_studies.py`` copies them to ``docs/pictures``. Where only the drawing has
changed, this takes the figures from the lines, so that nothing is fitted and no patient is needed.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

import pandas as pd

sys.path.insert(0, str(Path(__file__).parent))

import study_lines

from gdsfd.fusion_study.svg import bumps, curves, forest, heat

PICTURES = study_lines.ROOT / "docs" / "pictures"


def pictures_of(line: dict[str, Any]) -> dict[str, str]:
    """Name of a picture -> it, as the study draws it.

    Args:
        line: Of a study with questions 1 and 3.
    """
    tables = line["tables"]
    table = pd.DataFrame(tables["3_conditions"]).set_index("learner")
    order, mixed = table["natural"].sort_values(ascending=False).index, list(table.columns)
    places = table.rank(ascending=False, method="first").astype(int).loc[order]
    rates = [name for name in mixed if name.startswith("random ")]
    lines = {str(name): [float(row[one]) for one in ("natural", *rates)] for name, row in table.iterrows()}
    floor = {row["condition"]: row["floor"] for row in tables["3_regret"]}
    if all(one in floor for one in rates):
        lines["floor: boosting trained for it"] = [lines["boosting"][0], *(floor[one] for one in rates)]
    gains = [tuple(_number(row[key]) for key in ("gain", "gain_low", "gain_high")) for row in tables["1_gains"]]
    names = [row["contrast"] for row in tables["1_gains"]]
    return {
        "1_gains": forest([(name, *own) for name, own in zip(names, gains)], "gain in AUROC", 0.01),
        "3_hidden_at_random": curves(
            lines, [0.0, *(float(one.split(" ")[1]) for one in rates)], "share of modalities hidden at random", "AUROC"
        ),
        "3_ranks": bumps({str(name): list(own) for name, own in zip(order, places.to_numpy())}, mixed),
        "3_conditions": heat(table.loc[order].to_numpy(), list(order), mixed, "what test patients lose", ""),
    }


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


def main() -> None:
    """Writes those that are there anew."""
    for line in study_lines.studies():
        for name, picture in pictures_of(line).items():
            file = PICTURES / f"study_{line['cohort']}_{name}.svg"
            if file.is_file():
                file.write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    main()
