"""An explanation as one self-contained page."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import pandas as pd

from gdsfd._version import __version__

if TYPE_CHECKING:
    from gdsfd.training.explanation.explanation import Explanation

__all__ = ["page"]

#: Patients that the page shows; the tables have them all.
MOST_PATIENTS = 50
#: Values of a patient that it shows.
MOST_VALUES = 8
_READ = {
    "prediction": "Each patient's score, taken apart by taking away what was recorded of the patient.",
    "biased": "What the head of the biased stream reads: not the prediction, but what the model keeps out of it.",
}


def page(explanation: Explanation) -> str:
    """HTML without any reference to another file or site."""
    shown = explanation.patients.head(MOST_PATIENTS)
    top = explanation.top(MOST_VALUES)
    hidden = len(explanation.patients) - len(shown)
    return str(
        _template().render(
            title=f"Why these patients? {explanation.target}",
            target=explanation.target,
            read=_READ[explanation.of],
            note=explanation.note,
            patients=[_patient(row, explanation.modalities, top) for row in shown.to_dict("records")],
            more=f"Not shown here, but in the tables: {hidden} of {len(explanation.patients)} patients."
            if hidden
            else "",
            version=__version__,
        )
    )


@cache
def _template() -> Any:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    source = files("gdsfd.training.explanation").joinpath("explanation.html").read_text(encoding="utf-8")
    return environment.from_string(source)


def _patient(row: dict[Any, Any], modalities: pd.DataFrame, top: pd.DataFrame) -> dict[str, Any]:
    own = modalities[modalities["id"] == row["id"]].sort_values("shapley", key=lambda each: -each.abs(), kind="stable")
    values = top[top["id"] == row["id"]]
    worth = [(each["modality"], "", each["shapley"]) for each in own.to_dict("records")]
    cells = [
        (f"{each['modality']}.{each['column']}", each["value"], each["effect"]) for each in values.to_dict("records")
    ]
    largest = max((abs(effect) for _, _, effect in (*worth, *cells)), default=0.0) or 1.0
    return {
        "id": row["id"],
        "split": row["split"],
        "probability": f"{row['probability']:.1%}",
        "log_odds": f"{row['log_odds']:+.2f}",
        "without": f"{row['log_odds_without_any']:+.2f}",
        "parts": [
            ("What each modality contributed", [_bar(each, largest) for each in worth]),
            ("Values with the largest effects", [_bar(each, largest) for each in cells]),
        ],
    }


def _bar(each: tuple[str, str, float], largest: float) -> dict[str, Any]:
    name, value, effect = each
    width = f"{50 * abs(effect) / largest:.1f}"
    return {
        "name": name,
        "value": value,
        "effect": f"{effect:+.2f}",
        "width": width,
        "side": "up" if effect > 0 else "down",
    }
