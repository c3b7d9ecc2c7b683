"""How many patients' flattened tables baselines hold at once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from gdsfd.cohort.schema import CohortSchema
from gdsfd.graph.flatten import flat_width

__all__ = ["fitted_rows", "most_rows", "pieces"]

Rows = NDArray[np.int64]

#: Of a flattened table. What fits on it holds several copies, some in double precision.
MOST_BYTES = 2**28


def most_rows(schema: CohortSchema) -> int:
    """The most patients whose flattened tables are held at once: 167,000 of a cohort with 400 columns."""
    return max(MOST_BYTES // (4 * max(flat_width(schema), 1)), 1)


def fitted_rows(rows: Rows, schema: CohortSchema) -> Rows:
    """The patients that a baseline is fitted on: all of these, or as many as may be held, drawn at random once for all.

    Args:
        rows: Rows of the graph; int64 [n].
        schema: The graph's.

    Returns:
        Some of ``rows``, in their order; the same at every call.
    """
    most = most_rows(schema)
    if len(rows) <= most:
        return rows
    return rows[np.sort(np.random.default_rng(0).choice(len(rows), most, replace=False))]


def pieces(rows: Rows, schema: CohortSchema) -> Iterator[Rows]:
    """All of these patients, as many at a time as may be held; at least one piece, which may be empty."""
    most = most_rows(schema)
    for first in range(0, max(len(rows), 1), most):
        yield rows[first : first + most]
