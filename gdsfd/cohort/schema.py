"""What was fitted on the training rows of a cohort: columns, scales, vocabularies, classes.

These descriptions hold no patient. They travel with the graph (as JSON) and with every model trained on it, so that
new patients can be read with the same vocabularies (``build_graph(spec, like=graph)``).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cache
from math import isfinite
from typing import Any

from pydantic import TypeAdapter, ValidationError

from gdsfd.cohort.modality_kind import MODALITY_KINDS
from gdsfd.errors import SchemaError
from gdsfd.plugins import plugin_needs, require_plugins

__all__ = [
    "CODE_RARE",
    "CODE_UNNAMED",
    "LEVEL_MISSING",
    "LEVEL_UNSEEN",
    "QUANTILE_LEVELS",
    "SUMMARY_COLUMNS",
    "CohortSchema",
    "ModalityFields",
    "NumericScale",
    "OutcomeFields",
    "Reading",
    "SurvivalFields",
]

#: Train quantiles kept for every numeric column and item; the median and the quartiles are among them.
QUANTILE_LEVELS: tuple[float, ...] = (
    *(0.0, 0.01, 0.05, 0.1, 0.2, 0.25, 0.3, 0.4, 0.5),
    *(0.6, 0.7, 0.75, 0.8, 0.9, 0.95, 0.99, 1.0),
)

#: What is kept of an item's raw values within the window, one row per patient and item.
SUMMARY_COLUMNS: tuple[str, ...] = ("count", "mean", "min", "max", "first", "last")

LEVEL_MISSING = 0  #: categorical cell: not measured
LEVEL_UNSEEN = 1  #: categorical cell: a level that no training row has
CODE_RARE = 0  #: code: seen in fewer than ``min_count`` training patients, or in none
CODE_UNNAMED = 1  #: code: the record is there, its code is blank


@dataclass(frozen=True)
class NumericScale:
    """Train-row statistics of one numeric column or event item, in the column's own unit.

    Args:
        count: Number of observed training values the statistics come from (0: all others are 0).
        mean: Mean.
        std: Standard deviation (population).
        quantiles: Values at :data:`QUANTILE_LEVELS`, none of them beyond what at least five patients reach
            (:func:`~gdsfd.cohort.columns.scales.numeric_scale`).
    """

    count: int
    mean: float
    std: float
    quantiles: tuple[float, ...]


@dataclass(frozen=True)
class Reading:
    """How the spec had a modality's cells read, as far as those of new patients must be read alike.

    Args:
        missing: Values declared missing, as text.
        separator: Of the levels of codes (``codes``).
        split_on: What stands between several codes of a cell (``codes``).
        elapsed: The unit of values that are elapsed time (``events``).
        occurrences: Whether rows have no value (``events``).
        components: The vector's columns, in order; none where one column holds it as a list (``embedding``).
    """

    missing: tuple[str, ...] = ()
    separator: str | None = None
    split_on: str | None = None
    elapsed: str | None = None
    occurrences: bool = False
    components: tuple[str, ...] = ()


@dataclass(frozen=True)
class ModalityFields:
    """One modality's fitted description.

    Args:
        name: The modality's name.
        kind: ``table``, ``events``, ``codes``, ``embedding``, or a plug-in's (:mod:`gdsfd.cohort.modality_kind`).
        numeric: Names of the numeric columns, in the order of ``TableObservations.numeric`` (kind ``table``).
        categorical: Names of the categorical columns, in the order of ``TableObservations.categorical`` (``table``).
        levels: For each categorical column its levels, most frequent first; level ``j`` is stored as ``j + 2``
            (:data:`LEVEL_MISSING`, :data:`LEVEL_UNSEEN` come first).
        level_counts: Training rows with each level, as long as ``levels``; nothing in schemas of earlier versions
            (``table``).
        items: Names of the items; item ``j`` is stored as ``j`` (``events``).
        steps: Number of time steps in the window; 1 when events carry no time (``events``).
        bin_minutes: Minutes per step; 0 when events carry no time (``events``).
        window: Start and end in minutes that rows lie within, or None. Of kinds other than ``events`` in schemas of
            earlier versions always None.
        codes: Names of the codes; code ``j`` is stored as ``j + 2`` (:data:`CODE_RARE`, :data:`CODE_UNNAMED` come
            first) (``codes``).
        code_counts: Training patients with each code, as long as ``codes`` (``codes``).
        width: Length of a vector (``embedding``).
        scales: One per numeric column (``table``), per item (``events``) or per vector component (``embedding``).
        reading: How cells were read; None in schemas of earlier versions.
    """

    name: str
    kind: str
    numeric: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    levels: tuple[tuple[str, ...], ...] = ()
    level_counts: tuple[tuple[int, ...], ...] = ()
    items: tuple[str, ...] = ()
    steps: int = 0
    bin_minutes: float = 0.0
    window: tuple[float, float] | None = None
    codes: tuple[str, ...] = ()
    code_counts: tuple[int, ...] = ()
    width: int = 0
    scales: tuple[NumericScale, ...] = ()
    reading: Reading | None = None

    def __post_init__(self) -> None:
        if self.kind not in MODALITY_KINDS:
            kinds = MODALITY_KINDS.names()
            raise SchemaError(
                f"modality {self.name!r}: expected a kind among {kinds}, got {self.kind!r}; one that a plug-in "
                "declares is known once the plug-in is imported (command line: --plugin MODULE)"
            )
        if len(self.levels) != len(self.categorical):
            raise SchemaError(
                f"modality {self.name!r}: expected one list of levels per categorical column "
                f"({len(self.categorical)}), got {len(self.levels)}"
            )
        if self.level_counts and [*map(len, self.level_counts)] != [*map(len, self.levels)]:
            raise SchemaError(f"modality {self.name!r}: expected one count per level")


@dataclass(frozen=True)
class OutcomeFields:
    """One outcome.

    Args:
        name: The outcome's name.
        column: The cohort column it is read from.
        classes: The class labels in order. A binary outcome has two: the negative label, then the positive one.
        multiclass: Whether the spec gave ``classes`` (``y`` is then ``long``, -1 = unlabelled) rather than
            ``positive`` (``y`` is then ``float``, NaN = unlabelled).
    """

    name: str
    column: str
    classes: tuple[str, ...]
    multiclass: bool = False


@dataclass(frozen=True)
class SurvivalFields:
    """The time to an event that the outcomes are the intervals of (:mod:`gdsfd.cohort.patients.hazard_intervals`).

    Args:
        name: The outcome's name in the spec.
        time: The cohort column of times.
        event: The cohort column that says whether the event happened.
        cuts: Where intervals end, ascending; the first begins at 0, the last ends at the horizon.
        unit: What times are counted in, or nothing.
    """

    name: str
    time: str
    event: str
    cuts: tuple[float, ...]
    unit: str = ""

    def __post_init__(self) -> None:
        ordered = all(low < high for low, high in self.intervals)
        if len(self.cuts) < 2 or not ordered or not isfinite(self.cuts[-1]):
            raise SchemaError(f"outcome {self.name!r}: expected two or more cut points in order, got {self.cuts}")

    @property
    def horizon(self) -> float:
        """The last time that is predicted."""
        return self.cuts[-1]

    @property
    def intervals(self) -> tuple[tuple[float, float], ...]:
        """Beginning and end of each."""
        return tuple(zip((0.0, *self.cuts[:-1]), self.cuts, strict=True))

    @property
    def interval_names(self) -> tuple[str, ...]:
        """What the outcomes are called: ``"death: 0 to 14 days"``."""
        return tuple(f"{self.name}: {self._number(low)} to {self.spelled(high)}" for low, high in self.intervals)

    def spelled(self, time: float) -> str:
        """A time with its unit."""
        return f"{self._number(time)} {self.unit}".rstrip()

    def _number(self, time: float) -> str:
        short = f"{time:.6g}"
        # six digits, unless two cut points would then look the same
        return short if len({f"{cut:.6g}" for cut in self.cuts}) == len(self.cuts) else repr(float(time))


@dataclass(frozen=True)
class CohortSchema:
    """All that was fitted on a cohort's training rows, with the words of its spec. Holds no patient.

    Args:
        modalities: One description per modality, in the order of the spec.
        outcomes: One per outcome, in the order of the spec.
        groups: Names of the fairness attributes.
        environment: Name of the environment column(s), joined by ``+``, or None.
        survival: Of a time to an event: its intervals, which are the outcomes; else None.
    """

    modalities: tuple[ModalityFields, ...]
    outcomes: tuple[OutcomeFields, ...]
    groups: tuple[str, ...] = ()
    environment: str | None = None
    survival: SurvivalFields | None = None

    def __post_init__(self) -> None:
        if self.survival is not None and len(self.survival.cuts) != len(self.outcomes):
            raise SchemaError(
                f"outcome {self.survival.name!r}: expected one outcome per interval ({len(self.survival.cuts)}), got "
                f"{len(self.outcomes)}"
            )

    @property
    def declared_outcomes(self) -> tuple[str, ...]:
        """The outcomes' names as the spec has them: of a time to an event its one name."""
        return (self.survival.name,) if self.survival is not None else tuple(one.name for one in self.outcomes)

    @property
    def names(self) -> tuple[str, ...]:
        """The modalities' names, in order."""
        return tuple(modality.name for modality in self.modalities)

    @property
    def multiclass(self) -> bool:
        """Whether the outcome is one of several classes."""
        return len(self.outcomes) == 1 and self.outcomes[0].multiclass

    @property
    def num_outputs(self) -> int:
        """Width of a model's head: the classes of a multi-class outcome, else one per outcome."""
        return len(self.outcomes[0].classes) if self.multiclass else len(self.outcomes)

    def __str__(self) -> str:
        # What print(graph) shows: the whole of a fitted schema would fill many screens.
        outcomes = ", ".join(self.declared_outcomes)
        return f"CohortSchema({len(self.modalities)} modalities, outcomes: {outcomes})"

    def to_dict(self) -> dict[str, Any]:
        """A JSON-able copy. Kinds of modality that plug-ins declare stand in it with their modules, as ``plugins``."""
        needs = plugin_needs(("modality kind", modality.kind) for modality in self.modalities)
        return {**self.plain(), **({"plugins": needs} if needs else {})}

    def plain(self) -> dict[str, Any]:
        """The fields alone, as an earlier version has them where nothing is said that it does not know."""
        fields = asdict(self)
        if self.survival is None:
            del fields["survival"]
        for modality in fields["modalities"]:
            if modality["reading"] is None:
                del modality["reading"]
            if not modality["level_counts"]:
                del modality["level_counts"]
        return fields

    @classmethod
    def from_dict(cls, stored: Any) -> CohortSchema:
        """Reads what :meth:`to_dict` wrote; keys that it does not know are passed over.

        Raises:
            InputError: A kind of modality is of a plug-in that is not loaded. Names the plug-in.
            SchemaError: A field is missing, of the wrong type, or does not fit the others.
        """
        try:
            needs = stored.get("plugins", []) if isinstance(stored, dict) else []
            require_plugins(_adapter(list[dict[str, str]]).validate_python(needs), "the schema")
            schema: CohortSchema = _adapter(CohortSchema).validate_python(stored)
            return schema
        except ValidationError as error:
            first = error.errors()[0]
            raise SchemaError(f"schema.{'.'.join(map(str, first['loc']))}: {first['msg']}") from None


@cache
def _adapter(hint: Any) -> TypeAdapter[Any]:
    """Made once: making one takes longer than reading with it."""
    return TypeAdapter(hint)
