"""The panels of the presence picture: shares, patterns, counts and outcome rates."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from gdsfd.graph.plot_layout import SIZE, TITLE_SIZE, TITLES, Layout, inches

__all__ = ["MAX_SERIES", "draw_counts", "draw_dots", "draw_rates", "draw_shares"]

MAX_SERIES = 6  #: outcome rates that can be told apart by colour

_INK, _MUTED = "#22313a", "#7b8a94"
_PRESENT, _ABSENT, _BAND, _BAR = "#12617f", "#dde4e9", "#f5f7f9", "#a9c3cf"
_ZERO, _ZERO_GROUND = "#b5432c", "#fbebe7"
_SERIES = ("#c8553d", "#3d7a5c", "#8661a8", "#b98a1d", "#4a6fa5", "#7d5a4f")
_SHARES = LinearSegmentedColormap.from_list("presence", ["#eef4f6", "#9cc3d0", "#3f8aa6", "#0b4f6c"])


def draw_shares(
    axes: Axes,
    layout: Layout,
    names: Sequence[str],
    corner: str,
    labels: Sequence[str],
    sizes: Sequence[str],
    bold: Sequence[bool],
    shares: NDArray[np.float64],
) -> None:
    """The heat map, with a number in every cell.

    Args:
        axes: Where to.
        layout: The picture's layout.
        names: The modalities.
        corner: What the rows are.
        labels: The rows' names.
        sizes: Their numbers of patients.
        bold: Whether a row is a total.
        shares: [rows, K].
    """
    _names(axes, layout, names, TITLES[0], layout.heat_left)
    side: dict[str, Any] = {"ha": "right", "fontsize": SIZE}
    _note(axes, corner, (-0.5, -0.5), (-8, 4), va="bottom", color=_MUTED, **side)
    room = max(map(inches, sizes)) * 72
    for row, label in enumerate(labels):
        _note(axes, sizes[row], (-0.5, row), (-8, 0), va="center_baseline", color=_MUTED, **side)
        weight = "bold" if bold[row] else "normal"
        _note(axes, label, (-0.5, row), (-18 - room, 0), va="center_baseline", color=_INK, fontweight=weight, **side)
        for column, share in enumerate(shares[row].tolist()):
            ground = _ZERO_GROUND if share == 0 else _SHARES(share)
            axes.add_patch(
                Rectangle((column - 0.5, row - 0.5), 1, 1, linewidth=1.2, edgecolor="white", facecolor=ground)
            )
            colour = _ZERO if share == 0 else "white" if share > 0.55 else _INK
            style: dict[str, Any] = {"ha": "center", "va": "center_baseline", "fontsize": SIZE - 1, "color": colour}
            axes.text(column, row, _whole_percent(share), **style)
    if len(labels) > 1:
        axes.axhline(0.5, color=_INK, linewidth=0.8)  # under the row of all patients


def draw_dots(axes: Axes, layout: Layout, names: Sequence[str], flags: NDArray[np.bool_], rest: str) -> None:
    """The patterns as a dot matrix.

    Args:
        axes: Where to.
        layout: The picture's layout.
        names: The modalities.
        flags: [patterns, K].
        rest: What is said of the patterns that are not drawn.
    """
    _names(axes, layout, names, TITLES[1])
    _bands(axes, len(flags))
    for present, size, colour in ((False, 22, _ABSENT), (True, 42, _PRESENT)):
        rows, columns = np.nonzero(flags == present)
        axes.scatter(columns, rows, s=size, color=colour, linewidths=0, zorder=2)
    _note(axes, rest, (-0.5, len(flags) - 0.5), (0, -6), ha="left", va="top", fontsize=SIZE, color=_MUTED)


def draw_counts(axes: Axes, counts: Sequence[int], texts: Sequence[str]) -> None:
    """Bars of patients; the longest is one inch, so that its text has room behind it."""
    _column_title(axes, "patients")
    _bands(axes, len(counts))
    longest = max(map(inches, texts), default=0.0)
    axes.set_xlim(0, max(counts, default=1) * (1.1 + longest))
    axes.barh(range(len(counts)), counts, height=0.62, color=_BAR, zorder=2)
    for row, (count, text) in enumerate(zip(counts, texts, strict=True)):
        _note(axes, text, (count, row), (4, 0), va="center_baseline", fontsize=SIZE - 0.5, color=_INK)


def draw_rates(
    axes: Axes, title: str, names: Sequence[str], hits: NDArray[np.int64], known: NDArray[np.int64], total: float
) -> None:
    """Outcome rates as points: a single one with its interval, several told apart by colour.

    Args:
        axes: Where to.
        title: What stands above.
        names: What has a rate.
        hits: Patients with it; [patterns, names].
        known: Labelled patients; [patterns, names].
        total: Rate of the first among all patients; NaN = unknown.
    """
    single = len(names) == 1
    shown = names[:MAX_SERIES]
    _column_title(axes, title)
    _bands(axes, len(hits))
    ends = [0.05]
    for series, name in enumerate(shown):
        colour = _SERIES[series]
        shift = (series - (len(shown) - 1) / 2) * min(0.2, 0.7 / len(shown))  # equal rates do not hide each other
        for row in np.flatnonzero(known[:, series]).tolist():
            rate = hits[row, series] / known[row, series]
            ends.append(rate)
            if single:
                low, high = _wilson(int(hits[row, series]), int(known[row, series]))
                ends.append(high)
                axes.plot([low, high], [row, row], color=colour, linewidth=1.3, alpha=0.45, zorder=2)
            axes.scatter([rate], [row + shift], s=30 if single else 22, color=colour, linewidths=0, zorder=3)
        if not single:
            more = (
                f" (and {len(names) - MAX_SERIES} more)" if series == MAX_SERIES - 1 and len(names) > MAX_SERIES else ""
            )
            place = (0, -24 - 12 * series)
            _note(axes, f"● {name}{more}", (0, len(hits) - 0.5), place, va="top", fontsize=SIZE, color=colour)
    if single:
        for row in np.flatnonzero(known[:, 0] == 0).tolist():
            axes.text(0, row, "no label", va="center_baseline", fontsize=SIZE - 1, color=_MUTED)
        if not math.isnan(total):
            ends.append(total)
            axes.axvline(total, color=_MUTED, linewidth=0.9, linestyle=(0, (3, 3)), zorder=1)
    end = min(1.0, max(ends))
    axes.set_xlim(-0.03 * end, end * 1.03)
    ticks = _ticks(end)
    axes.set_xticks(ticks, [f"{tick * 100:g}" for tick in ticks], fontsize=SIZE - 1, color=_MUTED)


def _names(axes: Axes, layout: Layout, names: Sequence[str], title: str, left: float = 0.0) -> None:
    """Modalities above their columns and the title above them, ``left`` inches to the left of the first column."""
    axes.set_xlim(-0.5, max(len(names), 1) - 0.5)
    for column, name in enumerate(names):
        slant = {"rotation": 45, "rotation_mode": "anchor", "ha": "left", "va": "bottom"}
        _note(axes, name, (column, -0.5), (0, 4), fontsize=SIZE, color=_INK, **slant)
    above = (-left * 72, layout.slant * 72 + 24)
    _note(axes, title, (-0.5, -0.5), above, va="bottom", fontsize=TITLE_SIZE, fontweight="bold", color=_INK)


def _column_title(axes: Axes, title: str) -> None:
    _note(axes, title, (0, 1), (0, 4), xycoords="axes fraction", va="bottom", fontsize=SIZE, color=_MUTED)


def _note(axes: Axes, text: str, place: tuple[float, float], offset: tuple[float, float], **style: Any) -> None:
    """A text at a place of the axes, moved by points; it may stand outside of them."""
    axes.annotate(text, place, xytext=offset, textcoords="offset points", annotation_clip=False, **style)


def _bands(axes: Axes, rows: int) -> None:
    for row in range(0, rows, 2):
        axes.axhspan(row - 0.5, row + 0.5, color=_BAND, linewidth=0, zorder=0)


def _whole_percent(share: float) -> str:
    """0 and 100 only when it is exactly so."""
    if share in (0, 1):
        return f"{share * 100:.0f}"
    return "<1" if share <= 0.005 else f"{min(share, 0.99) * 100:.0f}"


def _wilson(hits: int, known: int) -> tuple[float, float]:
    """95 % Wilson interval of a share."""
    z = 1.96
    share = hits / known
    centre = (share + z * z / (2 * known)) / (1 + z * z / known)
    half = z / (1 + z * z / known) * math.sqrt(share * (1 - share) / known + z * z / (4 * known * known))
    return max(0.0, centre - half), min(1.0, centre + half)


def _ticks(end: float) -> list[float]:
    step = next(step for step in (0.01, 0.02, 0.05, 0.1, 0.25, 0.5) if end / step <= 5)
    return [number * step for number in range(int(end / step) + 1)]
