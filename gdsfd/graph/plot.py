"""The picture of who has what: presence by environment beside the most frequent missingness patterns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.textpath import TextPath
from numpy.typing import NDArray
from torch_geometric.data import HeteroData

from gdsfd.cohort.presence import PatientFacts
from gdsfd.cohort.text_table import percent
from gdsfd.graph.facts import facts_of_graph
from gdsfd.graph.presence_tables import members_by

__all__ = ["plot_presence"]

MAX_ROWS = 25  #: environments shown on their own; the smaller ones are pooled in one row
MIN_PATTERNS, MAX_PATTERNS = 10, 25

_INK, _MUTED, _RULE = "#22313a", "#7b8a94", "#dbe2e7"
_PRESENT, _ABSENT, _BAND = "#12617f", "#dde4e9", "#f5f7f9"
_BAR, _ZERO = "#a9c3cf", "#b5432c"
_SERIES = ("#c8553d", "#3d7a5c", "#8661a8", "#b98a1d", "#4a6fa5", "#7d5a4f")
_SHARES = LinearSegmentedColormap.from_list("presence", ["#eef4f6", "#9cc3d0", "#3f8aa6", "#0b4f6c"])
_SIZE = 8.5  # points


def plot_presence(graph: HeteroData, path: str | Path | None = None, by: str = "environment") -> Figure:
    """Draws who has what.

    Left, the share of patients with each modality by environment, the largest first; a modality that nobody there has
    stands out in red. Right, the most frequent sets of modalities, how many patients have exactly that set, and their
    outcome rate with a 95 % Wilson interval.

    Args:
        graph: The graph.
        path: Where to save the picture too (PNG, SVG, PDF by its ending); None = nowhere.
        by: ``"environment"``, ``"split"`` or the name of a group.

    Returns:
        A figure of its own, unknown to pyplot. In a notebook it shows itself.

    Raises:
        InputError: The graph has no such environment or group.
    """
    facts = facts_of_graph(graph)
    rows = _rows(facts, members_by(graph, facts, by))
    patterns = _patterns(facts, len(rows))
    layout = _Layout.of(facts, rows, patterns)
    figure = Figure(figsize=(layout.width, layout.height), facecolor="white")
    title = graph.schema.environment or by if by == "environment" else by
    _draw_shares(layout.axes(figure, layout.heat_left, layout.matrix_width, len(rows)), facts.modalities, rows, title)
    _draw_patterns(layout.axes(figure, layout.dots_left, layout.matrix_width, len(patterns)), facts, patterns)
    _draw_counts(layout.axes(figure, layout.bars_left, layout.bars_width, len(patterns)), facts, patterns)
    if facts.rated:
        _draw_rates(layout.axes(figure, layout.rates_left, layout.rates_width, len(patterns)), facts, patterns)
    if path is not None:
        figure.savefig(path, dpi=160, bbox_inches="tight", pad_inches=0.15)
    return figure


@dataclass
class _Row:
    """One row of the left panel."""

    label: str
    patients: int
    shares: NDArray[np.float64]  # [K]
    plain: bool = False  # an environment of its own, not a total


@dataclass
class _Pattern:
    """One row of the right panel."""

    flags: NDArray[np.bool_]  # [K]
    patients: int
    rates: list[tuple[int, int]]  # members and labelled, per rated series


def _rows(facts: PatientFacts, members: dict[str, NDArray[np.bool_]]) -> list[_Row]:
    def row(label: str, mask: NDArray[np.bool_], plain: bool) -> _Row:
        number = int(mask.sum())
        shares = facts.presence[mask].sum(0) / max(number, 1)
        return _Row(label, number, shares, plain)

    listed = list(members.items())
    # One row too many is shown rather than pooled alone.
    shown = listed if len(listed) <= MAX_ROWS + 1 else listed[:MAX_ROWS]
    rows = [row("all patients", np.ones(len(facts.split), bool), False)]
    rows += [row(label, mask, True) for label, mask in shown]
    if len(shown) < len(listed):
        rest = np.any([mask for _, mask in listed[len(shown) :]], axis=0)
        rows.append(row(f"{len(listed) - len(shown)} smaller ones", rest, False))
    return rows


def _patterns(facts: PatientFacts, rows: int) -> list[_Pattern]:
    flags, pattern = facts.patterns
    return [
        _Pattern(
            flags[number],
            int((pattern == number).sum()),
            [(int((pattern[members] == number).sum()), int((pattern[known] == number).sum())) for _, members, known in facts.rated],
        )
        for number in range(min(len(flags), int(np.clip(rows, MIN_PATTERNS, MAX_PATTERNS))))
    ]


@dataclass
class _Layout:
    """Where the panels stand, in inches from the left and from the top; every text has its measured room."""

    width: float
    height: float
    head: float
    matrix_width: float
    heat_left: float
    dots_left: float
    bars_left: float
    bars_width: float
    rates_left: float
    rates_width: float

    row = 0.27

    @classmethod
    def of(cls, facts: PatientFacts, rows: Sequence[_Row], patterns: Sequence[_Pattern]) -> _Layout:
        number = max(len(facts.modalities), 1)
        cell = float(np.clip(4.2 / number, 0.36, 0.62))
        names = max((_inches(name) for name in facts.modalities), default=0.0)
        slant = names * 0.71  # labels stand at 45 degrees: as high as they reach to the right
        labels = max(_inches(row.label) for row in rows) + _inches(f"{max(row.patients for row in rows):,}") + 0.35
        heat_left = labels + 0.1
        dots_left = heat_left + number * cell + max(slant - 0.1, 0.5)
        bars_left = dots_left + number * cell + max(slant - 0.1, 0.25)
        counts = max((_inches(_count(pattern, len(facts.split))) for pattern in patterns), default=0.0)
        bars_width = 1.0 + counts
        rates_left = bars_left + bars_width + 0.35
        rates_width = 1.9 if facts.rated else 0.0
        head = slant + 0.85
        height = head + max(len(rows), len(patterns), 1) * cls.row + 0.75
        return cls(
            rates_left + rates_width + 0.2, height, head, number * cell, heat_left, dots_left, bars_left, bars_width,
            rates_left, rates_width,
        )  # fmt: skip

    def axes(self, figure: Figure, left: float, width: float, rows: int) -> Axes:
        """Axes whose y runs over rows from the top, one unit each."""
        high = max(rows, 1) * self.row
        bottom = self.height - self.head - high
        box = (left / self.width, bottom / self.height, width / self.width, high / self.height)
        axes = figure.add_axes(box)
        axes.set_ylim(max(rows, 1) - 0.5, -0.5)
        axes.tick_params(length=0, labelsize=_SIZE, labelcolor=_INK)
        for spine in axes.spines.values():
            spine.set_visible(False)
        axes.set_yticks([])
        axes.set_xticks([])
        return axes


def _inches(text: str, size: float = _SIZE) -> float:
    """Width of a text. A blank text has none."""
    return TextPath((0, 0), text, size=size).get_extents().width / 72 if text.strip() else 0.0


def _modality_labels(axes: Axes, names: Sequence[str], title: str) -> None:
    axes.set_xlim(-0.5, max(len(names), 1) - 0.5)
    for place, name in enumerate(names):
        axes.annotate(
            name, (place, -0.5), xytext=(0, 4), textcoords="offset points", rotation=45, ha="left", va="bottom",
            rotation_mode="anchor", fontsize=_SIZE, color=_INK, annotation_clip=False,
        )  # fmt: skip
    slant = max((_inches(name) for name in names), default=0.0) * 0.71 * 72
    axes.annotate(
        title, (-0.5, -0.5), xytext=(0, slant + 24), textcoords="offset points", ha="left", va="bottom",
        fontsize=_SIZE + 2.5, fontweight="bold", color=_INK, annotation_clip=False,
    )  # fmt: skip


def _draw_shares(axes: Axes, names: Sequence[str], rows: Sequence[_Row], title: str) -> None:
    _modality_labels(axes, names, "Share of patients with each modality, %")
    axes.annotate(
        title, (-0.5, -0.5), xytext=(-8, 4), textcoords="offset points", ha="right", va="bottom", fontsize=_SIZE,
        color=_MUTED, annotation_clip=False,
    )  # fmt: skip
    room = _inches(f"{max(row.patients for row in rows):,}") * 72
    for place, row in enumerate(rows):
        weight = "normal" if row.plain else "bold"
        side = {"textcoords": "offset points", "ha": "right", "va": "center_baseline", "annotation_clip": False}
        axes.annotate(
            f"{row.patients:,}", (-0.5, place), xytext=(-8, 0), fontsize=_SIZE, color=_MUTED, **side
        )
        axes.annotate(
            row.label, (-0.5, place), xytext=(-18 - room, 0), fontsize=_SIZE, color=_INK, fontweight=weight, **side
        )
        for column, share in enumerate(row.shares):
            absent = share == 0
            axes.add_patch(
                Rectangle(
                    (column - 0.5, place - 0.5), 1, 1, linewidth=1.2, edgecolor="white",
                    facecolor="#fbebe7" if absent else _SHARES(share),
                )  # fmt: skip
            )
            number = "0" if absent else "<1" if share < 0.005 else "100" if share == 1 else f"{min(share, 0.994) * 100:.0f}"
            colour = _ZERO if absent else "white" if share > 0.55 else _INK
            axes.text(column, place, number, ha="center", va="center_baseline", fontsize=_SIZE - 1, color=colour)
    if len(rows) > 1:
        axes.axhline(0.5, color=_INK, linewidth=0.8)


def _draw_patterns(axes: Axes, facts: PatientFacts, patterns: Sequence[_Pattern]) -> None:
    _modality_labels(axes, facts.modalities, "Most frequent patterns")
    _bands(axes, len(patterns))
    for place, pattern in enumerate(patterns):
        columns = np.arange(len(pattern.flags))
        present = columns[pattern.flags]
        if len(present) > 1:
            axes.plot([present[0], present[-1]], [place, place], color=_PRESENT, linewidth=1.2, zorder=2)
        axes.scatter(columns, np.full(len(columns), place), s=34, color=_ABSENT, linewidths=0, zorder=1)
        axes.scatter(present, np.full(len(present), place), s=34, color=_PRESENT, linewidths=0, zorder=3)
    shown = sum(pattern.patients for pattern in patterns)
    total, rest = len(facts.patterns[0]), len(facts.split) - shown
    if total > len(patterns):
        axes.annotate(
            f"{total - len(patterns):,} further patterns: {rest:,} patients ({percent(rest / len(facts.split))})",
            (-0.5, len(patterns) - 0.5), xytext=(0, -6), textcoords="offset points", ha="left", va="top",
            fontsize=_SIZE, color=_MUTED, annotation_clip=False,
        )  # fmt: skip


def _count(pattern: _Pattern, total: int) -> str:
    return f"{pattern.patients:,}  ({percent(pattern.patients / total)})"


def _draw_counts(axes: Axes, facts: PatientFacts, patterns: Sequence[_Pattern]) -> None:
    _column_title(axes, "patients")
    _bands(axes, len(patterns))
    longest = max((_inches(_count(pattern, len(facts.split))) for pattern in patterns), default=0.0)
    most = max((pattern.patients for pattern in patterns), default=1)
    axes.set_xlim(0, most * (1.0 + longest + 0.1) / 1.0)  # the longest bar is one inch, its number stands behind it
    axes.barh(range(len(patterns)), [pattern.patients for pattern in patterns], height=0.62, color=_BAR, zorder=2)
    for place, pattern in enumerate(patterns):
        axes.annotate(
            _count(pattern, len(facts.split)), (pattern.patients, place), xytext=(4, 0), textcoords="offset points",
            va="center_baseline", fontsize=_SIZE - 0.5, color=_INK,
        )  # fmt: skip


def _draw_rates(axes: Axes, facts: PatientFacts, patterns: Sequence[_Pattern]) -> None:
    """Rates as points. One series has its interval and number; several are told apart by colour."""
    names = [name for name, _, _ in facts.rated]
    single = len(names) == 1
    _column_title(axes, f"{names[0]} rate, %" if single else "outcome rates, %")
    _bands(axes, len(patterns))
    ends = [0.05]
    for series in range(len(names)):
        colour = _SERIES[series % len(_SERIES)]
        for place, pattern in enumerate(patterns):
            hits, known = pattern.rates[series]
            if not known:
                if single:
                    axes.text(0, place, " no label", va="center_baseline", fontsize=_SIZE - 1, color=_MUTED)
                continue
            low, high = _wilson(hits, known)
            ends.append(high if single else hits / known)
            if single:
                axes.plot([low, high], [place, place], color=colour, linewidth=1.3, alpha=0.45, zorder=2)
            axes.scatter([hits / known], [place], s=30, color=colour, linewidths=0, zorder=3, alpha=1 if single else 0.85)
        if not single:
            axes.annotate(
                f"● {names[series]}", (0, len(patterns) - 0.5), xytext=(0, -24 - 12 * series), textcoords="offset points",
                ha="left", va="top", fontsize=_SIZE, color=colour, annotation_clip=False,
            )  # fmt: skip
    _, members, labelled = facts.rated[0]
    if single and labelled.any():
        axes.axvline(members.sum() / labelled.sum(), color=_MUTED, linewidth=0.9, linestyle=(0, (3, 3)), zorder=1)
    end = min(1.0, max(ends))
    axes.set_xlim(-0.03 * end, end * 1.03)
    axes.set_xticks(ticks := _ticks(end), [f"{tick * 100:g}" for tick in ticks], fontsize=_SIZE - 1, color=_MUTED)
    axes.tick_params(pad=2, labelcolor=_MUTED)


def _wilson(hits: int, known: int) -> tuple[float, float]:
    """95 % Wilson interval of a share."""
    z = 1.96
    share = hits / known
    centre = (share + z * z / (2 * known)) / (1 + z * z / known)
    half = z / (1 + z * z / known) * np.sqrt(share * (1 - share) / known + z * z / (4 * known * known))
    return max(0.0, centre - half), min(1.0, centre + half)


def _ticks(end: float) -> list[float]:
    step = next(step for step in (0.01, 0.02, 0.05, 0.1, 0.25, 0.5) if end / step <= 5)
    return [number * step for number in range(int(end / step) + 1)]


def _column_title(axes: Axes, title: str) -> None:
    axes.annotate(
        title, (0, 1), xycoords="axes fraction", xytext=(0, 4), textcoords="offset points", ha="left", va="bottom",
        fontsize=_SIZE, color=_MUTED, annotation_clip=False,
    )  # fmt: skip


def _bands(axes: Axes, rows: int) -> None:
    for place in range(0, rows, 2):
        axes.axhspan(place - 0.5, place + 0.5, color=_BAND, linewidth=0, zorder=0)
