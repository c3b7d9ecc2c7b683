"""A table with holes made fit for a linear model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdsfd.baselines.labels import Floats

__all__ = ["Standardiser"]

#: What a standardiser consists of.
ARRAYS = ("columns", "low", "median", "high", "flags", "mean", "scale", "varying")


class Standardiser:
    """Makes a table with holes fit for a linear model.

    Per column, all from the training rows: values are cut at the 1st and 99th percentile (one typing error must not
    carry a coefficient), holes are filled with the median, and the column is scaled to mean 0 and variance 1. Columns
    with holes get a flag; equal flags (mean, min and max of one lab) are kept once, constant columns not at all.

    Args:
        x: Training rows, NaN = not measured; [n, F].
    """

    def __init__(self, x: NDArray[np.float32]) -> None:
        measured = np.isfinite(x)
        self.columns = np.flatnonzero(measured.any(0))
        kept = x[:, self.columns].astype(np.float64)
        # numpy's quantiles of a table without columns have no shape worth unpacking.
        quantiles = np.nanquantile(kept, [0.01, 0.5, 0.99], axis=0) if len(self.columns) else np.empty((3, 0))
        self.low, self.median, self.high = quantiles
        # A rare 0/1 column has both percentiles at 0; cutting there would erase it.
        flat = self.high <= self.low
        self.low[flat], self.high[flat] = np.nanmin(kept[:, flat], axis=0), np.nanmax(kept[:, flat], axis=0)
        holes = ~measured[:, self.columns]
        candidates = np.flatnonzero(holes.any(0))
        packed = np.packbits(holes[:, candidates], axis=0)
        self.flags = candidates[np.unique(packed, axis=1, return_index=True)[1]] if len(candidates) else candidates
        filled = self._filled(x)
        self.mean = filled.mean(0)
        spread = filled.std(0)
        self.varying = spread > 1e-9
        self.scale = np.where(self.varying, spread, 1.0)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What is stored; :meth:`from_arrays` reads it."""
        return {name: getattr(self, name) for name in ARRAYS}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Standardiser:
        """The standardiser that :meth:`arrays` was taken from."""
        made = cls.__new__(cls)
        for name in ARRAYS:
            setattr(made, name, arrays[name])
        return made

    def __call__(self, x: NDArray[np.float32]) -> Floats:
        """The table for the model; [n, varying columns and flags], no NaN, no value beyond 20 standard deviations."""
        return np.clip((self._filled(x) - self.mean) / self.scale, -20, 20)[:, self.varying]

    def _filled(self, x: NDArray[np.float32]) -> Floats:
        kept = x[:, self.columns].astype(np.float64)
        holes = ~np.isfinite(kept)
        values = np.where(holes, self.median, np.clip(kept, self.low, self.high))
        return np.concatenate([values, holes[:, self.flags].astype(np.float64)], axis=1)
