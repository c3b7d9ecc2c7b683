"""The table of times to an event on SUPPORT2, from the lines of ``benchmarks/survival.py``.

    python benchmarks/survival.py --backbones concat,muse --summary   # a line that sums up those of the folds
    python docs/_ext/survival_lines.py

Writes the part of ``docs/survival.md`` between its marks anew, from the newest summary. A test sees to it that it is
that of the stored lines.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
LINES = ROOT / "benchmarks" / "results" / "survival.jsonl"
PAGE = ROOT / "docs" / "survival.md"
START, END = "<!-- support2: python docs/_ext/survival_lines.py -->", "<!-- end of support2 -->"

NAMES = {"cox": "Cox regression", "forest": "random survival forest"}
FIGURES = {
    "uno": "Uno's concordance",
    "harrell": "Harrell's",
    "integrated_brier": "integrated Brier score",
    "excess_risk": "predicted less observed risk at the horizon",
}


def summary() -> dict[str, Any]:
    """The newest line that sums up others."""
    lines = [json.loads(text) for text in LINES.read_text(encoding="utf-8").splitlines()]
    return dict(next(line["summary"] for line in reversed(lines) if "summary" in line))


def section() -> str:
    """The text between the marks: means over folds, then paired differences with intervals."""
    found = summary()
    networks = [name for name in found["means"] if name not in NAMES]
    means = [
        (_name(model), *(_number(found["means"][model][figure], figure == "excess_risk") for figure in FIGURES))
        for model in [*networks, *NAMES]
    ]
    differences = [
        (f"{_name(network)} less {_name(rival)}", *(_ends(pair[figure]) for figure in FIGURES))
        for network in networks
        for rival in NAMES
        for pair in [found["differences"][f"{network} less {rival}"]]
    ]
    folds = len(found["folds"])
    return "\n\n".join(
        [
            f"Means over {folds} folds, each patient tested once:",
            _table(("", *FIGURES.values()), means),
            "Differences on the same patients, with 95 % intervals; for concordance above 0 is better, for the Brier\n"
            "score below 0:",
            _table(("", *FIGURES.values()), differences),
        ]
    )


def _name(model: str) -> str:
    return NAMES.get(model, f"`{model}`")


def _number(value: float, signed: bool = False) -> str:
    return (f"{value:+.3f}" if signed else f"{value:.3f}").replace("-", "−")


def _ends(ends: list[float]) -> str:
    value, low, high = (_number(end, True) for end in ends)
    return f"{value} ({low} to {high})"


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ("---",) * len(head), *rows))


def main() -> None:
    """Writes the part anew."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(START)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{START}\n\n{section()}\n\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
