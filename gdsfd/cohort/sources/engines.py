"""The engines that the rows of a build may go through."""

from __future__ import annotations

from typing import Any

from gdsfd.errors import InputError, cell_text

__all__ = ["ENGINES", "checked_engine"]

ENGINES = ("duckdb", "spark")


def checked_engine(engine: Any, default: str) -> Any:
    """An engine, once it is known to be one.

    Args:
        engine: ``"duckdb"``, ``"spark"``, a Spark session, or None for the default.
        default: What the spec says.

    Raises:
        InputError: It is something else.

    Example:
        >>> checked_engine(None, "spark")
        'spark'
    """
    if engine is None:
        return default
    if engine in ENGINES or type(engine).__module__.startswith("pyspark.sql"):
        return engine
    raise InputError(f"engine: expected 'duckdb', 'spark' or a Spark session, got {cell_text(str(engine))}")
