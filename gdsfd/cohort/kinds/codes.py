"""Kind ``codes``: a set of codes per patient, packed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdsfd.cohort.checks.candidates import UNNAMED, Flags, Ranked
from gdsfd.cohort.cohort import CodeObservations
from gdsfd.cohort.modality_kind import MODALITY_KINDS, Arrays, Block, ModalityKind, Values
from gdsfd.cohort.packing import runs_for, spread
from gdsfd.cohort.schema import CODE_UNNAMED, ModalityFields
from gdsfd.errors import cell_text

__all__ = ["CODES", "MAX_CODES"]

#: The most codes of one modality that get a column of the flat table, most frequent in train first.
MAX_CODES = 500
#: Codes that are looked at where a modality's content is clustered.
_CONTENT = 100


def _flatten(fields: ModalityFields, arrays: Arrays, edges: NDArray[np.int64]) -> Iterator[Block]:
    """One 0/1 column per frequent code, and the number of codes."""
    frequent = np.argsort(-np.asarray(fields.code_counts, dtype=np.int64), kind="stable")[:MAX_CODES]
    column_of = np.full(len(fields.codes) + 2, -1, dtype=np.int64)
    column_of[frequent + 2] = np.arange(len(frequent))
    cells, patients = runs_for(arrays["run_ptr"], edges)
    code = arrays["code"][cells].astype(np.int64)
    column = column_of[code]
    block = np.zeros((len(edges), len(frequent)), dtype=np.float32)
    block[patients[column >= 0], column[column >= 0]] = 1
    yield block, [f"{fields.name}={fields.codes[which]}" for which in frequent]
    named = np.bincount(patients[code != CODE_UNNAMED], minlength=len(edges)).astype(np.float32)
    yield named[:, None], [f"{fields.name} (codes)"]


def _needs(needs: Any, modality: Any, like: ModalityFields | None) -> None:
    needs.add(modality.code)


def _content(fields: ModalityFields, arrays: Arrays, total: int) -> NDArray[np.float64]:
    """One 0/1 column per frequent code."""
    content = np.zeros((total, min(len(fields.codes) + 2, _CONTENT)))
    runs = np.repeat(np.arange(total), np.diff(arrays["run_ptr"]))
    frequent = arrays["code"] < content.shape[1]
    content[runs[frequent], arrays["code"][frequent]] = 1.0
    return content


def _candidates(fields: ModalityFields, found: CodeObservations, owner: NDArray[np.int64]) -> Iterator[Ranked | Flags]:
    names = [*UNNAMED[1:], *(f"code {cell_text(code)}" for code in fields.codes)]
    edges = np.flatnonzero(owner >= 0)
    yield Ranked(fields.name, "number of codes", np.diff(found.ptr)[edges], owner[edges])
    run, places = spread(found.ptr, edges)
    yield Flags(fields.name, names, found.code[places], owner[edges[run]])


CODES = ModalityKind(
    name="codes",
    spec="gdsfd.cohort.spec:CodesSpec",
    reader="gdsfd.cohort.readers.codes:read_codes",
    rows={},
    runs={"run_ptr": {"code": Values(below=lambda fields: len(fields.codes) + 2)}},
    flatten=_flatten,
    describe=lambda fields: f"{len(fields.codes):,} codes",
    needs=_needs,
    content=_content,
    cells=lambda fields: (["[count]"], ["[rare]", "[blank]", *fields.codes]),
    candidates=_candidates,
    ranges=lambda fields, found: iter(()),
)
MODALITY_KINDS.register("codes")(CODES)
