"""A study as one self-contained page, ``report.html``."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from numbers import Integral
from typing import Any

import pandas as pd
from jinja2 import Environment, StrictUndefined

from gdsfd._version import __version__
from gdsfd.evaluation.report.numbers import count, number
from gdsfd.fusion_study.answer import Answer, Material
from gdsfd.fusion_study.captions import caption_of

__all__ = ["report"]

#: Columns that count patients, whatever type they came in.
_COUNTS = ("patients", "effective", "n", "events")

#: Rows of a table that the page shows; the file has them all.
MOST_ROWS = 40


def report(material: Material, answers: Sequence[Answer], versions: Mapping[str, str]) -> str:
    """The page.

    Args:
        material: What the answers were made from.
        answers: One per question.
        versions: Of the packages.

    Returns:
        HTML without any reference to another file or site.
    """
    plan = material.plan
    train, test = material.sizes
    facts = {
        "hash of the plan, written before any fit": plan.hash,
        "fitted": ", ".join(each.name for each in plan.contenders),
        "seeds": ", ".join(map(str, plan.seeds)),
        "patients of a fit": f"{train:,} to train on, {test:,} to judge by",
        "conditions": ", ".join(plan.conditions),
        "groups": ", ".join(plan.groups) or "none",
        "settings": ", ".join(f"{key} = {value}" for key, value in dict(plan.settings or {}).items()) or "defaults",
        "versions": ", ".join(f"{name} {words}" for name, words in versions.items()),
    }
    return str(
        _template().render(
            title=f"Fusion of modalities to predict {', '.join(material.predictions['target'].unique())}",
            answers=[
                {**vars(each), "question": each.question, "tables": _tables(each), "figures": _pictures(each)}
                for each in answers
            ],
            subtitle=(
                f"{count(len(plan.contenders), 'model')}, {count(len(plan.modalities), 'modality', 'modalities')}, "
                f"{count(len(plan.seeds), 'seed')}, {test:,} test patients."
            ),
            margin=f"{plan.margin:g}",
            splits=not material.one_split,
            seeds=len(plan.seeds),
            facts=facts,
            version=__version__,
        )
    )


@cache
def _template() -> Any:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(files("gdsfd.fusion_study").joinpath("study.html").read_text(encoding="utf-8"))


def _pictures(answer: Answer) -> list[dict[str, Any]]:
    return [{"caption": caption_of(name), "svg": picture} for name, picture in answer.figures.items()]


def _tables(answer: Answer) -> list[dict[str, Any]]:
    """Captions, columns and cells as texts; a figure and its two ends stand in one cell."""
    found = []
    for name, table in answer.tables.items():
        ends = {f"{column}{end}" for column in table.columns for end in ("_low", "_high")} & set(table.columns)
        names = [str(column) for column in table.columns if column not in ends and not _empty(table[column])]
        caption = caption_of(name)
        columns = [
            {"name": caption.heading(each), "numeric": pd.api.types.is_numeric_dtype(table[each])} for each in names
        ]
        rows = [[_cell(row, each) for each in names] for row in table.head(MOST_ROWS).to_dict("records")]
        more = f" (the first {MOST_ROWS} of {len(table)} rows)" if len(table) > MOST_ROWS else ""
        found.append({"caption": caption, "more": more, "columns": columns, "rows": rows})
    return found


def _empty(column: pd.Series) -> bool:
    """Whether nothing is said in a column of words, as where there is no warning."""
    return len(column) > 0 and not pd.api.types.is_numeric_dtype(column) and all(each in ("", None) for each in column)


def _cell(row: Mapping[Any, Any], name: str) -> str:
    value = row[name]
    if name in _COUNTS and isinstance(value, float) and math.isfinite(value):
        return f"{value:,.0f}"
    if isinstance(value, bool) or not isinstance(value, (int, float, Integral)):
        return "" if value is None else str(value)
    if isinstance(value, Integral):
        return f"{int(value):,}"
    low, high = (float(row.get(f"{name}{end}", math.nan)) for end in ("_low", "_high"))
    text = number(float(value))
    return f"{text} [{number(low)}, {number(high)}]" if math.isfinite(low) else text
