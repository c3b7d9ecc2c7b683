"""Pydantic's complaints about a spec, in the words of the spec."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from gdsfd.cohort.modality_kind import MODALITY_KINDS
from gdsfd.cohort.spec.numbers import short
from gdsfd.cohort.spec.survival_spec import SurvivalSpec
from gdsfd.errors import near_names

__all__ = ["complaints_of", "describe"]


def describe(error: ValidationError, model: type[BaseModel], fields: Mapping[str, Any]) -> str:
    """One line per complaint: the path of the field, what is wrong, and near names for an unknown key.

    Args:
        error: What pydantic raised.
        model: The model that was filled.
        fields: What the user gave.
    """
    return "; ".join(text for _, text in complaints_of(error, model, fields))


def complaints_of(
    error: ValidationError, model: type[BaseModel], fields: Mapping[str, Any]
) -> list[tuple[tuple[int | str, ...], str]]:
    """The complaints one by one: where, as keys and positions, and the line of :func:`describe`.

    Args:
        error: What pydantic raised.
        model: The model that was filled.
        fields: What the user gave.
    """
    found = error.errors(include_url=False)
    return [(complaint["loc"], _one(complaint, model, fields)) for complaint in found]


def _one(complaint: Any, model: type[BaseModel], fields: Mapping[str, Any]) -> str:
    path, owner, key = _path(complaint["loc"], model, fields)
    kind, given = complaint["type"], complaint.get("input")
    if kind == "extra_forbidden":
        return f"{path}: unknown key{'' if owner is None else '.' + near_names(key, owner.model_fields)}"
    if kind == "missing":
        return f"{path}: is required but missing"
    if kind == "modality_kind":
        kinds = sorted(MODALITY_KINDS.names())
        got = given.get("kind") if isinstance(given, Mapping) else given
        return f"{path}.kind: expected one of {kinds}, got {short(got)}.{near_names(str(got), kinds) if got else ''}"
    message = str(complaint["msg"]).removeprefix("Value error, ")
    prefix = f"{path}: " if path else ""
    return f"{prefix}{message}" if kind == "value_error" else f"{prefix}{message} (got {short(given)})"


def _path(
    loc: tuple[int | str, ...], model: type[BaseModel], fields: Mapping[str, Any]
) -> tuple[str, type[BaseModel] | None, str]:
    """The field's path as a user would write it, the model its last key belongs to, and that key."""
    words: list[str] = []
    owner: type[BaseModel] | None = model
    last_owner = owner
    given: Any = fields
    key = ""
    for part in loc:
        if isinstance(part, int):
            given = given if isinstance(given, (list, tuple)) else [given]
            given = given[part] if part < len(given) else None
            name = given.get("name") if isinstance(given, Mapping) else None
            words[-1:] = [f"{words[-1]}[{part}]" + (f" ({name!r})" if name else "")]
            kind = given.get("kind") if isinstance(given, Mapping) else None
            if words[-1].startswith("modality[") and kind in MODALITY_KINDS:
                owner = MODALITY_KINDS.find(kind).spec_model
            if words[-1].startswith("outcome[") and kind == "survival":
                owner = SurvivalSpec
            continue
        if (
            owner is not None
            and words
            and part not in owner.model_fields
            and part.startswith(("list[", "function-", "tuple["))
        ):
            continue
        key, last_owner = part, owner
        words.append(part)
        given = given.get(part) if isinstance(given, Mapping) else getattr(given, part, None)
        owner = _inner(owner, part)
    return ".".join(words), last_owner, key


def _inner(owner: Any, part: str) -> Any:
    """The model behind a field, or None."""
    if not (isinstance(owner, type) and issubclass(owner, BaseModel)) or part not in owner.model_fields:
        return None
    annotation = owner.model_fields[part].annotation
    found = _models(annotation)
    return found[0] if len(found) == 1 else None


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for argument in get_args(annotation) for model in _models(argument)]
