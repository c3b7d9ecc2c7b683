"""CohortSpec: the whole spec, which exports make up a cohort and how they are read.

Written in TOML and read by :func:`load_spec`, or built in Python with the same field names. Nothing here opens a data
file; the models only check that the words of the spec make sense.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PrivateAttr, SerializeAsAny, ValidationError, model_validator
from pydantic_core import PydanticCustomError, PydanticKnownError

from gdsfd.cohort.modality_kind import MODALITY_KINDS
from gdsfd.cohort.patients.split_kind import SPLIT_KINDS
from gdsfd.cohort.spec.errors import complaints_of, describe
from gdsfd.cohort.spec.field_types import Names, SourceFields, SpecFields, listed
from gdsfd.cohort.spec.join_spec import Joins
from gdsfd.cohort.spec.modality_spec import ModalitySpec
from gdsfd.cohort.spec.numbers import short
from gdsfd.cohort.spec.outcome_spec import OutcomeSpec
from gdsfd.cohort.spec.split_spec import SplitSpec
from gdsfd.cohort.spec.survival_spec import SurvivalSpec
from gdsfd.errors import InputError, SpecError, shown

__all__ = ["CohortSpec", "CohortTable", "load_spec", "read_fields"]


def _of_its_kind(entry: Any) -> Any:
    """An entry ``[[modality]]`` as the model of its kind."""
    if isinstance(entry, ModalitySpec):
        return entry
    if not isinstance(entry, Mapping):
        raise PydanticKnownError("model_attributes_type")
    if entry.get("kind") not in MODALITY_KINDS:
        raise PydanticCustomError("modality_kind", "unknown kind of modality")
    return MODALITY_KINDS.find(entry["kind"]).spec_model.model_validate(dict(entry))


def _outcome_of_its_kind(entry: Any) -> Any:
    """An entry ``[[outcome]]`` as labels, or as a time to an event where its kind says so."""
    if isinstance(entry, OutcomeSpec) or not isinstance(entry, Mapping) or "kind" not in entry:
        return entry
    if entry["kind"] != "survival":
        raise ValueError(
            f"kind: expected 'survival' for a time to an event, or no kind for labels, got {short(entry['kind'])}"
        )
    return SurvivalSpec.model_validate(dict(entry))


class CohortTable(SourceFields):
    """The cohort table: one row per patient.

    Args:
        source: Path relative to the spec's folder, glob, DataFrame or Ibis table. A path may hold ``${NAME}`` and
            ``${NAME:-default}``, replaced by environment variables when the source is opened
            (:mod:`gdsfd.cohort.sources.path_variables`). An Ibis table is fetched whole: select and filter in its
            expression.
        id: Column of the patient ids, unique.
        subject: Column of the person; default: ``id``.
        environment: Column, or several that make a combined environment (values joined by ``+``).
        groups: Columns of fairness attributes.
        join: Look-up tables; their columns may be used everywhere below.
        derive: New columns, name -> SQL expression over the columns of one row, with the functions listed below; worked
            out before ``where``, each may use those before it.
        where: SQL expression, likewise; rows where it is not true are left out. Columns that hold only numbers or only
            timestamps behave as such; the text as written is at hand as ``<column>__text``.
    """

    id: str
    subject: str | None = None
    environment: Annotated[
        list[str] | None, BeforeValidator(lambda value: value if value is None else listed(value))
    ] = None
    groups: Names = Field(default=[])
    join: Joins = Field(default=[])


class CohortSpec(SpecFields):
    """The whole spec.

    Args:
        cohort: The cohort table.
        outcome: One outcome or several binary ones (multi-label), up to 1,000; or one time to an event
            (:class:`~gdsfd.cohort.spec.survival_spec.SurvivalSpec`).
        split: How patients are shared out.
        modality: The modalities, in the order the graph will have them; up to 10,000. With ``cohort.format`` they may
            be left out, as may the outcome and the split (:mod:`gdsfd.cohort.formats`).
        engine: What the rows go through: ``"duckdb"``, on this machine, or ``"spark"``. The graph is the same.
        base_dir: Folder that relative paths start from; default: the working directory.

    Raises:
        SpecError: An unknown key, a value of the wrong type, or fields that contradict each other.
    """

    cohort: CohortTable
    outcome: Annotated[
        list[Annotated[SerializeAsAny[OutcomeSpec], BeforeValidator(_outcome_of_its_kind)]],
        BeforeValidator(listed),
        Field(min_length=1, max_length=1000),
    ]
    split: SplitSpec = SplitSpec()
    modality: Annotated[
        list[Annotated[SerializeAsAny[ModalitySpec], BeforeValidator(_of_its_kind)]],
        BeforeValidator(listed),
        Field(min_length=1, max_length=10_000),
    ]
    engine: Literal["duckdb", "spark"] = "duckdb"
    base_dir: Path = Path()
    _told: dict[str, list[str]] = PrivateAttr(default_factory=dict)

    def __init__(self, **fields: Any) -> None:
        fields, told = _without_format(fields)
        try:
            super().__init__(**fields)
            self._told = told
        except ValidationError as error:
            wrong = SpecError(describe(error, type(self), fields))
            wrong.complaints = complaints_of(error, type(self), fields)
            raise wrong from None

    @model_validator(mode="after")
    def _parts_fit_together(self) -> CohortSpec:
        for what, names in (
            ("modality", [modality.name for modality in self.modality]),
            ("outcome", [outcome.name for outcome in self.outcome]),
        ):
            repeated = sorted({name for name in names if names.count(name) > 1})
            if repeated:
                raise ValueError(f"{what} names must differ, got {shown(repeated)} more than once")
        if len(self.outcome) > 1 and any(isinstance(outcome, SurvivalSpec) for outcome in self.outcome):
            raise ValueError("several outcomes must all be binary ('positive'); kind = \"survival\" stands alone")
        if len(self.outcome) > 1 and any(outcome.classes for outcome in self.outcome):
            raise ValueError("several outcomes must all be binary ('positive'); 'classes' stands alone")
        if SPLIT_KINDS.find(self.split.kind).needs_environment and not self.cohort.environment:
            raise ValueError(f"split.kind {self.split.kind!r} needs cohort.environment")
        return self

    def told_of(self, name: str = "") -> list[str]:
        """What the receipt shall tell of how a format chose rows.

        Args:
            name: A modality; default: what the format left out.
        """
        return self._told.get(name, [])

    def to_dict(self) -> dict[str, Any]:
        """A JSON-able copy; a DataFrame becomes ``"<DataFrame>"``, paths stay as written (variables unexpanded)."""
        return _plain(self.model_dump(exclude={"base_dir", "engine"}, exclude_none=True))


def load_spec(path: str | Path) -> CohortSpec:
    """Reads a spec from a TOML file; its relative paths start from the file's folder.

    Args:
        path: The file.

    Raises:
        InputError: No such file.
        SpecError: It is not TOML, or not a spec.
    """
    path = Path(path)
    fields = read_fields(path)
    try:
        return CohortSpec(**fields)
    except SpecError as error:
        raise SpecError(f"{path}: {error}") from None


def read_fields(path: str | Path) -> dict[str, Any]:
    """The fields of a TOML file, and the folder that relative paths start from, before anything is made of them.

    Args:
        path: The file.

    Raises:
        InputError: No such file.
        SpecError: It is not TOML.
    """
    path = Path(path)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"the spec {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise SpecError(f"the spec {path} is not UTF-8 (byte {error.start}); save it as UTF-8") from None
    try:
        return {"base_dir": path.resolve().parent, **tomllib.loads(text)}
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, lists thousands deep
        raise SpecError(f"the spec {path} is not valid TOML: {error}") from None


def _without_format(fields: dict[str, Any]) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """The fields with ordinary ones in place of a standard layout's name, and what the receipt shall tell of it."""
    from gdsfd.cohort.formats.expansion import expand, has_format  # it knows the parts of a spec

    if not has_format(fields):
        return fields, {}
    found = expand(fields)
    return found.fields, {**found.of_modality, "": [f"left out: {text}" for text in found.notes]}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return str(value) if isinstance(value, Path) else f"<{type(value).__name__}>"
