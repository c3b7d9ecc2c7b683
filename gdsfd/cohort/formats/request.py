"""What a spec may say beside ``format``: where the data and the labels are, and what becomes a modality."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from pydantic import BeforeValidator, Field, ValidationError, field_validator, model_validator

from gdsfd.cohort.sources.path_variables import expand_variables
from gdsfd.cohort.spec.errors import describe
from gdsfd.cohort.spec.field_types import Names, SpecFields, listed
from gdsfd.cohort.spec.numbers import MOST_MINUTES, Bin, Minutes, short
from gdsfd.cohort.spec.row_expression import row_expression
from gdsfd.errors import SpecError, near_names

__all__ = ["CONCEPT_FIELDS", "FORMATS", "FormatRequest", "Group", "read_request"]

FORMATS = ("meds", "omop")
#: What OMOP's table ``concept`` says of a concept, and rows can be chosen by.
CONCEPT_FIELDS = ("vocabulary_id", "domain_id", "concept_class_id")
_MOST_CONCEPT = 2**31 - 1  #: ids of concepts are whole numbers of 32 bits in OMOP


def _concept(value: Any) -> int:
    """The id of a concept."""
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _MOST_CONCEPT:
        raise ValueError(f"expected the id of a concept, a whole number such as 4000000, got {short(value)}")
    return value


Concepts = Annotated[list[Annotated[int, BeforeValidator(_concept)]], BeforeValidator(listed), Field(max_length=1000)]


class Group(SpecFields):
    """Which rows become one modality.

    Args:
        prefix: MEDS: beginnings of codes, such as ``"LAB//"``; one is enough.
        parent: MEDS: parents of codes, as ``metadata/codes.parquet`` has them: only these and those below one of
            them; with ``prefix``, those that begin so.
        static: MEDS: whether the events have no time. Default: as found in the data.
        table: OMOP: the table.
        where: OMOP: which of its rows, an SQL expression over one row.
        vocabulary_id: OMOP: vocabularies, such as ``"SNOMED"``: only rows whose concept is of one of them. ``""``
            stands for the rows whose concept is of none, or is not in the table ``concept``.
        domain_id: OMOP: domains, such as ``"Drug"``, likewise.
        concept_class_id: OMOP: classes, such as ``"Ingredient"``, likewise.
        ancestor: OMOP: ids of concepts: only rows whose concept is one of them, or is below one by the table
            ``concept_ancestor``.
        kind: ``events`` takes the rows with a number, ``codes`` takes all as a set of codes; ``age`` makes the age at
            the prediction time of births (MEDS: ``MEDS_BIRTH``, OMOP: the table ``person``). Default: MEDS as found in
            the data, OMOP as the table is.
    """

    prefix: Names = Field(default=[])
    parent: Names = Field(default=[])
    static: bool | None = None
    table: str | None = None
    where: str | None = None
    vocabulary_id: Names = Field(default=[])
    domain_id: Names = Field(default=[])
    concept_class_id: Names = Field(default=[])
    ancestor: Concepts = Field(default=[])
    kind: Literal["events", "codes", "age"] | None = None

    @field_validator("where")
    @classmethod
    def _where_is_an_expression(cls, text: str | None) -> str | None:
        if text is not None:
            try:
                row_expression(text)
            except SpecError as error:
                raise ValueError(f"{text!r}: {error}") from None
        return text


class FormatRequest(SpecFields):
    """The fields of ``[cohort]`` that belong to a format.

    Args:
        format: ``meds`` or ``omop``.
        source: The data set: a folder; of OMOP also a DuckDB or SQLite file.
        labels: File, glob or folder of labels in MEDS's label schema (``subject_id``, ``prediction_time`` and one of
            ``boolean_value``, ``integer_value``, ``categorical_value``). One label is one patient.
        vocabulary: Name of a modality -> its rows: beginnings of codes (MEDS), a table (OMOP), or a :class:`Group`.
            Default: whatever there is.
        modality_by: OMOP, where ``vocabulary`` is not said: each vocabulary, domain or class of concepts that a table
            has is a modality. Default: each table is one.
        window: Start and end in minutes from the prediction time, the end not after it. Default: everything before it.
        bin: Minutes per step. Default: the whole window is one step.
        zone: OMOP: the time zone of the labels' times, such as ``"Europe/Berlin"`` or ``"UTC"``, where the tables' are
            stored with an offset from UTC and the labels' are not. Default: none, and such times are refused.
        base_dir: Folder that relative paths start from.
    """

    format: Literal["meds", "omop"]
    source: str
    labels: str
    vocabulary: dict[str, Group] = Field(default={})
    modality_by: Literal["vocabulary_id", "domain_id", "concept_class_id"] | None = None
    window: tuple[Minutes, Minutes] = (-MOST_MINUTES, 0.0)
    bin: Bin | None = None
    zone: str | None = None
    base_dir: Path = Path()

    def on_disk(self, *parts: str) -> str:
        """A path inside the data set, where the operating system finds it."""
        written = os.path.join(self.source, *parts)
        return os.path.join(self.base_dir, os.path.expanduser(expand_variables(written)))

    @field_validator("window")
    @classmethod
    def _window_ends_with_the_prediction(cls, window: tuple[float, float]) -> tuple[float, float]:
        if not window[0] < window[1] <= 0:
            raise ValueError(
                f"expected start < end <= 0, minutes from the prediction time, got {list(window)}: what comes after it "
                "is not known when the prediction is made"
            )
        return window

    @field_validator("zone")
    @classmethod
    def _zone_is_known(cls, name: str | None) -> str | None:
        if name is not None and name not in available_timezones():
            near = near_names(name, sorted(available_timezones()))
            raise ValueError(f"expected the name of a time zone, such as 'Europe/Berlin', got {name!r}.{near}")
        return name

    @model_validator(mode="after")
    def _zone_is_of_omop(self) -> FormatRequest:
        if self.zone is not None and self.format != "omop":
            raise ValueError("zone: MEDS's times have no offset from UTC; where yours have, derive them by modality")
        return self

    @model_validator(mode="after")
    def _groups_fit_the_format(self) -> FormatRequest:
        for name, group in self.vocabulary.items():
            by_concept = bool(group.ancestor) or any(getattr(group, field) for field in CONCEPT_FIELDS)
            meds = bool(group.prefix or group.parent) or group.static is not None
            omop = bool(group.table or group.where) or by_concept
            if self.format == "meds" and (omop or not (group.prefix or group.parent)):
                raise ValueError(f'vocabulary.{name}: expected beginnings of codes, such as "LAB//", or their parents')
            if self.format == "omop" and (meds or not group.table):
                raise ValueError(f'vocabulary.{name}: expected a table, such as "measurement"')
            if by_concept and (group.kind == "age" or (group.kind is None and str(group.table).lower() == "person")):
                raise ValueError(f"vocabulary.{name}: an age has no concept to be chosen by")
        if self.modality_by and self.format == "meds":
            raise ValueError(
                "modality_by: belongs to format = 'omop'; of MEDS each beginning of codes before '//' is a modality "
                "already, and vocabulary says it otherwise"
            )
        if self.modality_by and self.vocabulary:
            raise ValueError(
                "modality_by and vocabulary both say what becomes a modality; leave one of them out (a group of "
                f'vocabulary can be asked for by {self.modality_by} = "...")'
            )
        return self


def read_request(cohort: Mapping[str, Any], base_dir: str | Path) -> tuple[FormatRequest, dict[str, Any]]:
    """The fields of a format, and what is left of ``[cohort]``.

    Args:
        cohort: The fields of ``[cohort]``, ``format`` among them.
        base_dir: Folder that relative paths start from.

    Raises:
        SpecError: A format that is not known, or a field that is missing or wrong.
    """
    name = cohort["format"]
    if name not in FORMATS:
        raise SpecError(
            f"cohort.format: expected one of {list(FORMATS)}, got {name!r}.{near_names(str(name), FORMATS)}"
        )
    own = {key: value for key, value in cohort.items() if key in FormatRequest.model_fields}
    rest = {key: value for key, value in cohort.items() if key not in own}
    if isinstance(own.get("vocabulary"), Mapping):
        own["vocabulary"] = {key: _group(value, name) for key, value in own["vocabulary"].items()}
    try:
        return FormatRequest(**own, base_dir=Path(base_dir)), rest
    except ValidationError as error:
        raise SpecError(f"[cohort] with format = {name!r}: {describe(error, FormatRequest, own)}") from None


def _group(value: Any, name: str) -> Any:
    """A group that is written as beginnings of codes or as a table alone."""
    if isinstance(value, str):
        return {"prefix": [value]} if name == "meds" else {"table": value}
    return {"prefix": value} if isinstance(value, list) else value
