"""The receipt: what was read, kept and dropped, and why.

Readers fill :class:`SourceReceipt` while they read; the tables of presence, patterns, subjects and warnings are worked
out from the finished cohort (``gdsfd.cohort.receipt.tables``, ``gdsfd.cohort.checks.leakage``).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from pydantic import TypeAdapter, ValidationError

from gdsfd.errors import InputError
from gdsfd.notebook_table import notebook_table

__all__ = ["Drop", "Finding", "Receipt", "SourceReceipt"]


@dataclass
class Drop:
    """Rows that were read but not kept.

    Args:
        reason: Why, in words a user understands: ``"id not in the cohort"``, ``"outside the window"``.
        rows: How many rows.
        examples: Up to five ids of patients, or names of items.
        names_patients: Whether ``examples`` are ids of patients.
    """

    reason: str
    rows: int
    examples: list[str] = field(default_factory=list)
    names_patients: bool = False


@dataclass
class SourceReceipt:
    """One source: the cohort table or a modality's.

    ``rows_read == rows_kept + sum(drop.rows)`` always holds.

    Args:
        name: ``"cohort"`` or the modality's name.
        kind: ``"cohort"`` or the modality's kind.
        source: The files read, or a word for a DataFrame.
        rows_read: Rows in the source, before any filter.
        rows_kept: Rows that reached the graph.
        patients: Patients with at least one kept row.
        drops: Rows left out, by reason, in the order the filters were applied.
        duplicates: Rows that repeat another row in full (kept or merged; for information).
        notes: What else a user should know: values read as missing by column, columns left out, rare items or codes.
        fitted: Sizes of what was fitted on train rows, e.g. ``{"numeric": 12, "categorical": 3}``, ``{"items": 37}``.
    """

    name: str
    kind: str
    source: list[str]
    rows_read: int
    rows_kept: int
    patients: int
    drops: list[Drop] = field(default_factory=list)
    duplicates: int = 0
    notes: list[str] = field(default_factory=list)
    fitted: dict[str, int] = field(default_factory=dict)


@dataclass
class Finding:
    """A warning: something that is allowed but probably not meant.

    Args:
        kind: ``"leakage"``, ``"presence"``, ``"environment"``, ``"labels"``, ``"range"``, ...
        where: The modality and column, ``"labs.lactate"``.
        text: What was found and what to do, one sentence.
        value: The number behind it, for example the univariate AUROC.
    """

    kind: str
    where: str
    text: str
    value: float | None = None


@dataclass(repr=False)
class Receipt:
    """The whole receipt of one build.

    Args:
        cohort: The cohort table's own receipt.
        modalities: One per modality, in the order of the spec.
        tables: Tables, each a list of rows (dicts): ``"outcome_values"`` (what each value of an outcome's column counts
            as), and, worked out from the finished cohort, ``"splits"``, ``"outcomes"``, ``"presence_by_split"``,
            ``"presence_by_environment"``, ``"presence_by_outcome"``, ``"patterns"``.
        subjects: Subjects per split and ``"overlap"`` (subjects in two splits; always 0).
        findings: Warnings.
        new: Whether these are new patients, read with a fitted schema: nothing was fitted on them.
    """

    cohort: SourceReceipt
    modalities: list[SourceReceipt] = field(default_factory=list)
    tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    subjects: dict[str, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    new: bool = False

    def __repr__(self) -> str:
        # What print(graph) shows; the text for people is gdsfd.cohort.receipt.text.
        return f"Receipt({self.cohort.rows_kept} patients, {len(self.findings)} warnings)"

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        facts = {
            source.name: f"{source.rows_kept:,} of {source.rows_read:,} rows kept, {source.patients:,} patients"
            for source in (self.cohort, *self.modalities)
        }
        facts |= {f"{each.kind}: {each.where}": each.text for each in self.findings}
        return notebook_table("Receipt of new patients" if self.new else "Receipt", facts)

    def forget_ids(self) -> None:
        """Takes the ids of patients out."""
        for drop in (drop for source in (self.cohort, *self.modalities) for drop in source.drops):
            if drop.names_patients:
                drop.examples = []

    def to_dict(self) -> dict[str, Any]:
        """A JSON-able copy."""
        return asdict(self)

    @classmethod
    def from_dict(cls, stored: Any) -> Receipt:
        """Reads what :meth:`to_dict` wrote.

        Raises:
            InputError: A field is missing or of the wrong type.
        """
        try:
            return TypeAdapter(Receipt).validate_python(stored)
        except ValidationError as error:
            first = error.errors()[0]
            raise InputError(f"receipt.{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
