"""All that is wrong with a cohort table, where a build would stop at the first of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd

from gdsfd.cohort.patients.cohort_cells import check_unique, named_columns
from gdsfd.cohort.patients.cohort_rows import CohortRows
from gdsfd.cohort.patients.cohort_table import read_cohort_table
from gdsfd.cohort.patients.new_patients import without_absent
from gdsfd.cohort.schema import CohortSchema
from gdsfd.cohort.sources.internal_names import KEEP, ROW
from gdsfd.cohort.sources.sources import Sources, View
from gdsfd.cohort.sources.values import as_text
from gdsfd.cohort.spec import CohortSpec, OutcomeSpec, SplitSpec
from gdsfd.errors import InputError

__all__ = ["read_with_faults"]

_LABEL, _SPLIT = "gdsfd stand-in label", "gdsfd stand-in split"


def read_with_faults(
    spec: CohortSpec, sources: Sources, like: CohortSchema | None = None
) -> tuple[CohortRows | None, list[str]]:
    """Reads the cohort table, or as much of it as can be read.

    Where it cannot be read as it is, each outcome, and then environment and split, are looked at by themselves, on the
    first row of each id; the patients are then those rows, with labels that mean nothing.

    Args:
        spec: The spec.
        sources: Where tables are opened; the spec's needs must be known to it.
        like: Of new patients: the fitted schema. They may lack what no model needs.

    Returns:
        The patients, None where there are none; and what is wrong, each fault once.
    """
    told: list[str] = []
    view = _opened(spec, sources, told)
    if view is None:
        return None, told
    missing = set()
    here = spec if like is None else without_absent(spec, view.columns, view.label)[0]
    for name, field in named_columns(here, view, like):
        try:
            view.require(name, field)
        except InputError as error:
            told.append(str(error))
            missing.add(name)
    if not told:
        try:
            return read_cohort_table(spec, sources, like), []
        except InputError as error:
            told.append(str(error))
    if spec.cohort.id in missing:
        return None, told
    spec = here
    frame = _first_rows(spec, sources, view, missing, told)
    parts: list[dict[str, Any]] = (
        []
        if like is not None
        else [
            *({"outcome": [outcome]} for outcome in spec.outcome if missing.isdisjoint(outcome.columns)),
            _without(spec, missing),
        ]
    )
    for part in parts:
        _try(_standing_in(spec, frame, part), sources, view.label, told)
    rows = _try(_standing_in(spec, frame, {}), sources, view.label, [])
    if rows is None:
        return None, told
    own = frozenset(name for name, _ in named_columns(spec, view))
    return replace(rows, label=view.label, own_columns=own), told


def _opened(spec: CohortSpec, sources: Sources, told: list[str]) -> View | None:
    """The cohort's source with all that the spec derives, else without."""
    cohort = spec.cohort
    try:
        return sources.open(
            cohort.source, "cohort", derive=cohort.derive, where=cohort.where, joins=cohort.join, in_order=True
        )
    except InputError as error:
        told.append(str(error))
    try:
        bare = sources.open(cohort.source, "cohort", in_order=True)
    except InputError:
        return None
    beside = [*cohort.derive, *(name for join in cohort.join for name in (*join.columns, *join.derive))]
    return replace(bare, columns=tuple(dict.fromkeys([*bare.columns, *beside])))


def _first_rows(spec: CohortSpec, sources: Sources, view: View, missing: set[str], told: list[str]) -> pd.DataFrame:
    """The named columns as text, of the first row of each id that ``where`` keeps, with labels that mean nothing."""
    there = [
        name
        for name in dict.fromkeys(name for name, _ in named_columns(spec, view))
        if name not in missing and name in view.table.columns
    ]
    cells = {f"c{k}": as_text(view.table[name]) for k, name in enumerate(there)}
    rows = sources.database.fetch(view.table.select(ROW, KEEP, **cells).order_by(ROW)).to_pandas()
    rows = rows[rows[KEEP]]
    frame = pd.DataFrame({name: rows[f"c{k}"].astype("string") for k, name in enumerate(there)})
    frame = frame[frame[spec.cohort.id].notna()]
    try:
        check_unique(frame[spec.cohort.id].tolist(), spec.cohort.id, view.label)
    except InputError as error:
        _add(str(error), told)
    frame = frame.drop_duplicates(spec.cohort.id).reset_index(drop=True)
    frame[_LABEL] = pd.Series([str(row % 2) for row in range(len(frame))], dtype="string")
    frame[_SPLIT] = "train"
    return frame


def _without(spec: CohortSpec, missing: set[str]) -> dict[str, Any]:
    """Environment, groups and split, where their columns are there."""
    cohort = spec.cohort
    environment = cohort.environment if missing.isdisjoint(cohort.environment or []) else None
    groups = [name for name in cohort.groups if name not in missing]
    fits = spec.split.column not in missing and (environment or spec.split.kind != "environment")
    return {"environment": environment, "groups": groups, **({"split": spec.split} if fits else {})}


def _standing_in(spec: CohortSpec, frame: pd.DataFrame, part: dict[str, Any]) -> CohortSpec:
    """A spec of the same modalities whose cohort is a frame, with one part of the spec's own."""
    origins = {modality.origin for modality in spec.modality if modality.origin is not None} - {*frame.columns}
    subject = spec.cohort.subject if spec.cohort.subject in frame.columns else None
    return CohortSpec(
        cohort={
            "source": frame.assign(**{name: pd.Series(dtype="string") for name in origins}),
            "id": spec.cohort.id,
            "subject": subject,
            "environment": part.get("environment"),
            "groups": part.get("groups", []),
        },
        outcome=part.get("outcome", [OutcomeSpec(name="stand-in", column=_LABEL, positive=["1"], negative=["0"])]),
        split=part.get("split", SplitSpec(kind="column", column=_SPLIT)),
        modality=spec.modality,
        base_dir=spec.base_dir,
    )


def _try(spec: CohortSpec, sources: Sources, label: str, told: list[str]) -> CohortRows | None:
    try:
        return read_cohort_table(spec, sources)
    except InputError as error:
        _add(str(error).replace("the DataFrame of cohort", label), told)
    return None


def _add(text: str, told: list[str]) -> None:
    if text not in told:
        told.append(text)
