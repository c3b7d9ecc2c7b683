"""Kind ``embedding``: one precomputed vector per patient."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdsfd.cohort.cohort import EmbeddingObservations
from gdsfd.cohort.kinds.flat import rows_for
from gdsfd.cohort.modality_kind import MODALITY_KINDS, Arrays, Block, ModalityKind, Range, Values
from gdsfd.cohort.schema import ModalityFields

__all__ = ["EMBEDDING"]


def _flatten(fields: ModalityFields, arrays: Arrays, edges: NDArray[np.int64]) -> Iterator[Block]:
    """The components of the vector."""
    yield rows_for(arrays["vector"], edges), [f"{fields.name}.{at}" for at in range(fields.width)]


def _needs(needs: Any, modality: Any, like: ModalityFields | None) -> None:
    needs.add_choice(modality.columns)


def _ranges(fields: ModalityFields, found: EmbeddingObservations) -> Iterator[Range]:
    """A vector is judged as one."""
    yield "", found.vector, fields.scales


EMBEDDING = ModalityKind(
    name="embedding",
    spec="gdsfd.cohort.spec:EmbeddingSpec",
    reader="gdsfd.cohort.readers.embedding:read_embedding",
    rows={"vector": Values(lambda fields: (fields.width,))},
    flatten=_flatten,
    describe=lambda fields: f"vectors of {fields.width:,}",
    needs=_needs,
    timed=False,
    content=lambda fields, arrays, total: arrays["vector"].astype(np.float64),
    cells=lambda fields: (["[vector]"], []),
    candidates=lambda fields, found, owner: iter(()),
    ranges=_ranges,
)
MODALITY_KINDS.register("embedding")(EMBEDDING)
