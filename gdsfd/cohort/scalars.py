"""Values that a spec declares, as numbers."""

from __future__ import annotations

__all__ = ["parse_scalar"]


def parse_scalar(value: object) -> float | None:
    """A declared value as a number, or None: ``-1``, ``"-1"`` and ``-1.0`` are equal.

    Example:
        >>> parse_scalar("-1"), parse_scalar(-1.0), parse_scalar("none")
        (-1.0, -1.0, None)
    """
    if isinstance(value, str) and "_" in value:
        return None
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None
