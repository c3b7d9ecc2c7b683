"""What is proposed: the parts of a spec, each field with the reasons for it."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Entry", "Proposal", "Request"]


@dataclass
class Request:
    """What the user says.

    Args:
        outcome: Column of the outcome, ``column`` or ``table.column``.
        positive, negative, classes: What its values mean.
        id: Column of the patient ids.
        cohort: The table with one row per patient; default: the one that holds the outcome.
        hours: When predictions are made, hours after the beginning; None = as seems fit.
    """

    outcome: str
    positive: list[str] = field(default_factory=list)
    negative: list[str] = field(default_factory=list)
    classes: list[str] = field(default_factory=list)
    id: str | None = None
    cohort: str | None = None
    hours: float | None = None


@dataclass
class Entry:
    """One block of a spec.

    Args:
        title: Its header, ``"cohort"``, ``"[modality]"`` for a list's entry, ...
        fields: Its fields in order; values as TOML has them, None = there is only something to say of it.
        derive: Name -> SQL, written last.
        above: What is said of the whole block.
        notes: Field -> what is said of it.
        left_out: Why the block is only there as comments; None = it counts.
        table: Name of the table it reads, for whoever asks.
    """

    title: str
    fields: dict[str, object] = field(default_factory=dict)
    derive: dict[str, str] = field(default_factory=dict)
    above: list[str] = field(default_factory=list)
    notes: dict[str, list[str]] = field(default_factory=dict)
    left_out: str | None = None
    table: str = ""

    @property
    def name(self) -> str:
        """The modality's name."""
        return str(self.fields.get("name", self.title))

    @property
    def window(self) -> tuple[float, float] | None:
        """Start and end of its window, minutes."""
        window = self.fields.get("window")
        return (float(window[0]), float(window[1])) if isinstance(window, list) else None


@dataclass
class Proposal:
    """A whole spec.

    Args:
        head: What is said at its top.
        cohort, outcome, split: Its blocks.
        joins: Look-ups of the cohort table.
        modalities: Its modalities, those left out among them.
        unused: Table or file -> why nothing is taken of it.
    """

    head: list[str]
    cohort: Entry
    outcome: Entry
    split: Entry
    joins: list[Entry] = field(default_factory=list)
    modalities: list[Entry] = field(default_factory=list)
    unused: dict[str, str] = field(default_factory=dict)

    @property
    def taken(self) -> list[Entry]:
        """The modalities that count."""
        return [entry for entry in self.modalities if entry.left_out is None]
