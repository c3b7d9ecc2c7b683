"""Whether a proposal builds: it is checked like any spec; what cannot be read is mended, or left out with a reason."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from gdsfd.cohort.spec import CohortSpec
from gdsfd.cohort.spec_check import SpecCheck, check_spec
from gdsfd.errors import InputError, cut_text
from gdsfd.first_spec.proposal import Entry, Proposal
from gdsfd.first_spec.spec_text import spec_text

__all__ = ["tried"]

_ROUNDS = 4


def tried(
    proposal: Proposal, base_dir: Path, scratch: Path | None = None, on_part: Callable[[str], None] | None = None
) -> SpecCheck:
    """Mends a proposal until it has no fault.

    Text among numbers is read as missing; a modality that still cannot be read is left out, with the message as reason.

    Args:
        proposal: What is proposed; it is changed.
        base_dir: The folder that the spec will be in.
        scratch: Folder for the database; default: a private one.
        on_part: Told the name of each part before it is read.

    Returns:
        What the last check found.

    Raises:
        InputError: The cohort table itself cannot be read as proposed, or no modality is left.
    """
    whole = SpecCheck()
    waiting = proposal.taken
    for _ in range(_ROUNDS):
        if not proposal.taken:
            why = "; ".join(f"{entry.name}: {entry.left_out}" for entry in proposal.modalities[:5])
            raise InputError(f"no table is left that a modality could be made of. {why}")
        if not waiting:
            return whole
        part = replace(proposal, modalities=waiting)
        spec = CohortSpec(**_absolute(tomllib.loads(spec_text(part)), base_dir))
        found = check_spec(spec, scratch=scratch, on_part=on_part)
        whole.cohort, whole.warnings = found.cohort, [*whole.warnings, *found.warnings]
        whole.modalities += found.modalities
        told: dict[str, list[str]] = {}
        for fault in found.faults:
            told.setdefault(fault.where, []).append(fault.text)
        names = {entry.name for entry in waiting}
        for where in set(told) - names:
            _mend_cohort(proposal, told[where])
        if set(told) - names:
            whole, waiting = SpecCheck(), proposal.taken
            continue
        wrong = [entry for entry in waiting if entry.name in told]
        for entry in wrong:
            _mend(entry, told[entry.name])
        waiting = [entry for entry in wrong if entry.left_out is None]
    raise InputError(
        f"no spec could be found that reads this export; the last fault: {cut_text(found.faults[0].text, 500)}"
    )


def _absolute(fields: dict[str, Any], base_dir: Path) -> dict[str, Any]:
    """The fields with absolute paths: the folder that the spec will be in need not be there yet."""
    cohort = fields["cohort"]
    for part in (cohort, *cohort.get("join", []), *fields["modality"]):
        part["source"] = os.path.normpath(os.path.join(base_dir, part["source"]))
    return {"base_dir": base_dir, **fields}


def _mend_cohort(proposal: Proposal, texts: list[str]) -> None:
    """Environment and groups can be done without; an id or an outcome that is refused cannot."""
    for name in ("environment", "groups"):
        if proposal.cohort.fields.get(name) is not None and any(f"cohort.{name}" in text for text in texts):
            proposal.cohort.notes[name].append(
                f"{proposal.cohort.fields[name]} was left out: {cut_text(_without_ids(texts[0]), 300)}"
            )
            proposal.cohort.fields[name] = None
            return
    raise InputError("; ".join(cut_text(text, 600) for text in texts[:3]))


def _without_ids(text: str) -> str:
    """A message without patients' ids: a spec is passed on more easily than the data are."""
    text = re.sub(r" \((?:id|e\.g\.) [^()]*\)", "", text)
    return re.sub(r"(more than one row|repeat|patients): .*?\. (?=[A-Z])", r"\1. ", text)


def _mend(entry: Entry, texts: list[str]) -> None:
    numbers = any("not numbers" in text or "looks numeric" in text for text in texts)
    if numbers and "invalid" not in entry.fields and entry.fields["kind"] in ("table", "events"):
        entry.fields["invalid"] = "missing"
        entry.notes["invalid"] = [f"Text among numbers counts as not measured: {cut_text(_without_ids(texts[0]), 300)}"]
    else:
        entry.left_out = cut_text(_without_ids(texts[0]), 400).rstrip(".")
