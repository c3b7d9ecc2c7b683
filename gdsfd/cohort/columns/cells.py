"""The cells of one column of a modality's rows: as text, as numbers, blank, or declared missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from gdsfd.cohort.sources.values import parse_scalar

__all__ = ["CellKind", "Cells", "kind_of"]

CellKind = Literal["text", "number", "time", "nested"]


@dataclass
class Cells:
    """One column of a modality's rows.

    Args:
        name: The column.
        kind: What the source stores: text, numbers or truth values, times, or lists and structures.
        raw: The cells as written, None where blank (kind ``text``, and what is asked for as text); [R].
        number: The cells as finite numbers, NaN where they are blank or none; ``true`` and ``false`` are 1 and 0;
            float64 [R].
        filled: Whether a cell is not blank; bool [R].
        missing: Declared values that mean "not measured".
        stored: Numbers as the source has them, infinite ones included (kind ``number``); float64 [R].
    """

    name: str
    kind: CellKind
    raw: pa.Array | None
    number: NDArray[np.float64]
    filled: NDArray[np.bool_]
    missing: Sequence[object] = ()
    stored: NDArray[np.float64] | None = None

    @cached_property
    def measured(self) -> NDArray[np.bool_]:
        """Whether a cell is neither blank nor declared missing; bool [R]."""
        if not self.missing:
            return self.filled
        numbers = [parsed for parsed in (parse_scalar(value) for value in self.missing) if parsed is not None]
        found = np.isin(self.number, numbers) if numbers else np.zeros(len(self.number), bool)
        if self.raw is not None:
            codes, texts = self.texts
            declared = np.append(texts.isin([str(value).strip() for value in self.missing]), False)
            found |= declared[codes]
        return self.filled & ~found

    def declared(self) -> set[str]:
        """The declared values that a cell has, as text."""
        if not self.missing:
            return set()
        found = {str(value).strip() for value in self.missing if parse_scalar(value) in self._different_numbers}
        if self.raw is not None:
            found |= {str(value).strip() for value in self.missing}.intersection(self.texts[1])
        return found

    @cached_property
    def _different_numbers(self) -> set[float]:
        declared = [number for number in map(parse_scalar, self.missing) if number is not None]
        return set(self.number[np.isin(self.number, declared)].tolist())

    @cached_property
    def values(self) -> NDArray[np.float64]:
        """The measured numbers, NaN elsewhere; float64 [R]."""
        return np.where(self.measured, self.number, np.nan)

    @cached_property
    def readable(self) -> NDArray[np.bool_]:
        """Whether a cell is measured and a number; bool [R]."""
        return ~np.isnan(self.values)

    @cached_property
    def texts(self) -> tuple[NDArray[np.int64], pd.Index]:
        """Number of each cell's text (-1 where blank), and the distinct texts in the order of the rows."""
        codes, texts = pd.factorize(np.asarray(self._text_array().to_pylist(), dtype=object))
        return codes.astype(np.int64), pd.Index(texts, dtype=object)

    def text(self) -> pd.Series:
        """The measured cells as text, None elsewhere; [R]."""
        codes, texts = self.texts
        cells = np.array([*texts, None], dtype=object)[codes]
        return pd.Series(np.where(self.measured, cells, None), dtype=object)  # type: ignore[call-overload, arg-type]

    def shown(self, rows: NDArray[np.integer]) -> list[str]:
        """Some cells as a user would see them."""
        if self.raw is None:
            values = self.number if self.stored is None else self.stored
            return [f"{value:g}" for value in values[rows]]
        return [str(self.raw[int(row)].as_py()) for row in rows]

    def _text_array(self) -> pa.Array:
        if self.raw is None:
            raise TypeError(f"column {self.name!r} was not read as text")
        return self.raw


def kind_of(dtype: Any) -> CellKind:
    """What a column of the database holds.

    Args:
        dtype: Its Ibis type.
    """
    if dtype.is_string():
        return "text"
    if dtype.is_numeric() or dtype.is_boolean():
        return "number"
    return "nested" if dtype.is_nested() else "time"
