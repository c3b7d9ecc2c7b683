"""ModalitySpec: an entry ``[[modality]]`` of the spec, with one subclass per built-in kind."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from gdsfd.cohort.spec.field_types import Name, Names, NamesOrPattern, Scalars, SourceFields
from gdsfd.cohort.spec.join_spec import Joins
from gdsfd.cohort.spec.numbers import MOST_STEPS, Bin, Count, Minutes
from gdsfd.errors import shown

__all__ = ["CodesSpec", "EmbeddingSpec", "EventsSpec", "ModalitySpec", "TableSpec"]


class ModalitySpec(SourceFields):
    """What every modality has. A kind of modality has a subclass with its own fields, and ``kind`` as its default.

    Args:
        name: The modality's name.
        source, derive, where: As in :class:`~gdsfd.cohort.spec.CohortTable`.
        id: Column of the patient ids.
        join: Look-up tables, put beside the rows before ``derive`` and ``where``.
        missing: Values that mean "not measured".
        invalid: What to do with text where numbers are expected.
        time: Column of the row's time.
        origin: Column of the cohort table that times are counted from.
        window: Start and end in minutes.
    """

    kind: str
    #: Whether ``invalid`` says something: the kind reads numbers, among which text may stand.
    reads_numbers: ClassVar[bool] = True

    name: Name
    id: str
    join: Joins = Field(default=[])
    missing: Scalars = Field(default=[])
    invalid: Literal["error", "missing"] = "error"
    time: str | None = None
    origin: str | None = None
    window: tuple[Minutes, Minutes] | None = None

    @field_validator("name")
    @classmethod
    def _name_is_plain(cls, value: str) -> str:
        if not value.strip() or any(sign in value for sign in ".:/\\"):
            raise ValueError(f"expected a name without '.', ':', '/' and '\\', got {value!r}")
        return value

    @model_validator(mode="after")
    def _time_fields_go_together(self) -> ModalitySpec:
        if self.time is None and (self.window is not None or self.origin is not None):
            raise ValueError("'window' and 'origin' need 'time', the column they apply to")
        if self.window is not None and not self.window[0] < self.window[1]:
            raise ValueError(f"window: expected start < end in minutes, got {list(self.window)}")
        if self.invalid != "error" and not self.reads_numbers:
            raise ValueError(f"'invalid' is about text among numbers, which kind = {self.kind!r} does not look for")
        return self


class TableSpec(ModalitySpec):
    """At most one row per patient.

    Args:
        name: The modality's name.
        source, derive, where: As in :class:`CohortTable`.
        id: Column of the patient ids.
        join: Look-up tables, put beside the rows before ``derive`` and ``where``: what an item or a code means, say.
        missing: Values that mean "not measured", compared as text and as numbers: texts and finite numbers, up to
            10,000.
        invalid: What to do with text in a numeric column: ``error``, or read it as ``missing`` (counted).
        time: Column of the row's time, read as in :class:`EventsSpec`.
        origin: Column of the cohort table that times are counted from.
        window: Start and end in minutes, up to 100 years (52,596,000) before or after; rows outside are left out.
        columns: Columns taken: names and glob patterns. Default: all. The default and patterns leave out, with a
            warning, what the spec names as id, subject, environment, group, outcome, split or origin, copies of
            these, and row numbers; what is named is taken.
        exclude: Columns (or glob patterns) not taken.
        numeric: Columns that must be numeric.
        categorical: Columns that are categories even where they look numeric.
        min_level_count: A level seen in fewer train rows counts as unseen; from 1 to 1,000,000,000.
    """

    kind: Literal["table"] = "table"
    columns: NamesOrPattern | None = None
    exclude: Names = Field(default=[])
    numeric: Names = Field(default=[])
    categorical: Names = Field(default=[])
    min_level_count: Count = 5

    @model_validator(mode="after")
    def _a_column_is_one_of_both(self) -> TableSpec:
        both = [name for name in self.numeric if name in self.categorical]
        if both:
            raise ValueError(f"{shown(both)} stand under 'numeric' and under 'categorical'; keep one")
        return self


class EventsSpec(ModalitySpec):
    """Many rows per patient, each a value of an item at a time.

    Args:
        name, source, derive, where, id, join, missing, invalid: As in :class:`TableSpec`.
        time: Column of minutes, of ``hh:mm``/``hh:mm:ss`` text (hours may exceed 24) or of timestamps (these need
            ``origin``), all of one form (see "Times"); without it all events share one step.
        origin: Column of the cohort table that times are counted from.
        window: Start and end in minutes, ``start <= time < end``; default: as train has it, at most 512 steps.
        bin: Minutes per step, from 0.001; a window has at most 100,000 steps.
        item: Long form: column that names the item.
        value: Long form: column of the numbers; without it each row is an occurrence with value 1.
        values: Wide form instead: columns of numbers, each an item; names and glob patterns.
        min_count: Items with fewer events in train are dropped, and reported; from 1 to 1,000,000,000.
        elapsed: Long form, instead of ``value``: the value is how long before the origin the row's time lies, in
            ``minutes``, ``hours``, ``days`` or ``years`` (of 365.25 days): the age, of a row that holds the birth.
        match: ``"subject"`` where ``id`` names the person rather than the patient: every patient of that person gets
            the row, its time counted from the patient's own origin. Long form only.
    """

    kind: Literal["events"] = "events"
    bin: Bin = 60.0
    item: str | None = None
    value: str | None = None
    values: NamesOrPattern | None = None
    min_count: Count = 10
    elapsed: Literal["minutes", "hours", "days", "years"] | None = None
    match: Literal["subject"] | None = None

    @model_validator(mode="after")
    def _long_or_wide(self) -> EventsSpec:
        if self.values is None and self.item is None and self.value is not None:
            self.values, self.value = [self.value], None
        if (self.values is None) == (self.item is None):
            raise ValueError("expected either 'item' (with 'value': long form) or 'values' (wide form)")
        if self.values is not None and self.value is not None:
            raise ValueError("'value' goes with 'item' (long form), not with 'values' (wide form)")
        if self.elapsed is not None and (self.item is None or self.value is not None or self.origin is None):
            raise ValueError("'elapsed' goes with 'item', 'time' and 'origin', and stands in place of 'value'")
        if self.values is not None and self.match is not None:
            raise ValueError("match = 'subject' goes with 'item' (long form), not with 'values' (wide form)")
        if self.value is None and self.values is None and (self.missing or self.invalid != "error"):
            field = "missing" if self.missing else "invalid"
            raise ValueError(f"{field!r} is about cells of 'value', which is not given; leave rows out with 'where'")
        if self.time is None and self.bin != type(self).model_fields["bin"].default:
            raise ValueError("'bin' goes with 'time': without it all events of a patient share one step")
        if self.window is not None and (self.window[1] - self.window[0]) / self.bin > MOST_STEPS:
            raise ValueError(
                f"bin: expected at most {MOST_STEPS:,} steps in a window, got {self.bin:g} minutes per step in the "
                f"window {list(self.window)}; take a larger bin"
            )
        return self


class CodesSpec(ModalitySpec):
    """Many rows per patient, together a set of codes. A blank code still says that the record exists.

    Args:
        name, source, derive, where, id, join, time, origin, window: As in :class:`TableSpec`.
        code: Column of the codes.
        missing: Codes that drop their row.
        separator: Levels of a hierarchical code: with ``"|"``, ``a|b|c`` also contributes ``a`` and ``a|b``.
        split_on: Several codes in one cell, ``"401.9, I10"`` with ``","``.
        min_count: Codes of fewer train patients count as rare; from 1 to 1,000,000,000.
        max_codes: Keep at most this many codes, the most frequent in train; from 1 to 1,000,000,000.
        match: As in :class:`EventsSpec`.
    """

    reads_numbers: ClassVar[bool] = False

    kind: Literal["codes"] = "codes"
    code: str
    separator: Annotated[str, Field(min_length=1)] | None = None
    split_on: Annotated[str, Field(min_length=1)] | None = None
    min_count: Count = 5
    max_codes: Count | None = None
    match: Literal["subject"] | None = None


class EmbeddingSpec(ModalitySpec):
    """One precomputed vector per patient.

    Args:
        name, source, derive, where, id, join, time, origin, window: As in :class:`TableSpec`.
        columns: The vector's columns, names and glob patterns (in the order of the file), or one list-valued column.
    """

    reads_numbers: ClassVar[bool] = False

    kind: Literal["embedding"] = "embedding"
    columns: NamesOrPattern
