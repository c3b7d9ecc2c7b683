"""Where the panels of the presence picture stand: every text has its measured room, so none meets another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.textpath import TextPath

__all__ = ["SIZE", "TITLES", "TITLE_SIZE", "Layout", "inches", "plain"]

SIZE, TITLE_SIZE = 8.5, 11.0  # points
TITLES = ("Share of patients with each modality, %", "Most frequent patterns")

_ROW = 0.27  # inches
_LONGEST = 40  # characters of a name
_BOLD = 1.12  # how much wider bold letters are


def plain(text: str) -> str:
    """A user's name as matplotlib should draw it: one line, no mathematics, not endless."""
    text = " ".join(text.split())
    if len(text) > _LONGEST:
        text = text[: _LONGEST - 1] + "…"
    return text.replace("$", r"\$")


def inches(text: str, size: float = SIZE) -> float:
    """Width of a text. A blank text has none."""
    return TextPath((0, 0), text, size=size).get_extents().width / 72 if text.strip() else 0.0


@dataclass
class Layout:
    """All in inches, from the figure's left and top edge."""

    width: float
    height: float
    head: float
    slant: float
    matrix_width: float
    heat_left: float
    dots_left: float
    bars_left: float
    bars_width: float
    rates_left: float
    rates_width: float

    @classmethod
    def of(
        cls,
        names: Sequence[str],
        labels: Sequence[str],
        sizes: Sequence[str],
        counts: Sequence[str],
        rate_title: str,
        series: int,
        rows: int,
    ) -> Layout:
        """The layout that these texts need.

        Args:
            names: The modalities.
            labels: The environments.
            sizes: Their numbers of patients.
            counts: The patterns' numbers of patients.
            rate_title: What stands above the outcome rates.
            series: How many outcome rates are drawn.
            rows: Rows of the taller panel.
        """
        matrix = max(len(names), 1) * float(np.clip(4.2 / max(len(names), 1), 0.36, 0.62))
        slant = max((inches(name) for name in names), default=0.0) * 0.71  # at 45 degrees: as high as wide
        heat_left = max(map(inches, labels)) * _BOLD + max(map(inches, sizes)) + 0.4
        # Slanted names run parallel, so those of one panel pass above the next one without touching.
        dots_left = max(heat_left + matrix, inches(TITLES[0], TITLE_SIZE) * _BOLD) + 0.5
        bars_left = dots_left + max(matrix, inches(TITLES[1], TITLE_SIZE) * _BOLD - 1.0) + 0.4
        bars_width = 1.0 + max(map(inches, counts), default=0.0)
        rates_left = bars_left + bars_width + 0.35
        rates_width = max(1.9, inches(rate_title)) if series else 0.0
        head = slant + 0.85
        foot = 0.75 + (0.17 * series if series > 1 else 0.0)
        return cls(
            width=rates_left + max(rates_width, slant) + 0.2,
            height=head + max(rows, 1) * _ROW + foot,
            head=head,
            slant=slant,
            matrix_width=matrix,
            heat_left=heat_left,
            dots_left=dots_left,
            bars_left=bars_left,
            bars_width=bars_width,
            rates_left=rates_left,
            rates_width=rates_width,
        )

    def axes(self, figure: Figure, left: float, width: float, rows: int) -> Axes:
        """Bare axes whose y runs over rows from the top, one unit each."""
        high = max(rows, 1) * _ROW
        bottom = self.height - self.head - high
        axes = figure.add_axes((left / self.width, bottom / self.height, width / self.width, high / self.height))
        axes.set_ylim(max(rows, 1) - 0.5, -0.5)
        axes.tick_params(length=0)
        for spine in axes.spines.values():
            spine.set_visible(False)
        axes.set_yticks([])
        axes.set_xticks([])
        return axes
