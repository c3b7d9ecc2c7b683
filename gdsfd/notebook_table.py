"""A small HTML table of facts, as a notebook shows an object."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

__all__ = ["notebook_table"]


def notebook_table(title: str, facts: Mapping[str, object]) -> str:
    """A title and a table of two columns; every text is escaped.

    Args:
        title: What the object is.
        facts: Name -> what is shown of it, as text.

    Example:
        >>> notebook_table("Debiaser", {"backbone": "<muse>"})
        '<div><strong>Debiaser</strong><table><tr><th>backbone</th><td>&lt;muse&gt;</td></tr></table></div>'
    """
    rows = "".join(f"<tr><th>{escape(name)}</th><td>{escape(str(fact))}</td></tr>" for name, fact in facts.items())
    return f"<div><strong>{escape(title)}</strong><table>{rows}</table></div>"
