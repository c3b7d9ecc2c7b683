"""From ``format = "meds"`` or ``"omop"`` to the ordinary fields of a spec.

Nothing else of a build knows of formats: what a format stands for could have been written by hand, and ``gdsfd check``
shows it. Whatever the user writes wins.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gdsfd.cohort.formats.meds import meds_fields
from gdsfd.cohort.formats.omop import omop_fields
from gdsfd.cohort.formats.proposed import Proposed
from gdsfd.cohort.formats.request import read_request
from gdsfd.errors import SpecError

__all__ = ["Expansion", "expand", "has_format"]


@dataclass(frozen=True)
class Expansion:
    """A spec without a format.

    Args:
        fields: The fields, as TOML would have them.
        notes: What was left out, and why.
        of_modality: Name of a modality -> what its receipt shall tell of how its rows were chosen.
    """

    fields: dict[str, Any]
    notes: list[str] = field(default_factory=list)
    of_modality: dict[str, list[str]] = field(default_factory=dict)


def has_format(fields: Mapping[str, Any]) -> bool:
    """Whether a spec's fields name a format."""
    cohort = fields.get("cohort")
    return isinstance(cohort, Mapping) and "format" in cohort


def expand(fields: Mapping[str, Any]) -> Expansion:
    """Puts ordinary fields in place of a format.

    The user's fields win: a field of ``[cohort]`` replaces the format's, ``derive`` and ``join`` are added to it, an
    entry ``[[modality]]`` of a name that the format gives changes the fields it has, others are added; ``[outcome]``
    and ``[split]`` replace the format's.

    Args:
        fields: The spec's fields; ``base_dir`` is among them where they come from a file.

    Raises:
        SpecError: The format, or a field that belongs to it, is not known or wrong.
        InputError: The files are not as the format says.
    """
    request, rest = read_request(fields["cohort"], fields.get("base_dir", "."))
    proposed = _PROPOSE[request.format](request)
    cohort = {**proposed.cohort, **rest}
    if rest.get("derive"):
        cohort["derive"] = {**proposed.cohort["derive"], **rest["derive"]}
    if rest.get("join"):
        own = [rest["join"]] if isinstance(rest["join"], Mapping) else rest["join"]
        cohort["join"] = [*proposed.cohort["join"], *own]
    new: dict[str, Any] = {"cohort": cohort}
    if "outcome" not in fields:
        if proposed.outcome is None:
            raise SpecError(f"{proposed.why}, e.g. name, column and positive")
        new["outcome"] = [proposed.outcome]
    if "split" not in fields and proposed.split is not None:
        new["split"] = proposed.split
    others = {name: value for name, value in fields.items() if name not in ("cohort", "modality")}
    modality = _modalities(proposed, fields.get("modality"))
    return Expansion({**new, **others, "modality": modality}, proposed.notes, proposed.of_modality)


_PROPOSE = {"meds": meds_fields, "omop": omop_fields}


def _modalities(proposed: Proposed, given: Any) -> list[Any]:
    """The format's entries with the user's fields over them, then those that only the user has."""
    entries = [given] if isinstance(given, Mapping) else list(given or [])
    own = {entry["name"]: entry for entry in entries if isinstance(entry, Mapping) and "name" in entry}
    names = {entry["name"] for entry in proposed.modality}
    merged = [{**entry, **own.get(entry["name"], {})} for entry in proposed.modality]
    others = [entry for entry in entries if not (isinstance(entry, Mapping) and entry.get("name") in names)]
    return [*merged, *others]
