"""A first spec for exports: the whole way from a folder to the text of a spec that builds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gdsfd.atomic_write import atomic_file
from gdsfd.cohort.spec_check import SpecCheck
from gdsfd.errors import InputError, cut_text, shown
from gdsfd.first_spec.find_exports import Exports, find_exports
from gdsfd.first_spec.outcomes import outcome_candidates
from gdsfd.first_spec.proposal import Proposal, Request
from gdsfd.first_spec.propose import propose
from gdsfd.first_spec.sample import ExportTable, read_sample
from gdsfd.first_spec.spec_text import spec_text
from gdsfd.first_spec.trial import tried
from gdsfd.private_folder import private_folder

__all__ = ["FirstSpec", "Look", "init_spec", "look_at"]


@dataclass
class FirstSpec:
    """A first spec.

    Args:
        text: The spec, TOML.
        proposal: Its parts.
        check: What was found when it was tried on the whole export; empty where it was not.
    """

    text: str
    proposal: Proposal
    check: SpecCheck


@dataclass
class Look:
    """The tables of an export with their first rows.

    Args:
        tables: Those that can be read.
        skipped: File -> why it is no table.
    """

    tables: list[ExportTable] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)

    @property
    def candidates(self) -> list[str]:
        """Columns that could be the outcome."""
        return outcome_candidates(self.tables)


def look_at(sources: str | Path | Sequence[str | Path], on_part: Callable[[str], None] | None = None) -> Look:
    """Reads headers and first rows.

    Args:
        sources: A folder, a file, a database, or several.
        on_part: Told the name of each table before it is read.

    Raises:
        InputError: There is no table that can be read.
    """
    exports: Exports = find_exports([sources] if isinstance(sources, (str, Path)) else sources)
    look = Look(skipped={Path(path).name: why for path, why in exports.skipped})
    for place in exports.places:
        if on_part is not None:
            on_part(place.name)
        with private_folder("sample") as scratch:
            try:
                table = read_sample(place, scratch)
            except InputError as error:
                look.skipped[Path(place.paths[0]).name] = cut_text(str(error), 200)
                continue
        if table.rows.num_rows:
            look.tables.append(table)
        else:
            look.skipped[place.name] = "it has no rows"
    if not look.tables:
        raise InputError(f"no table can be read: {shown([f'{name}: {why}' for name, why in look.skipped.items()], 3)}")
    return look


def init_spec(
    sources: str | Path | Sequence[str | Path] | Look,
    outcome: str,
    *,
    out: str | Path | None = None,
    positive: Sequence[str] = (),
    negative: Sequence[str] = (),
    classes: Sequence[str] = (),
    id: str | None = None,
    cohort: str | None = None,
    hours: float | None = None,
    untried: bool = False,
    on_part: Callable[[str], None] | None = None,
) -> FirstSpec:
    """Proposes a spec for exports that nobody has described, and tries it on them.

    Every field is a guess from names and cells, with its reason as a comment above it. What would give the outcome away
    is left out and listed. The outcome is not guessed.

    Args:
        sources: A folder, a file, a DuckDB or SQLite file, or several of these; or what :func:`look_at` gave.
        outcome: Its column, ``column`` or ``table.column``.
        out: File to write the spec to; paths in it are relative to its folder. Default: nothing is written, and they
            are relative to the working directory.
        positive, negative, classes: What the outcome's values mean, where it is not plain.
        id: Column of the patient ids; default: as guessed.
        cohort: Table with one row per patient; default: the one that holds the outcome.
        hours: When predictions are made, hours after the beginning; default: as guessed, mostly 24.
        untried: Do not try the spec on the whole export: of a large one that takes as long as a build.
        on_part: Told the name of each table before it is read.

    Returns:
        The spec.

    Raises:
        InputError: Nothing can be read, or no outcome, id or modality can be told; nothing is written.

    Example:
        >>> gdsfd.init_spec("exports/", "died", out="spec.toml")  # doctest: +SKIP
    """
    look = sources if isinstance(sources, Look) else look_at(sources, on_part)
    base_dir = Path() if out is None else Path(out).parent
    base_dir = base_dir.absolute()
    request = Request(outcome, list(positive), list(negative), list(classes), id, cohort, hours)
    proposal = propose(look.tables, request, base_dir)
    proposal.unused |= look.skipped
    check = SpecCheck() if untried else tried(proposal, base_dir, on_part=on_part)
    text = spec_text(proposal)
    if out is not None:
        with atomic_file(out) as temporary:
            temporary.write_text(text, encoding="utf-8")
    return FirstSpec(text, proposal, check)
