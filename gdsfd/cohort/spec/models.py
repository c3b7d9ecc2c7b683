"""The spec: which exports make up a cohort, and how they are read.

Written in TOML and read by :func:`load_spec`, or built in Python with the same field names. Nothing here opens a data
file; the models only check that the words of the spec make sense.
"""

from __future__ import annotations

import tomllib
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from gdsfd.cohort.keys.spellings import equal_values
from gdsfd.cohort.spec.errors import describe
from gdsfd.cohort.spec.numbers import MOST_STEPS, Bin, Count, Folds, Minutes, Scalar, Seed, Share
from gdsfd.cohort.spec.row_expression import row_expression
from gdsfd.errors import InputError, SpecError, shown

__all__ = [
    "CodesSpec",
    "CohortSpec",
    "CohortTable",
    "EmbeddingSpec",
    "EventsSpec",
    "JoinSpec",
    "ModalitySpec",
    "OutcomeSpec",
    "SplitSpec",
    "TableSpec",
    "load_spec",
]


def _listed(value: Any) -> Any:
    return value if isinstance(value, (list, tuple)) else [value]


def _as_texts(value: Any) -> Any:
    """A list of texts; whole numbers, such as hospital ids, may be written without quotes."""
    return [str(part) if type(part) is int else part for part in _listed(value)]


Names = Annotated[list[str], BeforeValidator(_listed)]
Scalars = Annotated[list[Scalar], BeforeValidator(_listed), Field(max_length=10_000)]
Labels = Annotated[list[Scalar], BeforeValidator(_listed), Field(max_length=1000)]
Name = Annotated[str, Field(max_length=200)]
#: Names and glob patterns such as ``"e_*"``, in a list or alone.
NamesOrPattern = list[str] | str


def _admit(text: str, named: str) -> None:
    try:
        row_expression(text)
    except SpecError as error:
        raise ValueError(f"{named}{text!r}: {error}") from None


class _Fields(BaseModel):
    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)


class _TableFields(_Fields):
    source: Any
    derive: dict[str, str] = {}

    @field_validator("source")
    @classmethod
    def _source_is_readable(cls, value: Any) -> Any:
        if (
            value is None
            or isinstance(value, (bool, int, float, list, dict))
            or (isinstance(value, str) and not value.strip())
        ):
            raise ValueError(f"expected a path, a glob, a DataFrame or an Ibis table, got {value!r}")
        return value

    @field_validator("derive")
    @classmethod
    def _derived_are_expressions(cls, derive: dict[str, str]) -> dict[str, str]:
        for name, text in derive.items():
            _admit(text, f"{name} = ")
        return derive


class _SourceFields(_TableFields):
    where: str | None = None

    @field_validator("where")
    @classmethod
    def _where_is_an_expression(cls, text: str | None) -> str | None:
        if text is not None:
            _admit(text, "")
        return text


class JoinSpec(_TableFields):
    """A look-up table whose columns are put beside the cohort's rows (left join).

    Args:
        source: As in :class:`CohortTable`.
        on: Column that both tables have; unique in the look-up.
        columns: Columns taken from the look-up.
        derive: New columns of the look-up, name -> SQL expression, for example to write its key as the cohort does.
    """

    on: str
    columns: Names


class CohortTable(_SourceFields):
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
        list[str] | None, BeforeValidator(lambda value: value if value is None else _listed(value))
    ] = None
    groups: Names = []
    join: Annotated[list[JoinSpec], BeforeValidator(_listed)] = []


class OutcomeSpec(_Fields):
    """What is predicted.

    Values are compared as text, and numerically where both sides are numbers: ``1``, ``"1"`` and ``"1.0"`` are equal.

    Args:
        name: The outcome's name.
        column: Column of the cohort table (or joined, or derived).
        positive: Value or values of the positive class of a binary outcome.
        negative: Value or values of the negative class; default: every other value that is not blank.
        classes: Instead of ``positive``: the values of a multi-class outcome, in order.
        missing: Values that mean "unlabelled". ``positive``, ``negative``, ``classes`` and ``missing`` take texts and
            finite numbers, up to 1,000 of them; a value stands in one of them.
    """

    name: Name
    column: str
    positive: Labels = []
    negative: Labels = []
    classes: Labels = []
    missing: Labels = []

    @model_validator(mode="after")
    def _one_way_of_labelling(self) -> OutcomeSpec:
        if bool(self.positive) == bool(self.classes):
            raise ValueError("expected either 'positive' (binary) or 'classes' (several classes)")
        if self.classes and self.negative:
            raise ValueError("'negative' goes with 'positive', not with 'classes'")
        if self.classes and len({str(value) for value in self.classes}) < max(2, len(self.classes)):
            raise ValueError(f"expected at least two different classes, got {self.classes}")
        lists = {"positive": self.positive, "negative": self.negative, "missing": self.missing}
        parts = [
            *((field, value) for field, values in lists.items() for value in values),
            *((f"classes[{number}]", value) for number, value in enumerate(self.classes)),
        ]
        for (field, value), (other, again) in combinations(parts, 2):
            if field != other and (equal_values(str(value), again) or equal_values(str(again), value)):
                raise ValueError(f"{field} has {value!r} and {other} has {again!r}, which are equal; keep one")
        return self


class SplitSpec(_Fields):
    """Who trains, who tunes, who tests. All patients of a subject are in one split.

    With ``like`` (new patients for a trained model) nobody trains: all are the evaluation set ``new``, unless ``kind``
    is ``column`` and the column is there.

    Args:
        kind: ``subject`` (random, stratified by outcome), ``environment`` (``holdout`` is the test set), ``time`` (the
            latest subjects are the test set) or ``column`` (a column of the cohort table says it).
        fractions: Shares of train, tuning and test, from 0 to 1; train above 0.
        seed: Of the random assignment, from 0 to 4,294,967,295.
        column: For ``time`` a column of numbers or timestamps; for ``column`` one whose values are split names.
        holdout: For ``environment``: the environments of the test set.
        folds: Subject-grouped, stratified cross-validation: the number of folds, from 2 to 1,000.
        fold: Which of them is the test set, ``0 .. folds - 1``; the rest is shared by train and tuning.
    """

    kind: Literal["subject", "environment", "time", "column"] = "subject"
    fractions: tuple[Share, Share, Share] = (0.7, 0.1, 0.2)
    seed: Seed = 0
    column: str | None = None
    holdout: Annotated[list[str], BeforeValidator(_as_texts)] = []
    folds: Folds | None = None
    fold: Seed = 0

    @model_validator(mode="after")
    def _fields_fit_the_kind(self) -> SplitSpec:
        if min(self.fractions) < 0 or abs(sum(self.fractions) - 1) > 1e-6 or self.fractions[0] == 0:
            raise ValueError(
                f"fractions: expected three shares (train, tuning, test) that add up to 1, got {list(self.fractions)}"
            )
        if self.kind in ("time", "column") and self.column is None:
            raise ValueError(f"kind {self.kind!r} needs 'column'")
        if self.kind == "environment" and not self.holdout:
            raise ValueError("kind 'environment' needs 'holdout', the environments of the test set")
        if self.folds is not None and self.kind != "subject":
            raise ValueError(f"folds go with kind 'subject', got kind {self.kind!r}")
        if self.folds is not None and self.fold >= self.folds:
            raise ValueError(f"fold: expected 0 .. {self.folds - 1}, got {self.fold}")
        return self


class _ModalityFields(_SourceFields):
    name: Name
    id: str
    missing: Scalars = []
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
    def _time_fields_go_together(self) -> _ModalityFields:
        if self.time is None and (self.window is not None or self.origin is not None):
            raise ValueError("'window' and 'origin' need 'time', the column they apply to")
        if self.window is not None and not self.window[0] < self.window[1]:
            raise ValueError(f"window: expected start < end in minutes, got {list(self.window)}")
        return self


class TableSpec(_ModalityFields):
    """At most one row per patient.

    Args:
        name: The modality's name.
        source, derive, where: As in :class:`CohortTable`.
        id: Column of the patient ids.
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
    exclude: Names = []
    numeric: Names = []
    categorical: Names = []
    min_level_count: Count = 5


class EventsSpec(_ModalityFields):
    """Many rows per patient, each a value of an item at a time.

    Args:
        name, source, derive, where, id, missing, invalid: As in :class:`TableSpec`.
        time: Column of minutes, of ``hh:mm``/``hh:mm:ss`` text (hours may exceed 24) or of timestamps (these need
            ``origin``), all of one form (see "Times"); without it all events share one step.
        origin: Column of the cohort table that times are counted from.
        window: Start and end in minutes, ``start <= time < end``; default: as train has it, at most 512 steps.
        bin: Minutes per step, from 0.001; a window has at most 100,000 steps.
        item: Long form: column that names the item.
        value: Long form: column of the numbers; without it each row is an occurrence with value 1.
        values: Wide form instead: columns of numbers, each an item; names and glob patterns.
        min_count: Items with fewer events in train are dropped, and reported; from 1 to 1,000,000,000.
    """

    kind: Literal["events"] = "events"
    bin: Bin = 60.0
    item: str | None = None
    value: str | None = None
    values: NamesOrPattern | None = None
    min_count: Count = 10

    @model_validator(mode="after")
    def _long_or_wide(self) -> EventsSpec:
        if self.values is None and self.item is None and self.value is not None:
            self.values, self.value = [self.value], None
        if (self.values is None) == (self.item is None):
            raise ValueError("expected either 'item' (with 'value': long form) or 'values' (wide form)")
        if self.values is not None and self.value is not None:
            raise ValueError("'value' goes with 'item' (long form), not with 'values' (wide form)")
        if self.window is not None and (self.window[1] - self.window[0]) / self.bin > MOST_STEPS:
            raise ValueError(
                f"bin: expected at most {MOST_STEPS:,} steps in a window, got {self.bin:g} minutes per step in the "
                f"window {list(self.window)}; take a larger bin"
            )
        return self


class CodesSpec(_ModalityFields):
    """Many rows per patient, together a set of codes. A blank code still says that the record exists.

    Args:
        name, source, derive, where, id, time, origin, window: As in :class:`TableSpec`.
        code: Column of the codes.
        missing: Codes that drop their row.
        separator: Levels of a hierarchical code: with ``"|"``, ``a|b|c`` also contributes ``a`` and ``a|b``.
        split_on: Several codes in one cell, ``"401.9, I10"`` with ``","``.
        min_count: Codes of fewer train patients count as rare; from 1 to 1,000,000,000.
        max_codes: Keep at most this many codes, the most frequent in train; from 1 to 1,000,000,000.
    """

    kind: Literal["codes"] = "codes"
    code: str
    separator: Annotated[str, Field(min_length=1)] | None = None
    split_on: Annotated[str, Field(min_length=1)] | None = None
    min_count: Count = 5
    max_codes: Count | None = None


class EmbeddingSpec(_ModalityFields):
    """One precomputed vector per patient.

    Args:
        name, source, derive, where, id, time, origin, window: As in :class:`TableSpec`.
        columns: The vector's columns, names and glob patterns (in the order of the file), or one list-valued column.
    """

    kind: Literal["embedding"] = "embedding"
    columns: NamesOrPattern


ModalitySpec = TableSpec | EventsSpec | CodesSpec | EmbeddingSpec


class CohortSpec(_Fields):
    """The whole spec.

    Args:
        cohort: The cohort table.
        outcome: One outcome or several binary ones (multi-label), up to 1,000.
        split: How patients are shared out.
        modality: The modalities, in the order the graph will have them; up to 10,000.
        base_dir: Folder that relative paths start from; default: the working directory.

    Raises:
        SpecError: An unknown key, a value of the wrong type, or fields that contradict each other.
    """

    cohort: CohortTable
    outcome: Annotated[list[OutcomeSpec], BeforeValidator(_listed), Field(min_length=1, max_length=1000)]
    split: SplitSpec = SplitSpec()
    modality: Annotated[
        list[Annotated[ModalitySpec, Field(discriminator="kind")]],
        BeforeValidator(_listed),
        Field(min_length=1, max_length=10_000),
    ]
    base_dir: Path = Path()

    def __init__(self, **fields: Any) -> None:
        try:
            super().__init__(**fields)
        except ValidationError as error:
            raise SpecError(describe(error, type(self), fields)) from None

    @model_validator(mode="after")
    def _parts_fit_together(self) -> CohortSpec:
        for what, names in (
            ("modality", [modality.name for modality in self.modality]),
            ("outcome", [outcome.name for outcome in self.outcome]),
        ):
            repeated = sorted({name for name in names if names.count(name) > 1})
            if repeated:
                raise ValueError(f"{what} names must differ, got {shown(repeated)} more than once")
        if len(self.outcome) > 1 and any(outcome.classes for outcome in self.outcome):
            raise ValueError("several outcomes must all be binary ('positive'); 'classes' stands alone")
        if self.split.kind == "environment" and not self.cohort.environment:
            raise ValueError("split.kind 'environment' needs cohort.environment")
        return self

    def to_dict(self) -> dict[str, Any]:
        """A JSON-able copy; a DataFrame becomes ``"<DataFrame>"``, paths stay as written (variables unexpanded)."""
        return _plain(self.model_dump(exclude={"base_dir"}, exclude_none=True))


def load_spec(path: str | Path) -> CohortSpec:
    """Reads a spec from a TOML file; its relative paths start from the file's folder.

    Args:
        path: The file.

    Raises:
        InputError: No such file.
        SpecError: It is not TOML, or not a spec.
    """
    path = Path(path)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"the spec {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise SpecError(f"the spec {path} is not UTF-8 (byte {error.start}); save it as UTF-8") from None
    try:
        fields = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, lists thousands deep
        raise SpecError(f"the spec {path} is not valid TOML: {error}") from None
    try:
        return CohortSpec(**{"base_dir": path.resolve().parent, **fields})
    except SpecError as error:
        raise SpecError(f"{path}: {error}") from None


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return str(value) if isinstance(value, Path) else f"<{type(value).__name__}>"
