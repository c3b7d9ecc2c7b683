"""A graph in words and numbers."""

from __future__ import annotations

import numpy as np
from torch_geometric.data import HeteroData

from gdsfd.cohort.modality_kind import kind_of
from gdsfd.cohort.patient_facts import PatientFacts
from gdsfd.cohort.receipt.tables import pattern_rows, pattern_words
from gdsfd.cohort.receipt.text_table import count_and_share, percent, text_table, wrapped
from gdsfd.graph.availability import facts_of_graph, pattern_table, presence_table

__all__ = ["pattern_table", "presence_table", "summary"]

MAX_PATTERNS = 8  #: patterns listed; the rest is counted


def summary(graph: HeteroData) -> str:
    """What is in a graph, as text of at most 110 columns.

    Patients and subjects by split with outcome rates, modalities with presence and content, the number of modalities
    per patient, the most frequent patterns.

    Args:
        graph: The graph.
    """
    facts = facts_of_graph(graph)
    blocks = [_head(graph, facts), _splits(facts), _modalities(graph, facts), _degrees(facts), _patterns(facts)]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _head(graph: HeteroData, facts: PatientFacts) -> list[str]:
    schema = graph.schema
    observations, patients = int(facts.presence.sum()), len(facts.split)
    lines = [
        f"{patients:,} patients ({len(set(facts.subject)):,} subjects), {len(facts.modalities)} modalities, "
        f"{observations:,} observations"
    ]
    if schema.survival is not None:
        seen, known = int((facts.y == 1).any(1).sum()), int(facts.labelled.sum())
        text = (
            f"outcome {schema.survival.name}: time to an event, {len(schema.outcomes)} intervals up to "
            f"{schema.survival.spelled(schema.survival.horizon)}; {count_and_share(seen, known)} seen to have it by "
            f"then; {patients - known:,} unlabelled"
        )
        lines += wrapped(text, hanging="  ")
    for outcome in () if schema.survival is not None else schema.outcomes:
        own = [entry for entry in facts.classes if entry[0] == outcome.name]
        known = int(own[0][3].sum())
        classes = ", ".join(f"{label} {count_and_share(int(members.sum()), known)}" for _, label, members, _ in own)
        lines += wrapped(f"outcome {outcome.name}: {classes}; {patients - known:,} unlabelled", hanging="  ")
    if facts.environment is not None:
        sizes = [int(members.sum()) for members in facts.environments.values()]
        extent = f", of {min(sizes):,} to {max(sizes):,} patients" if len(sizes) > 1 else ""
        lines += wrapped(f"environments ({schema.environment}): {len(sizes):,}{extent}", hanging="  ")
    if schema.groups:
        lines += wrapped(f"groups: {', '.join(schema.groups)}", hanging="  ")
    return lines


def _splits(facts: PatientFacts) -> list[str]:
    names = list(facts.rates())
    subject = np.asarray(facts.subject, dtype=object)
    rows = []
    for split, members in facts.splits.items():
        rates = facts.rates(members)
        counts = [int(members.sum()), len(set(subject[members])), int((members & facts.labelled).sum())]
        rows.append([split, *(f"{count:,}" for count in counts), *(percent(rates[name]) for name in names)])
    return text_table(["split", "patients", "subjects", "labelled", *names], rows)


def _modalities(graph: HeteroData, facts: PatientFacts) -> list[str]:
    rows = []
    for column, modality in enumerate(graph.schema.modalities):
        have = facts.presence[:, column]
        rows.append(
            [
                modality.name,
                modality.kind,
                count_and_share(int(have.sum()), len(have)),
                *(percent(float(have[members].mean())) for members in facts.splits.values()),
                kind_of(modality).describe(modality),
            ]
        )
    header = ["modality", "kind", "patients", *facts.splits, "content"]
    return text_table(header, rows, left=(0, 1, len(header) - 1))


def _degrees(facts: PatientFacts) -> list[str]:
    """How many modalities patients have."""
    degree = facts.presence.sum(1)
    if not len(degree):
        return []
    counts = np.bincount(degree, minlength=len(facts.modalities) + 1)
    listed = ", ".join(f"{number}: {count:,}" for number, count in enumerate(counts.tolist()) if count)
    return wrapped(
        f"modalities per patient: mean {degree.mean():.2f}, median {np.median(degree):g} ({listed})", hanging="  "
    )


def _patterns(facts: PatientFacts) -> list[str]:
    flags, pattern = facts.patterns
    if not len(flags):
        return []
    names = list(facts.rates())
    rows = [
        [
            f"{row['count']:,}",
            percent(row["share"]),
            *(percent(row["outcome_rate"][name]) for name in names),
            pattern_words(row["modalities"], facts.modalities),
        ]
        for row in pattern_rows(facts, MAX_PATTERNS)[: min(MAX_PATTERNS, len(flags))]
    ]
    more = len(flags) - len(rows)
    left_out = int((pattern >= len(rows)).sum())
    table = text_table(["patients", "share", *names, "pattern"], rows, left=(2 + len(names),))
    return [f"patterns: {len(flags):,}", *table, *([f"  and {more:,} more of {left_out:,} patients"] if more else [])]
