"""Which times of new patients' rows count: those that the model was trained with, whatever another spec says."""

from __future__ import annotations

from gdsfd.cohort.receipt.receipt import Finding
from gdsfd.cohort.schema import ModalityFields
from gdsfd.cohort.spec import EventsSpec, ModalitySpec
from gdsfd.errors import SchemaError

__all__ = ["as_fitted"]


def as_fitted(modality: ModalitySpec, like: ModalityFields) -> tuple[ModalitySpec, list[Finding]]:
    """The spec's entry with the window that the model's rows lay in, and warnings where it says something else.

    A model that read the first day would otherwise be judged on whatever the new hospital's spec lets in, the days
    after the prediction among it.

    Args:
        modality: The new patients' entry.
        like: The modality as it was fitted. Schemas of earlier versions have the window of events only.

    Raises:
        SchemaError: Steps of time were fitted, and the entry names no time.
    """
    if modality.time is None:
        if isinstance(modality, EventsSpec) and like.steps > 1:
            raise SchemaError(
                f"modality {modality.name!r}: the model's events lie in {like.steps} steps of time, and the spec names "
                "no time; say under time which column holds it"
            )
        if like.window is None:
            return modality, []
        text = f"the model's rows lie {_words(like.window)}; the spec names no time, so rows of any time are taken"
        return modality, [_told(modality, f"{text}. Say under time (and origin) when rows were recorded")]
    found = []
    if like.window is not None and modality.window not in (None, like.window):
        found.append(f"the model's rows lie {_words(like.window)}, and so must these; the spec's window is not used")
    if isinstance(modality, EventsSpec):
        if like.window is None and modality.window is not None:
            found.append("the model's events were of any time, these are cut off by the spec's window")
        if "bin" in modality.model_fields_set and like.bin_minutes not in (0.0, modality.bin):
            found.append(f"the model's steps have {like.bin_minutes:g} minutes, and so have these; bin is not used")
    window = like.window or modality.window
    return modality.model_copy(update={"window": window}), [_told(modality, text) for text in found]


def _words(window: tuple[float, float]) -> str:
    return f"within {window[0]:g} to {window[1]:g} minutes"


def _told(modality: ModalitySpec, text: str) -> Finding:
    return Finding("time", f"{modality.name}.{modality.time or 'time'}", text)
