"""The picture of who has what: presence by environment beside the most frequent missingness patterns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch_geometric.data import HeteroData

from gdsfd.cohort.patient_facts import PatientFacts
from gdsfd.cohort.receipt.text_table import percent
from gdsfd.graph.availability import facts_of_graph, members_by
from gdsfd.graph.plot_layout import Layout, plain
from gdsfd.graph.plot_panels import MAX_SERIES, draw_counts, draw_dots, draw_rates, draw_shares

__all__ = ["plot_presence"]

MAX_ROWS = 25  #: environments shown on their own; the smaller ones are pooled in one row
MIN_PATTERNS, MAX_PATTERNS = 10, 25


def plot_presence(graph: HeteroData, path: str | Path | None = None, by: str = "environment") -> Figure:
    """Draws who has what.

    Left, the share of patients with each modality by environment, the largest first; a modality that nobody there has
    stands out in red. Right, the most frequent sets of modalities, how many patients have exactly that set, and their
    outcome rate with a 95 % Wilson interval (several outcomes, or classes: a point for each).

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
    names = [plain(name) for name in facts.modalities]
    labels, sizes, bold, shares = _rows(facts, members_by(graph, facts, by))
    flags, pattern = facts.patterns
    shown = min(len(flags), int(np.clip(len(labels), MIN_PATTERNS, MAX_PATTERNS)))
    counts = np.bincount(pattern, minlength=shown)[:shown].tolist()
    texts = [f"{count:,}  ({percent(count / len(pattern))})" for count in counts]
    rated = [plain(name) for name, _, _ in facts.rated]
    title = f"{rated[0]} rate, % (dashed: all)" if len(rated) == 1 else "outcome rates, %"
    layout = Layout.of(names, labels, sizes, texts, title, min(len(rated), MAX_SERIES), max(len(labels), shown))
    figure = Figure(figsize=(layout.width, layout.height), facecolor="white")
    corner = plain(graph.schema.environment or by if by == "environment" else by)
    heat = layout.axes(figure, layout.heat_left, layout.matrix_width, len(labels))
    draw_shares(heat, layout, names, corner, labels, sizes, bold, shares)
    rest = len(pattern) - sum(counts)
    more = (
        f"{len(flags) - shown:,} further patterns: {rest:,} patients ({percent(rest / len(pattern))})" if rest else ""
    )
    draw_dots(layout.axes(figure, layout.dots_left, layout.matrix_width, shown), layout, names, flags[:shown], more)
    draw_counts(layout.axes(figure, layout.bars_left, layout.bars_width, shown), counts, texts)
    if rated:
        hits = np.stack([np.bincount(pattern[members], minlength=shown)[:shown] for _, members, _ in facts.rated], 1)
        known = np.stack([np.bincount(pattern[labelled], minlength=shown)[:shown] for *_, labelled in facts.rated], 1)
        total = next(iter(facts.rates().values()))
        rates = layout.axes(figure, layout.rates_left, layout.rates_width, shown)
        draw_rates(rates, title, rated, hits, known, float("nan") if total is None else total)
    if path is not None:
        figure.savefig(path, dpi=160, bbox_inches="tight", pad_inches=0.15)
    return figure


def _rows(
    facts: PatientFacts, members: dict[str, NDArray[np.bool_]]
) -> tuple[list[str], list[str], list[bool], NDArray[np.float64]]:
    """Labels, numbers of patients, whether it is a total, and shares: all patients, environments, the pooled rest."""
    listed = list(members.items())
    # One environment too many is shown rather than pooled alone.
    single = listed if len(listed) <= MAX_ROWS + 1 else listed[:MAX_ROWS]
    rows = [("all patients", np.ones(len(facts.split), bool), True)]
    rows += [(plain(label), mask, False) for label, mask in single]
    if len(single) < len(listed):
        pooled = np.any([mask for _, mask in listed[len(single) :]], axis=0)
        rows.append((f"{len(listed) - len(single)} smaller ones", pooled, True))
    shares = np.stack([facts.presence[mask].sum(0) / max(int(mask.sum()), 1) for _, mask, _ in rows])
    return [row[0] for row in rows], [f"{int(row[1].sum()):,}" for row in rows], [row[2] for row in rows], shares
