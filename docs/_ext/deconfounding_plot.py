"""Ablations of the prototypes as pictures: AUROC minus ERM over the setting that is varied."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence

import numpy as np
from deconfounding_arms import REFERENCE, Point, curves
from deconfounding_fits import Study, mechanism_words
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

_INK, _MUTED, _GRID = "#22313a", "#7b8a94", "#dde4e9"
_COLOURS = ("#12617f", "#c8553d", "#3d7a5c", "#8661a8", "#b98a1d", "#4a6fa5", "#7d5a4f", "#5f8f8b")
_FIGURES = {"silent": "tested under MCAR and MAR", "alike": "tested as trained"}


def panels_of(studies: Sequence[Study], ablation: str) -> list[tuple[Study, str, dict[str, list[Point]]]]:
    """A panel per study and mechanism trained under, with the curves that have two points or more there."""
    found = []
    for study in studies:
        for trained in study.trained:
            measured = [arm for arm in study.arms if study.gap(arm, REFERENCE, trained, "alike").n]
            shown = curves(measured, ablation)
            if shown:
                found.append((study, trained, shown))
    return found


def plot_ablation(studies: Sequence[Study], ablation: str) -> Figure | None:
    """Draws an ablation; None where nothing is measured.

    Points are means over seeds, bars 95 % t intervals of the paired difference: filled under MCAR and MAR, hollow
    under the mechanism trained under. Each curve has a colour; the default's label is in bold.

    Args:
        studies: The fits.
        ablation: Its name.
    """
    panels = panels_of(studies, ablation)
    if not panels:
        return None
    widest = max(len(_labels(shown)) for *_, shown in panels)
    columns = min(len(panels), 2 if widest <= 6 else 1)
    rows = math.ceil(len(panels) / columns)
    names = list(dict.fromkeys(curve for *_, shown in panels for curve in shown))
    width = max(6.2, min(1.4 + 1.25 * widest * columns, 11))
    figure = Figure(figsize=(width, 2.9 * rows + 0.25 * len(names) + 0.5), facecolor="white", layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, sharey="row").flatten()
    several = len({id(study) for study, *_ in panels}) > 1
    for panel, (study, trained, shown) in zip(axes, panels):
        name = f"{study.design}, {study.backbone}: " if several else ""
        _style(panel, f"{name}trained under {mechanism_words(trained)}")
        _draw(panel, study, trained, shown, names)
    for panel in axes[len(panels) :]:
        panel.set_visible(False)
    for panel in axes[::columns]:
        panel.set_ylabel("AUROC minus ERM", color=_INK, fontsize=8.5)
    _legend(figure, axes[0], names)
    return figure


def svg_of(figure: Figure, label: str) -> str:
    """A figure as SVG to stand in a page, the same bytes at every build.

    Args:
        figure: The figure.
        label: What it shows, for those who cannot see it.
    """
    picture = io.StringIO()
    with rc_context({"svg.hashsalt": label, "svg.fonttype": "path"}):
        figure.savefig(picture, format="svg", metadata={"Date": None})
    svg = picture.getvalue()
    start = f'<svg role="img" aria-label="{label}" style="max-width: 100%; height: auto"'
    return svg[svg.index("<svg") :].replace("<svg", start, 1)


def _draw(panel: Axes, study: Study, trained: str, shown: dict[str, list[Point]], names: Sequence[str]) -> None:
    labels = _labels(shown)
    places = {label: place for place, label in enumerate(labels)}
    marks = len(shown) * len(_FIGURES)
    step = min(0.16, 0.8 / marks)
    for row, (curve, points) in enumerate(shown.items()):
        colour = _COLOURS[names.index(curve) % len(_COLOURS)]
        for column, figure in enumerate(_FIGURES):
            shift = (row * len(_FIGURES) + column - (marks - 1) / 2) * step
            gaps = [study.gap(point.arm, REFERENCE, trained, figure) for point in points]
            at = np.array([places[point.label] + shift for point in points])
            mean = np.array([gap.mean for gap in gaps])
            low = np.array([mean - gap.low if math.isfinite(gap.low) else 0.0 for gap, mean in zip(gaps, mean)])
            panel.errorbar(
                at,
                mean,
                yerr=low,  # t intervals are symmetric
                fmt="o-" if all(point.number is not None for point in points) and not column else "o",
                color=colour,
                markerfacecolor=colour if not column else "white",
                alpha=1.0 if not column else 0.75,
                markersize=4.5,
                linewidth=1.1,
                capsize=2,
            )
    panel.axhline(0, color=_MUTED, linewidth=0.9)
    panel.set_xticks(range(len(labels)), [_wrapped(label) for label in labels])
    panel.set_xlim(-0.6, len(labels) - 0.4)
    defaults = {point.label for points in shown.values() for point in points if point.default}
    for text, label in zip(panel.get_xticklabels(), labels):
        text.set_fontweight("bold" if label in defaults else "normal")


def _labels(shown: dict[str, list[Point]]) -> list[str]:
    """The values varied, in order, over all curves."""
    order = {point.label: point.order for points in shown.values() for point in points}
    return sorted(order, key=lambda label: order[label])


def _wrapped(label: str) -> str:
    return label.replace(", ", ",\n").replace(" × ", " ×\n").replace(" (", "\n(")


def _style(panel: Axes, title: str) -> None:
    panel.set_title(title, loc="left", fontsize=9.5, color=_INK)
    panel.grid(axis="y", color=_GRID, linewidth=0.7)
    panel.set_axisbelow(True)
    panel.tick_params(length=0, labelsize=8, colors=_INK)
    for side in panel.spines.values():
        side.set_visible(False)


def _legend(figure: Figure, panel: Axes, names: Sequence[str]) -> None:
    handles = [
        panel.plot([], [], "o-", color=_COLOURS[number % len(_COLOURS)], markersize=4.5, label=name)[0]
        for number, name in enumerate(names)
    ]
    for number, words in enumerate(_FIGURES.values()):
        fill = "white" if number else _MUTED
        handles += panel.plot([], [], "o", color=_MUTED, markerfacecolor=fill, markersize=4.5, label=words)
    figure.legend(
        handles=handles, loc="outside lower left", ncols=2, frameon=False, fontsize=8, labelcolor=_INK, borderaxespad=0
    )
