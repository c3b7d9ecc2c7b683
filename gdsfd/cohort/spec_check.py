"""Everything that is wrong with a spec and its exports, at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gdsfd.cohort.build import fitted_by_name
from gdsfd.cohort.checks.cohort_faults import read_with_faults
from gdsfd.cohort.checks.modality_faults import modality_faults
from gdsfd.cohort.checks.repeated_rows import find_repeated_rows
from gdsfd.cohort.checks.unused_columns import find_unused
from gdsfd.cohort.formats.expansion import expand, has_format
from gdsfd.cohort.receipt.receipt import Finding, SourceReceipt
from gdsfd.cohort.schema import CohortSchema
from gdsfd.cohort.sources.sources import Sources
from gdsfd.cohort.spec import CohortSpec
from gdsfd.cohort.spec.cohort_spec import read_fields
from gdsfd.cohort.spec.column_needs import needs_of_spec
from gdsfd.cohort.spec.salvage import salvaged
from gdsfd.errors import InputError

__all__ = ["Fault", "SpecCheck", "check_spec"]


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong.

    Args:
        where: ``"spec"``, ``"cohort"`` or a modality's name.
        text: What is wrong, where, and what to do.
    """

    where: str
    text: str


@dataclass
class SpecCheck:
    """What was found.

    Args:
        faults: What is wrong: with it, nothing can be built. Empty = the spec builds.
        warnings: What is allowed, but perhaps not meant.
        cohort: What was read of the cohort table; None where it is faulty.
        modalities: What was read of each modality that is not faulty.
        stands_for: Of a spec with a format, the fields that it stands for, as TOML would have them.
        left_out: What a format leaves out, and why.
        chosen: Name of a modality -> how a format chose its rows.
    """

    faults: list[Fault] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)
    cohort: SourceReceipt | None = None
    modalities: list[SourceReceipt] = field(default_factory=list)
    stands_for: dict[str, Any] | None = None
    left_out: list[str] = field(default_factory=list)
    chosen: dict[str, list[str]] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults


def check_spec(
    spec: str | Path | CohortSpec,
    like: Any = None,
    *,
    scratch: Path | None = None,
    on_part: Callable[[str], None] | None = None,
) -> SpecCheck:
    """Looks at a spec and at all the files it names, builds nothing and writes nothing.

    Every part is looked at, also when an earlier one is wrong: the words of the spec, the files, their columns, ids,
    outcome values, times and numbers. Files are read as a build reads them, so a spec without a fault builds.

    Args:
        spec: Path of a TOML spec, or the spec itself.
        like: A graph, a trained model or a schema that the spec's patients are new for, as ``build_graph`` takes it.
        scratch: Folder for the database while exports are read; default: a private temporary one.
        on_part: Told the name of each part before it is read.

    Returns:
        What is wrong, and what is there.

    Raises:
        InputError: There is no such file, it is not TOML, or the data are not of the format that it names.

    Example:
        >>> check_spec("cohort.toml").ok  # doctest: +SKIP
        True
    """
    found = SpecCheck()
    left, told = (spec, []) if isinstance(spec, CohortSpec) else salvaged(_fields(spec, found))
    found.faults += [Fault("spec", text) for text in told]
    if left is None:
        return found
    tell = on_part or (lambda name: None)
    schema = like if like is None or isinstance(like, CohortSchema) else getattr(like, "schema", None)
    if like is not None and not isinstance(schema, CohortSchema):
        raise InputError(f"like: expected a graph, a trained model or a schema, got {type(like).__name__} without one")
    try:
        fitted = fitted_by_name(left, schema)
    except InputError as error:  # nothing can be held against a schema of other parts
        found.faults.append(Fault("spec", str(error)))
        schema, fitted = None, {}
    with Sources(left.base_dir, needs_of_spec(left, schema), scratch, engine=left.engine) as sources:
        tell("cohort")
        rows, told = read_with_faults(left, sources, schema)
        found.faults += [Fault("cohort", text) for text in told]
        if rows is not None and not told:
            found.cohort = rows.receipt
            found.warnings += rows.findings
        for modality in left.modality:
            tell(modality.name)
            looked = modality_faults(modality, sources, rows, fitted.get(modality.name))
            found.faults += [Fault(modality.name, text) for text in looked.told]
            if looked.receipt is not None:
                found.modalities.append(looked.receipt)
                found.warnings += find_repeated_rows(looked.receipt, looked.rows)
        found.warnings += [
            *find_unused(left, schema),
            *sources.findings,
            *sources.declared_missing.findings(),
            *sources.told_of_files(),
        ]
    known: set[str] = set()
    found.faults = [fault for fault in found.faults if not (fault.text in known or known.add(fault.text))]  # type: ignore[func-returns-value]
    return found


def _fields(path: str | Path, found: SpecCheck) -> dict[str, Any]:
    """The fields of a spec's file, without a format."""
    fields = read_fields(path)
    if not has_format(fields):
        return fields
    expansion = expand(fields)
    found.stands_for, found.left_out, found.chosen = expansion.fields, expansion.notes, expansion.of_modality
    return expansion.fields
