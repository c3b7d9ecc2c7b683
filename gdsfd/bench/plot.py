"""Plots of benchmark results."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from gdsfd.bench.table import gibibytes, seconds_text
from gdsfd.result_lines import Line

__all__ = ["plot_bars", "plot_bench", "plot_sweep"]

_INK, _MUTED, _GRID = "#22313a", "#7b8a94", "#dde4e9"
_COLOURS = {"auto": "#12617f", "gdsfd": "#12617f", "plain pyg": "#c8553d", "bare products": "#7b8a94"}
_OTHERS = ("#3d7a5c", "#8661a8", "#b98a1d", "#4a6fa5", "#7d5a4f", "#5f8f8b")
_AXES = {"patients": "patients", "modalities": "hubs", "density": "density", "channels": "channels"}


def plot_bench(lines: Sequence[Line], path: str | Path) -> Figure:
    """Draws what the lines hold: curves where one size varies over at least three values, otherwise bars.

    Args:
        lines: Of one benchmark.
        path: Where to save (SVG, PNG, PDF by its ending).

    Returns:
        A figure of its own, unknown to pyplot.
    """
    for size in _AXES:
        if len({line["shape"].get(size) for line in lines} - {None}) >= 3:
            figure = plot_sweep(lines, size)
            break
    else:
        figure = plot_bars(lines)
    figure.savefig(path, bbox_inches="tight", pad_inches=0.15)
    return figure


def plot_sweep(lines: Sequence[Line], size: str) -> Figure:
    """Edges (or patients) per second over one size; a panel per part and mode, a curve per contestant.

    The band is the quartiles.

    Args:
        lines: Lines that differ in ``size``.
        size: ``patients``, ``modalities``, ``density`` or ``channels``.
    """
    panels = _groups(lines)
    figure = Figure(figsize=(4.6 * len(panels), 3.5), facecolor="white", layout="constrained")
    axes = figure.subplots(1, len(panels), squeeze=False)[0]
    for place, (title, members) in enumerate(panels.items()):
        panel = axes[place]
        _style(panel, title)
        for contestant, colour in _colours(members).items():
            mine = [line for line in members if line["contestant"] == contestant]
            mine.sort(key=lambda line: float(line["shape"][size]))
            at = [line["shape"][size] for line in mine]
            work = [line["shape"].get("edges", line["shape"]["patients"]) / 1e6 for line in mine]
            middle = [amount / line["seconds"] for amount, line in zip(work, mine)]
            low = [amount / line["seconds_high"] for amount, line in zip(work, mine)]
            high = [amount / line["seconds_low"] for amount, line in zip(work, mine)]
            panel.fill_between(at, low, high, color=colour, alpha=0.15, linewidth=0)
            dashed = "--" if contestant == "bare products" else "-"
            panel.plot(at, middle, dashed, color=colour, marker="o", markersize=3.5, linewidth=1.6, label=contestant)
        if size != "density":
            panel.set_xscale("log")
            ticks = sorted({line["shape"][size] for line in members})
            panel.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
            panel.xaxis.set_minor_locator(NullLocator())
        panel.set_xlabel(_AXES[size], color=_INK)
        panel.set_ylim(bottom=0)
        panel.set_ylabel("million edges per second" if place == 0 else "", color=_INK)
    axes[0].legend(frameon=False, fontsize=8, loc="best")
    return figure


def plot_bars(lines: Sequence[Line]) -> Figure:
    """Median seconds per contestant with quartiles and, where measured, own memory; a panel per shape and mode."""
    panels = _groups(lines, by_shape=True)
    tallest = max(len(members) for members in panels.values())
    height = 0.6 + 0.28 * tallest
    columns = 2 if len(panels) > 1 else 1
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(6.2 * columns, height * rows + 0.3), facecolor="white", layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).flatten()
    for panel in axes[len(panels) :]:
        panel.set_axis_off()
    for panel, (title, members) in zip(axes, panels.items()):
        _style(panel, title)
        ordered = sorted(members, key=lambda line: -line["seconds"])
        colours = _colours(members)
        places = range(len(ordered))
        seconds = [line["seconds"] for line in ordered]
        spread = [
            [line["seconds"] - line["seconds_low"] for line in ordered],
            [line["seconds_high"] - line["seconds"] for line in ordered],
        ]
        drawn = [colours[line["contestant"]] for line in ordered]
        panel.barh(places, seconds, xerr=spread, color=drawn, height=0.66, error_kw={"ecolor": _INK, "elinewidth": 0.8})
        panel.set_yticks(places, [line["contestant"] for line in ordered])
        panel.set_ylim(-0.6, tallest - 0.4)
        for place, line in zip(places, ordered):
            memory = f", {gibibytes(line['step_bytes'])}" if "step_bytes" in line else ""
            text = f" {seconds_text(line['seconds'])}{memory}"
            panel.annotate(text, (line["seconds_high"], place), va="center", fontsize=7.5, color=_INK)
        panel.set_xlim(0, max(line["seconds_high"] for line in ordered) * 1.35)
        panel.set_xlabel("seconds", color=_INK, fontsize=8)
    return figure


def _groups(lines: Sequence[Line], by_shape: bool = False) -> dict[str, list[Line]]:
    groups: dict[str, list[Line]] = {}
    for line in lines:
        shape = line["shape"]
        words = [str(line[key]) for key in ("part", "mode") if key in line]
        if by_shape:
            words += [f"{shape['patients']:,} patients"]
            words += [f"{shape['modalities']} hubs"] if "modalities" in shape else [f"{shape['events']:,} events"]
        groups.setdefault(", ".join(words), []).append(line)
    return groups


def _colours(lines: Sequence[Line]) -> dict[str, str]:
    names = list(dict.fromkeys(line["contestant"] for line in lines))
    others = [name for name in names if name not in _COLOURS]
    return {name: _COLOURS.get(name) or _OTHERS[others.index(name) % len(_OTHERS)] for name in names}


def _style(panel: Axes, title: str) -> None:
    panel.set_title(title, fontsize=9, color=_INK, loc="left")
    panel.tick_params(labelsize=8, colors=_INK, length=2)
    panel.grid(color=_GRID, linewidth=0.6)
    panel.set_axisbelow(True)
    for side in ("top", "right"):
        panel.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        panel.spines[side].set_color(_MUTED)
