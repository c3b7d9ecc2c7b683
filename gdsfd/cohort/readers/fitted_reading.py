"""How new patients' cells are read: as those that the model was trained on, whatever another spec leaves out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from gdsfd.cohort.keys.spellings import equal_values
from gdsfd.cohort.receipt.receipt import Finding
from gdsfd.cohort.schema import ModalityFields, Reading
from gdsfd.cohort.spec import CodesSpec, EventsSpec, ModalitySpec
from gdsfd.cohort.times.fitted_times import as_fitted
from gdsfd.errors import SchemaError, shown

__all__ = ["read_as_fitted", "reading_of"]


def reading_of(modality: ModalitySpec, described: ModalityFields) -> Reading:
    """What of a spec's entry new patients' cells must be read by.

    Args:
        modality: The entry.
        described: What its reader fitted.
    """
    reading = Reading(
        missing=tuple(str(value) for value in modality.missing),
        components=() if described.reading is None else described.reading.components,
    )
    if isinstance(modality, CodesSpec):
        return replace(reading, separator=modality.separator, split_on=modality.split_on)
    if isinstance(modality, EventsSpec):
        return replace(reading, elapsed=modality.elapsed, occurrences=_no_values(modality))
    return reading


def read_as_fitted(modality: ModalitySpec, like: ModalityFields) -> tuple[ModalitySpec, list[Finding]]:
    """A spec's entry with the window and the missing values of training, and warnings where it says something else.

    A hospital's spec without ``missing = [-1]`` would otherwise have -1 read as a value that the model never saw.

    Args:
        modality: The new patients' entry.
        like: The modality as it was fitted. Schemas of earlier versions say nothing of how cells were read.

    Raises:
        SchemaError: Steps of time were fitted, and the entry names no time; values were fitted, and the entry names
            none, or the other way round; elapsed time is in another unit.
    """
    modality, found = as_fitted(modality, like)
    if like.reading is None:
        return modality, found
    _check_values(modality, like.reading)
    found += [Finding("reading", modality.name, text) for text in _of_codes(modality, like.reading)]
    also = [
        value
        for value in like.reading.missing
        if not any(equal_values(value, declared) for declared in modality.missing)
    ]
    if also:
        text = (
            f"training had {shown(also)} declared missing, and this spec has not: read as missing here, too. Declare "
            "it, or derive another value where it is one"
        )
        found.append(Finding("reading", modality.name, text))
        modality = modality.model_copy(update={"missing": [*modality.missing, *also]})
    return modality, found


def _no_values(modality: EventsSpec) -> bool:
    return modality.values is None and modality.value is None and modality.elapsed is None


def _check_values(modality: ModalitySpec, fitted: Reading) -> None:
    if not isinstance(modality, EventsSpec):
        return
    if modality.elapsed is not None and fitted.elapsed is not None and modality.elapsed != fitted.elapsed:
        raise SchemaError(
            f"modality {modality.name!r}: its values are time elapsed in {fitted.elapsed} as fitted, got "
            f"{modality.elapsed}; write elapsed = {fitted.elapsed!r}"
        )
    if _no_values(modality) != fitted.occurrences:
        words = ("rows without a value, which only say that something was done", "rows with a value")
        before, now = words if fitted.occurrences else words[::-1]
        advice = "leave 'value' out" if fitted.occurrences else "say under 'value' which column holds it"
        raise SchemaError(f"modality {modality.name!r}: expected {before}, as fitted, got {now}; {advice}")


def _of_codes(modality: ModalitySpec, fitted: Reading) -> Iterator[str]:
    if not isinstance(modality, CodesSpec):
        return
    if fitted.separator != modality.separator and fitted.separator is not None:
        now = "has no separator" if modality.separator is None else f"has {modality.separator!r}"
        yield (
            f"the model knows codes and the levels above them, with separator {fitted.separator!r}; this spec {now}, "
            "so levels above may be lacking"
        )
    elif modality.separator is not None and fitted.separator is None:
        yield "the model's codes had no separator; the levels above codes, which this spec adds, count as unknown ones"
    if fitted.split_on is not None and modality.split_on is None:
        yield (
            f"the model's cells held several codes, split on {fitted.split_on!r}; this spec splits none: a cell with "
            "several would count as one unknown code"
        )
