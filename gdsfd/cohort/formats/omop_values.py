"""Which vocabularies, domains or classes of concepts the rows of OMOP's tables have before the prediction times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from gdsfd.cohort.modality_kind import MODALITY_KINDS
from gdsfd.cohort.sources.internal_names import KEEP
from gdsfd.cohort.sources.sources import Sources
from gdsfd.cohort.sources.values import as_text
from gdsfd.cohort.spec.column_needs import ColumnNeeds, needs_of_modalities
from gdsfd.cohort.spec.modality_spec import ModalitySpec

__all__ = ["values_before"]


def values_before(
    entries: Sequence[dict[str, Any]],
    concepts: Mapping[str, str],
    said_in: str,
    field: str,
    moments: pa.Table,
    window: tuple[float, float],
    base_dir: Path,
) -> dict[str, dict[str | None, int]]:
    """How many rows have a concept of which vocabulary, by modality.

    A row counts once for each label of its person whose window it is in, as in a receipt.

    Args:
        entries: Entries ``[[modality]]`` with a time.
        concepts: Name of the modality -> the column of its rows' concepts.
        said_in: The source of the table ``concept``.
        field: Its column: ``vocabulary_id``, ``domain_id`` or ``concept_class_id``.
        moments: ``subject_id`` (text) and ``prediction_time`` of the labels.
        window: Start and end in minutes from the prediction time.
        base_dir: The spec's folder.

    Returns:
        Name of the modality -> value -> rows; None, the last, are rows whose concept has no value, or is not there.

    Raises:
        InputError: A table cannot be read.
    """
    modalities = [MODALITY_KINDS.find(entry["kind"]).spec_model(**entry) for entry in entries]
    needs = needs_of_modalities(modalities)
    for modality in modalities:
        needs[modality.source].add(concepts[modality.name])
    needs.setdefault(said_in, ColumnNeeds()).add("concept_id", field)
    with Sources(base_dir, needs) as sources:
        at = sources.database.store("moments", moments)
        said = sources.open(said_in, f"[cohort], modality_by = {field!r}", derive={"said_of": _whole("concept_id")})
        return {
            modality.name: _counted(sources, modality, concepts[modality.name], said.table, field, at, window)
            for modality in modalities
        }


def _whole(column: str) -> str:
    """A concept as a number: one that is written otherwise is a fault, which the build tells; here it is counted."""
    return f"TRY_CAST({column} AS BIGINT)"


def _counted(
    sources: Sources,
    modality: ModalitySpec,
    concept: str,
    said: Any,
    field: str,
    moments: Any,
    window: tuple[float, float],
) -> dict[str | None, int]:
    view = sources.open(
        modality.source,
        f"modality {modality.name!r}",
        derive={**modality.derive, "concept_of_row": _whole(concept)},
        where=modality.where,
    )
    table, (start, end) = view.table, (round(minutes * 60_000_000) for minutes in window)
    rows = table.filter(table[KEEP]).select(
        whose=as_text(table[modality.id]), moment=table[modality.time or ""], own=table["concept_of_row"]
    )
    beside = rows.join(moments, rows.whose == moments.subject_id)
    beside = beside.left_join(said.select("said_of", value=said[field]), beside.own == said.said_of)
    with sources.database.reading(view.label):
        since = "epoch_us(CAST(moment AS TIMESTAMP)) - epoch_us(prediction_time)"
        found = sources.database.rows(
            f"SELECT value, count(*) FROM ({sources.database.sql(beside)}) "
            f"WHERE {since} >= {start} AND {since} < {end} GROUP BY value ORDER BY value NULLS LAST"
        )
    return {value: int(count) for value, count in found}
