"""All that is wrong with one modality, where a build would stop at the first of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from gdsfd.cohort.modality_kind import MODALITY_KINDS
from gdsfd.cohort.patients.cohort_rows import CohortRows
from gdsfd.cohort.readers.fitted_reading import read_as_fitted
from gdsfd.cohort.receipt.receipt import SourceReceipt
from gdsfd.cohort.schema import ModalityFields
from gdsfd.cohort.sources.sources import Sources, View
from gdsfd.cohort.spec import ModalitySpec
from gdsfd.cohort.spec.column_needs import needs_of_modality
from gdsfd.cohort.spec.name_patterns import is_pattern, matching_names
from gdsfd.errors import InputError, near_names

__all__ = ["ModalityFaults", "modality_faults"]

#: Fields of the built-in kinds that name one column, and that name several.
_ONE = ("id", "time", "item", "value", "code")
_SEVERAL = ("columns", "values", "exclude", "numeric", "categorical")


@dataclass
class ModalityFaults:
    """What a look at one modality found.

    Args:
        told: What is wrong, each fault once.
        receipt: What was read and kept, where it can be read.
        rows: Rows of its source.
    """

    told: list[str] = field(default_factory=list)
    receipt: SourceReceipt | None = None
    rows: int = 0


def modality_faults(
    modality: ModalitySpec, sources: Sources, rows: CohortRows | None, like: ModalityFields | None = None
) -> ModalityFaults:
    """Reads a modality; where it cannot be read, looks for what else is wrong with it.

    Columns that are not there are told all at once. A time that cannot be read hides text among numbers and the other
    way round, so the modality is then read once more without its time, and with text read as missing.

    Args:
        modality: The spec's entry.
        sources: Where tables are opened.
        rows: The patients; None = they cannot be read, and only the file and its columns are looked at.
        like: Of new patients: the modality as it was fitted.
    """
    found = ModalityFaults()
    if like is not None:
        try:
            modality, findings = read_as_fitted(modality, like)
            sources.findings += findings
        except InputError as error:
            found.told.append(str(error))
    view = _opened(modality, sources, found.told, like)
    if view is None:
        return found
    found.rows = view.rows
    found.told += _missing_columns(modality, view)
    if found.told or rows is None:
        return found
    try:
        found.receipt = _read(modality, view, rows, sources, like)
        return found
    except InputError as error:
        found.told.append(str(error))
    for without in _variants(modality):
        try:
            _read(without, view, rows, sources, like)
        except InputError as error:
            if str(error) not in found.told:
                found.told.append(str(error))
    return found


def _opened(modality: ModalitySpec, sources: Sources, told: list[str], like: ModalityFields | None) -> View | None:
    try:
        return sources.open_modality(modality, like)
    except InputError as error:
        told.append(str(error))
    try:  # a file that is there has columns that can be looked at, whatever is wrong with the SQL
        bare = sources.open(modality.source, f"modality {modality.name!r}", needs=needs_of_modality(modality, like))
    except InputError:
        return None
    beside = [*modality.derive, *(name for join in modality.join for name in join.columns)]
    derived = [name for name in beside if name not in bare.columns]
    told += [text for text in _missing_columns(modality, bare, derived) if text not in told]
    return None


def _missing_columns(modality: ModalitySpec, view: View, derived: list[str] | None = None) -> Iterator[str]:
    known = [*view.columns, *(derived or [])]
    for name, words in _named(modality):
        if not matching_names(name, known)[0]:
            yield (
                f"{view.label} has no column {name!r} ({words} of modality {modality.name!r}).{near_names(name, known)}"
            )


def _named(modality: ModalitySpec) -> Iterator[tuple[str, str]]:
    for words in _ONE:
        name = getattr(modality, words, None)
        if isinstance(name, str):
            yield name, words
    for words in _SEVERAL:
        names = getattr(modality, words, None) or []
        for name in [names] if isinstance(names, str) else names:
            if not is_pattern(name):
                yield name, words


def _variants(modality: ModalitySpec) -> Iterator[ModalitySpec]:
    if modality.time is not None:
        yield modality.model_copy(update={"time": None, "origin": None, "window": None})
    if modality.invalid == "error":
        yield modality.model_copy(update={"invalid": "missing"})


def _read(
    modality: ModalitySpec, view: View, rows: CohortRows, sources: Sources, like: ModalityFields | None
) -> SourceReceipt:
    _, _, receipt = MODALITY_KINDS.find(modality.kind).read(modality, view, rows, sources, like)
    return receipt
