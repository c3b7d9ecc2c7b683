"""A comparison as one self-contained page, ``compare.html`` (a jinja2 template)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from gdsfd._version import __version__
from gdsfd.comparison.fits import MATCHED, ORACLE, REFERENCE
from gdsfd.comparison.narrative import design_sentences
from gdsfd.comparison.statistics import MARGIN, Paired
from gdsfd.comparison.summary import Design, Row, Table, is_forced
from gdsfd.comparison.tradeoff_plot import SHAPES, Mark, shape_path, tradeoff_plot
from gdsfd.evaluation.report.numbers import count, number

__all__ = ["page"]

_STYLES = {"full": "full", "dfd": "dfd", "strata": "strata", MATCHED: "matched", ORACLE: "oracle"}


def page(designs: Sequence[Design], facts: Mapping[str, str], notes: Sequence[str] = (), margin: float = MARGIN) -> str:
    """The page.

    Args:
        designs: What was compared.
        facts: Settings to list, name -> text.
        notes: What a reader has to know beside the figures.
        margin: Difference in AUROC that counts as none.

    Returns:
        HTML without any reference to another file or site.
    """
    left_out = any(design.holdouts for design in designs)
    return _template().render(
        version=__version__,
        subtitle=_subtitle(designs),
        designs=[_design(design) for design in designs],
        facts=dict(facts),
        notes=list(notes),
        margin=f"{margin:g}",
        left_out=left_out,
        pairs="seeds",
    )


@cache
def _template() -> Any:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["number"] = number
    return environment.from_string(files("gdsfd.comparison").joinpath("compare.html").read_text(encoding="utf-8"))


def _subtitle(designs: Sequence[Design]) -> str:
    backbones = dict.fromkeys(
        row.backbone for design in designs for table in design.tables.values() for row in table.rows if row.backbone
    )
    seeds = max((len(design.seeds) for design in designs), default=0)
    parts = [count(len(designs), "design"), count(len(backbones), "backbone"), count(seeds, "seed")]
    if any(design.holdouts for design in designs):
        parts.append("each environment left out in turn")
    return ", ".join(parts) + "."


def _design(design: Design) -> dict[str, Any]:
    order = dict.fromkeys(split for split in (design.shifted, design.alike, *design.tables) if split in design.tables)
    marks, legend = _marks(design)
    about = [count(len(design.seeds), "seed")]
    if design.holdouts:
        about.append(f"environments left out in turn: {', '.join(design.holdouts)}")
    return {
        "name": design.name,
        "about": "; ".join(about) + ".",
        "sentences": design_sentences(design),
        "alike": design.alike,
        "shifted": design.shifted,
        "has_oracle": any(mark.shape == "star" for mark in marks),
        "plane": Markup(
            tradeoff_plot(
                marks,
                f"change in AUROC on {_split_words(design, design.alike)}",
                f"change in AUROC on {_split_words(design, design.shifted)}",
                "Cost where nothing has shifted against gain where something has",
            )
        )
        if marks
        else "",
        "legend": legend,
        "tables": [_table(design, design.tables[split]) for split in order if split is not None],
        "holdouts": design.holdouts,
        "by_holdout": _by_holdout(design),
    }


def _split_words(design: Design, split: str | None) -> str:
    if design.holdouts and split == "test":
        return "held-out environments"
    return f"“{split}”"


def _marks(design: Design) -> tuple[list[Mark], list[dict[str, str]]]:
    """The marks of the plane and what their colours and shapes mean."""
    if design.shifted is None or design.alike not in design.tables or design.shifted not in design.tables:
        return [], []
    alike, shifted = design.tables[design.alike], design.tables[design.shifted]
    backbones = list(dict.fromkeys(row.backbone for row in shifted.rows if row.backbone))
    shape = {backbone: SHAPES[number % len(SHAPES)] for number, backbone in enumerate(backbones)}
    marks, seen = [], {}
    for row in shifted.rows:
        beside = alike.row(row.backbone, row.arm)
        if row.minus_erm is None or beside is None or beside.minus_erm is None:
            continue
        style = _style(row.arm)
        label = f"{row.label} on {row.backbone}"
        marks.append(
            Mark(_ends(beside.minus_erm), _ends(row.minus_erm), style, shape[row.backbone], label, is_forced(row.arm))
        )
        if not is_forced(row.arm):
            seen[row.arm] = style
    oracle = shifted.row("", ORACLE), alike.row("", ORACLE)
    for backbone in backbones:
        erm = shifted.row(backbone, REFERENCE), alike.row(backbone, REFERENCE)
        if oracle[0] is None or oracle[1] is None or erm[0] is None or erm[1] is None:
            continue
        y, x = (
            one.means["auroc"].value - other.means["auroc"].value for one, other in zip(oracle, erm) if one and other
        )
        alone = (math.nan, math.nan)
        marks.append(Mark((x, *alone), (y, *alone), "oracle", "star", f"oracle, seen from ERM on {backbone}"))
    legend = [{"style": style, "path": shape_path("circle", 9, 9), "label": arm} for arm, style in seen.items()]
    if len(backbones) > 1:
        legend += [
            {"style": "origin", "path": shape_path(form, 9, 9), "label": backbone} for backbone, form in shape.items()
        ]
    if any(mark.shape == "star" for mark in marks):
        legend.append({"style": "oracle", "path": shape_path("star", 9, 9), "label": ORACLE})
    return marks, legend


def _ends(gap: Paired) -> tuple[float, float, float]:
    return gap.mean, gap.low, gap.high


def _style(arm: str) -> str:
    return _STYLES.get(arm.removesuffix(" (forced)"), "other")


def _table(design: Design, table: Table) -> dict[str, Any]:
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in table.rows:
        groups.setdefault(row.backbone or "On the flattened table, and the truth", []).append(_row(row))
    title = f"On {_split_words(design, table.split)}"
    if table.split == "tuning":
        title += " (the epoch was chosen on them)"
    return {
        "title": title,
        "groups": [{"name": name, "rows": rows} for name, rows in groups.items()],
        "matched": any(row.minus_matched is not None for row in table.rows),
        "boosting": any(row.minus_boosting is not None for row in table.rows),
        "oracle": any(row.closed.defined for row in table.rows),
    }


def _row(row: Row) -> dict[str, Any]:
    gap = row.minus_erm
    seeds = []
    if gap is not None:
        seeds = [f"{gap.wins} up, {gap.losses} down of {gap.n}"]
        tests = [("TOST", gap.p_equivalent), ("Holm", gap.p_adjusted)]
        seeds += [f"{name} p {_p(p)}" for name, p in tests if math.isfinite(p)]
    guard = row.guard
    return {
        "arm": "ERM (none)" if row.arm == REFERENCE else row.label,
        "kind": "erm" if row.arm == REFERENCE else "forced" if is_forced(row.arm) else "",
        "auroc": row.means["auroc"],
        "auprc": row.means["auprc"],
        "minus_erm": gap,
        "minus_erm_auprc": row.minus_erm_auprc,
        "minus_matched": row.minus_matched,
        "minus_boosting": row.minus_boosting,
        "closed": row.closed,
        "verdict": row.verdict,
        "seeds": seeds,
        "guard": f"{guard.used} of {guard.fits}{f', {guard.failed} failed' if guard.failed else ''}" if guard else "",
    }


def _p(value: float) -> str:
    return "< .001" if value < 0.001 else f"{value:.3f}".lstrip("0")


def _by_holdout(design: Design) -> list[dict[str, Any]]:
    if not design.holdouts or design.shifted not in design.tables:
        return []
    rows = []
    for row in design.tables[design.shifted].rows:
        name = f"{row.label}, {row.backbone}" if row.backbone else row.label
        found = [row.by_holdout[holdout] for holdout in design.holdouts]
        figure = row.minus_erm is None
        rows.append(
            {
                "name": f"{name}: AUROC itself" if figure else name,
                "figure": figure,
                "cells": [one[0] if figure else one[1] for one in found],
            }
        )
    return rows
