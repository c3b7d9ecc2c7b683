"""Availability: who has which modality, as a matrix, as missingness patterns and as tables."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch_geometric.data import HeteroData

from gdsfd.cohort.patient_facts import PatientFacts, labels_as_told, presence_matrix
from gdsfd.errors import InputError, near_names
from gdsfd.graph.from_cohort import edge_type

__all__ = ["facts_of_graph", "members_by", "pattern_name", "pattern_table", "presence_of", "presence_table"]


def presence_of(graph: HeteroData) -> Tensor:
    """True where a patient has a modality; bool [N, K], columns in the order of the schema."""
    return torch.from_numpy(_presence(graph))


def facts_of_graph(graph: HeteroData) -> PatientFacts:
    """What the tables of presence, patterns and outcomes are worked out from.

    Args:
        graph: A graph made by this package.
    """
    patient = graph["patient"]
    y, outcomes = labels_as_told(graph.schema, patient.y.cpu().numpy())
    return PatientFacts(
        modalities=graph.schema.names,
        presence=_presence(graph),
        subject=patient.subject,
        split=patient.split,
        environment=patient.get("environment"),
        y=y,
        outcomes=outcomes,
        survival=graph.schema.survival,
    )


def pattern_table(graph: HeteroData, by: str | None = None) -> pd.DataFrame:
    """The missingness patterns, the most frequent first.

    Args:
        graph: The graph.
        by: None, or what to count them by: ``"environment"``, ``"split"`` or the name of a group.

    Returns:
        Without ``by`` one row per pattern: ``pattern`` (its modalities joined by ``" + "``), ``modalities`` (their
        number), ``patients``, ``share`` of all patients, and ``rate: <outcome or class>`` among the labelled (NaN where
        nobody is). With ``by`` the patients per pattern (rows) and environment, split or group (columns).

    Raises:
        InputError: The graph has no such environment or group.
    """
    facts = facts_of_graph(graph)
    flags, pattern = facts.patterns
    names = [pattern_name(facts.modalities, row) for row in flags]
    if by is not None:
        members = members_by(graph, facts, by)
        counts = {label: np.bincount(pattern[mask], minlength=len(names)) for label, mask in members.items()}
        return pd.DataFrame(counts, index=pd.Index(names, name="pattern"), columns=pd.Index(list(members), name=by))
    counts_of = np.bincount(pattern, minlength=len(names))
    columns: dict[str, object] = {
        "pattern": names,
        "modalities": flags.sum(1),
        "patients": counts_of,
        "share": counts_of / max(len(pattern), 1),
    }
    for name, positive, labelled in facts.rated:
        known = np.bincount(pattern[labelled], minlength=len(names))
        hits = np.bincount(pattern[positive], minlength=len(names))
        columns[f"rate: {name}"] = np.where(known > 0, hits / np.maximum(known, 1), np.nan)
    return pd.DataFrame(columns)


def presence_table(graph: HeteroData, by: str = "environment") -> pd.DataFrame:
    """Share of patients with each modality.

    Args:
        graph: The graph.
        by: ``"environment"``, ``"split"`` or the name of a group.

    Returns:
        Shares: one row per environment (split, group), indexed by its name and its number of patients, the largest
        environment first; one column per modality.

    Raises:
        InputError: The graph has no such environment or group.
    """
    facts = facts_of_graph(graph)
    members = members_by(graph, facts, by)
    index = pd.MultiIndex.from_tuples(
        [(label, int(mask.sum())) for label, mask in members.items()], names=[by, "patients"]
    )
    shares = [facts.presence[mask].mean(0) for mask in members.values()]
    return pd.DataFrame(
        np.array(shares).reshape(len(members), len(facts.modalities)), index=index, columns=facts.modalities
    )


def members_by(graph: HeteroData, facts: PatientFacts, by: str) -> dict[str, np.ndarray]:
    """Sets of patients: label -> bool [N]. Environments and groups come the largest first, splits train first.

    Raises:
        InputError: ``by`` is neither ``"environment"``, ``"split"`` nor a group's name, or the graph declares none.
    """
    groups = graph["patient"].groups
    if by == "split":
        return facts.splits
    if by == "environment":
        if facts.environment is None:
            raise InputError(
                "by='environment': the graph declares no environment. Name one in the spec ([cohort] environment = "
                "\"...\"), or use by='split'."
            )
        return facts.environments
    if by in groups:
        labels = np.asarray(groups[by], dtype=object)
        found, counts = np.unique(labels.astype(str), return_counts=True)
        return {str(found[place]): labels == found[place] for place in np.argsort(-counts, kind="stable")}
    known = ["environment", "split", *groups]
    raise InputError(f"by={by!r}: expected 'environment', 'split' or the name of a group.{near_names(by, known)}")


def pattern_name(modalities: tuple[str, ...], flags: np.ndarray) -> str:
    """A pattern in words.

    Example:
        >>> pattern_name(("labs", "notes"), np.array([True, True])), pattern_name(("labs",), np.array([False]))
        ('labs + notes', '(nothing)')
    """
    return " + ".join(name for name, present in zip(modalities, flags, strict=True) if present) or "(nothing)"


def _presence(graph: HeteroData) -> np.ndarray:
    patients = [graph[edge_type(name)].edge_index[0].cpu().numpy() for name in graph.schema.names]
    return presence_matrix(patients, int(graph["patient"].num_nodes))
