"""ModalityKind: all that a kind of modality is to this package, in one record, and the registry of kinds.

A kind says what an entry of the spec holds, how it is read, how its observations lie in a graph, and what is told of
them. Everything else asks the record. An own kind is declared by registering a record in a plug-in:

>>> from gdsfd.cohort.modality_kind import MODALITY_KINDS
>>> MODALITY_KINDS.find("table").name, "waveform" in MODALITY_KINDS
('table', False)
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gdsfd.errors import InputError
from gdsfd.registry import REGISTRIES, Registry

if TYPE_CHECKING:
    from gdsfd.cohort.checks.candidates import Flags, Ranked
    from gdsfd.cohort.cohort import Observations
    from gdsfd.cohort.receipt.receipt import SourceReceipt
    from gdsfd.cohort.schema import ModalityFields, NumericScale
    from gdsfd.cohort.spec.column_needs import ColumnNeeds

__all__ = ["MODALITY_KINDS", "Arrays", "Block", "ModalityKind", "Values", "kind_of", "packed_runs"]

#: The arrays of a modality's observations, by the keys of the kind's layout.
Arrays = Mapping[str, NDArray[Any]]
#: Columns of the flat table and their names: float32 [n, F] and F names.
Block = tuple[NDArray[np.float32], list[str]]
#: A numeric column for :mod:`gdsfd.cohort.checks.ranges`: name, values [n, scales], the scales they are judged by.
Range = tuple[str, NDArray[np.floating], tuple["NumericScale", ...]]


@dataclass(frozen=True)
class Values:
    """One array of a kind's observations: what a right one looks like.

    Args:
        sizes: Its sizes after the first, from the fitted description; default: none.
        below: Its whole numbers lie between 0 and this (one number, or one per column); None = it holds floats.
        may_miss: Whether floats may be NaN, "not measured".
    """

    sizes: Callable[[ModalityFields], tuple[int, ...]] = lambda fields: ()
    below: Callable[[ModalityFields], int | Sequence[int]] | None = None
    may_miss: bool = False

    @property
    def floating(self) -> bool:
        """Whether it holds floats."""
        return self.below is None


@dataclass(frozen=True)
class ModalityKind:
    """A kind of modality.

    Args:
        name: The kind's name, ``kind = "..."`` in a spec.
        spec: The pydantic model of its entry in a spec, a subclass of :class:`~gdsfd.cohort.spec.ModalitySpec`; or
            ``"module:name"``, imported when a spec is first read (built-in kinds: a prediction needs no database).
        reader: Reads its rows, like :func:`~gdsfd.cohort.readers.table.read_table`; or ``"module:name"``. Takes the
            spec's entry, a view of its source, the patients, the sources and a fitted description or None; returns
            observations (a dataclass with ``patient`` and the arrays of the layout), what was fitted, and a receipt.
        rows: Layout: arrays with one row per observation.
        runs: Layout: pointer -> arrays that it points into. The run of observation ``e`` is
            ``pointer[e]:pointer[e + 1]``.
        flatten: Columns of the flat table that baselines read: from the fitted description, the arrays, and for each
            row wanted its observation (-1 = absent), int64 [n].
        describe: What it holds, in a few words, for :func:`gdsfd.summary`.
        needs: Adds the columns that an entry asks of its source; default: all columns.
        timed: Whether its rows usually have a time (a source with times but no window is then warned of).
        columns: Names of its columns that may be declared as suspects (``column:<modality>.<name>``).
        column: Such a column of all observations: whole numbers (levels, 0 = not measured) or floats (NaN); [E].
        content: Observations as numbers, for suspects of the form ``modality:<name>``; float64 [E, F]; default: the
            flat table.
        cells: Names of its feature nodes: those with values, and those that are only there or not.
        candidates: Single columns that could give the outcome away, for patients numbered ``owner`` (-1 = passed over);
            default: those of the flat table.
        ranges: Columns whose values are compared with those of training; default: none.
    """

    name: str
    spec: type[Any] | str
    reader: Callable[..., tuple[Observations, ModalityFields, SourceReceipt]] | str
    rows: Mapping[str, Values]
    flatten: Callable[[ModalityFields, Arrays, NDArray[np.int64]], Iterator[Block]]
    describe: Callable[[ModalityFields], str]
    runs: Mapping[str, Mapping[str, Values]] = field(default_factory=dict)
    needs: Callable[[ColumnNeeds, Any, ModalityFields | None], None] | None = None
    timed: bool = True
    columns: Callable[[ModalityFields], Sequence[str]] = lambda fields: ()
    column: Callable[[ModalityFields, Arrays, str], NDArray[Any]] | None = None
    content: Callable[[ModalityFields, Arrays, int], NDArray[np.float64]] | None = None
    cells: Callable[[ModalityFields], tuple[list[str], list[str]]] | None = None
    candidates: Callable[[ModalityFields, Any, NDArray[np.int64]], Iterator[Ranked | Flags]] | None = None
    ranges: Callable[[ModalityFields, Any], Iterator[Range]] | None = None

    @property
    def declared_in(self) -> str:
        """The module that declares the kind: where its flattening is defined."""
        return self.flatten.__module__

    @property
    def spec_model(self) -> type[Any]:
        """The pydantic model of its entry in a spec."""
        return _loaded(self.spec)

    def read(self, *given: Any) -> tuple[Observations, ModalityFields, SourceReceipt]:
        """Calls the reader."""
        return _loaded(self.reader)(*given)

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of its arrays: rows, then pointers with what they point into."""
        return (*self.rows, *(key for pointer, arrays in self.runs.items() for key in (pointer, *arrays)))

    @property
    def packed(self) -> dict[str, tuple[str, ...]]:
        """Pointer -> keys of the arrays that it points into."""
        return {pointer: tuple(arrays) for pointer, arrays in self.runs.items()}

    def cell_names(self, fields: ModalityFields) -> tuple[list[str], list[str]]:
        """Names of feature nodes with values, and of those that are only there or not."""
        return ([f"[{self.name}]"], []) if self.cells is None else self.cells(fields)

    def numbers(self, fields: ModalityFields, arrays: Arrays, total: int) -> NDArray[np.float64]:
        """One row of numbers per observation; float64 [E, F]."""
        if self.content is not None:
            return self.content(fields, arrays, total)
        blocks = [block for block, _ in self.flatten(fields, arrays, np.arange(total))]
        return np.concatenate([np.zeros((total, 0)), *blocks], axis=1).astype(np.float64)


#: Every kind of modality, by name. Imported twice, as pytest does for doctests, the module keeps to one registry.
MODALITY_KINDS: Registry[ModalityKind] = REGISTRIES.get("modality kind") or Registry(
    "modality kind",
    [f"gdsfd.cohort.kinds.{name}" for name in ("table", "events", "codes", "embedding")],
)


def kind_of(fields: ModalityFields) -> ModalityKind:
    """The record of a modality's kind.

    Raises:
        InputError: No such kind is declared here.
    """
    return MODALITY_KINDS.find(fields.kind, f"modality {fields.name!r}")


_packed: dict[tuple[str, ...], dict[str, tuple[str, ...]]] = {}


def packed_runs() -> dict[str, tuple[str, ...]]:
    """Pointer -> keys of the arrays that it points into, of all declared kinds.

    Raises:
        InputError: Two kinds give one key two meanings: the values of one patient could be given to another.
    """
    names = MODALITY_KINDS.names()
    if names not in _packed:
        meaning: dict[str, tuple[str, str]] = {}
        for name in names:
            kind = MODALITY_KINDS.find(name)
            own = {key: "rows" for key in kind.rows}
            for pointer, keys in kind.packed.items():
                own |= {pointer: "pointer", **dict.fromkeys(keys, pointer)}
            for key, use in own.items():
                other, before = meaning.setdefault(key, (name, use))
                if before != use:
                    raise InputError(
                        f"the modality kinds {other!r} and {name!r} lay out {key!r} in two ways ({before}, {use}); "
                        "give the array another name"
                    )
        pointers = [key for key, (_, use) in meaning.items() if use == "pointer"]
        _packed[names] = {
            pointer: tuple(key for key, (_, use) in meaning.items() if use == pointer) for pointer in pointers
        }
    return _packed[names]


def _loaded(part: Any) -> Any:
    if not isinstance(part, str):
        return part
    module, _, name = part.partition(":")
    return getattr(importlib.import_module(module), name)
