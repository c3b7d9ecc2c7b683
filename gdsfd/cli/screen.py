"""What fits on the screen: on a terminal text is set to its width; elsewhere it is as long as it is."""

from __future__ import annotations

import shutil
import sys
import textwrap

__all__ = ["paragraph", "screen_width"]

#: Narrower than this, tables would be torn to pieces.
NARROWEST = 60


def screen_width(most: int | None = None) -> int | None:
    """Columns that stdout shows.

    Args:
        most: As many at most, and as many where stdout is no terminal.

    Returns:
        The columns; None where stdout is no terminal and ``most`` is None.
    """
    if not sys.stdout.isatty():
        return most
    columns = max(NARROWEST, shutil.get_terminal_size().columns)
    return columns if most is None else min(columns, most)


def paragraph(text: str, indent: str = "", hanging: str | None = None) -> str:
    """A paragraph, broken at words on a terminal; one line elsewhere, so that whatever reads it finds it whole.

    Args:
        text: The paragraph.
        indent: What its lines begin with.
        hanging: What all but the first begin with; None = as the first.
    """
    width = screen_width()
    if width is None:
        return indent + text
    return textwrap.fill(
        text,
        width,
        initial_indent=indent,
        subsequent_indent=indent if hanging is None else hanging,
        break_long_words=False,
        break_on_hyphens=False,
    )
