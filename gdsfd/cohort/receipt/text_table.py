"""Aligned plain-text tables that fit a width: wide cells wrap, too many columns continue below."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

__all__ = ["WIDTH", "count_and_share", "percent", "text_table", "wrapped"]

WIDTH = 110  #: columns of text

_GAP = "  "


def percent(share: float | None) -> str:
    """A share as text; a dash for an unknown one.

    Example:
        >>> percent(0.3214), percent(None), percent(0.0), percent(0.00004)
        ('32.1%', '–', '0.0%', '<0.1%')
    """
    if share is None:
        return "–"
    return "<0.1%" if 0 < share < 0.0005 else f"{share:.1%}"


def count_and_share(count: int, of: int) -> str:
    """A count with its share.

    Example:
        >>> count_and_share(1200, 2400)
        '1,200 (50.0%)'
    """
    return f"{count:,} ({percent(count / of if of else None)})"


def wrapped(text: str, indent: str = "", hanging: str | None = None, width: int = WIDTH) -> list[str]:
    """A paragraph as lines of at most ``width`` columns. Nothing is cut off: a word too long for a line is split.

    Args:
        text: The paragraph.
        indent: What the first line begins with.
        hanging: What further lines begin with; None = as many blanks as ``indent`` is long.
        width: Columns.
    """
    further = " " * len(indent) if hanging is None else hanging
    return textwrap.wrap(text, width, initial_indent=indent, subsequent_indent=further, break_on_hyphens=False) or [
        indent
    ]


def text_table(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    left: Sequence[int] = (0,),
    indent: str = "  ",
    width: int = WIDTH,
) -> list[str]:
    """An aligned table.

    Args:
        header: Names of the columns; the first column names the row.
        rows: Cells as text, one per column.
        left: Columns flushed left; the others are flushed right.
        indent: What every line begins with.
        width: Columns of text that the table has to fit. Columns that do not fit follow in a further block, with the
            first column again.

    Returns:
        The lines, none longer than ``width``.
    """
    limits = [(width - len(indent) - len(_GAP)) // 2] * len(
        header
    )  # so the first column and any other fit side by side
    if len(header) - 1 in left:  # a last column of words takes what the others leave
        others = sum(max(len(row[column]) for row in [header, *rows]) + len(_GAP) for column in range(len(header) - 1))
        limits[-1] = max(limits[-1], width - len(indent) - others)
    cells = [[_cut(cell, limit) for cell, limit in zip(row, limits, strict=True)] for row in [header, *rows]]
    widths = [max(len(line) for row in cells for line in row[column]) for column in range(len(header))]
    lines: list[str] = []
    for block in _blocks(widths, width - len(indent)):
        if lines:
            lines.append("")
        for row in cells:
            for part in range(max(len(row[column]) for column in block)):
                texts = [row[column][part] if part < len(row[column]) else "" for column in block]
                padded = [
                    text.ljust(widths[column]) if column in left else text.rjust(widths[column])
                    for text, column in zip(texts, block, strict=True)
                ]
                lines.append((indent + _GAP.join(padded)).rstrip())
    return lines


def _cut(cell: str, limit: int) -> list[str]:
    """A cell as lines of at most ``limit`` columns."""
    return textwrap.wrap(cell, limit, break_on_hyphens=False) or [""]


def _blocks(widths: Sequence[int], room: int) -> list[list[int]]:
    """Columns that fit beside the first one, block by block; a block has at least one."""
    blocks = [[0]]
    used = widths[0]
    for column in range(1, len(widths)):
        needed = len(_GAP) + widths[column]
        if used + needed > room and len(blocks[-1]) > 1:
            blocks.append([0])
            used = widths[0]
        blocks[-1].append(column)
        used += needed
    return blocks
