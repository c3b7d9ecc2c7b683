"""A kind of modality of one's own: a signal of fixed length per patient, in columns or in one list-valued column."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gdsfd.cohort.kinds.flat import rows_for
from gdsfd.cohort.modality_kind import MODALITY_KINDS, Arrays, Block, ModalityKind, Values
from gdsfd.cohort.readers.embedding import read_embedding
from gdsfd.cohort.schema import ModalityFields
from gdsfd.cohort.spec import ModalitySpec


class WaveformSpec(ModalitySpec):
    """A signal of fixed length per patient.

    Args:
        columns: The samples' columns, or one list-valued column.
    """

    kind: Literal["waveform"] = "waveform"
    columns: list[str] | str


@dataclass
class WaveformObservations:
    """Signals.

    Args:
        patient: Row of the cohort, strictly ascending; int64 [E].
        signal: float32 [E, samples].
    """

    patient: NDArray[np.int64]
    signal: NDArray[np.float32]


def read_waveform(modality, view, cohort, sources, like=None):
    """Reads signals as vectors are read."""
    vectors, fields, receipt = read_embedding(modality, view, cohort, sources, like)
    return WaveformObservations(vectors.patient, vectors.vector), replace(fields, kind="waveform"), receipt


def flatten_waveform(fields: ModalityFields, arrays: Arrays, edges: NDArray[np.int64]) -> Iterator[Block]:
    """Mean and spread of a signal."""
    signal = arrays["signal"]
    features = np.stack([signal.mean(1), signal.std(1)], axis=1)
    yield rows_for(features, edges), [f"{fields.name}.mean", f"{fields.name}.std"]


WAVEFORM = ModalityKind(
    name="waveform",
    spec=WaveformSpec,
    reader=read_waveform,
    rows={"signal": Values(sizes=lambda fields: (fields.width,))},
    flatten=flatten_waveform,
    describe=lambda fields: f"signals of {fields.width:,} samples",
    needs=lambda needs, modality, like: needs.add_choice(modality.columns),
)
MODALITY_KINDS.register("waveform")(WAVEFORM)
