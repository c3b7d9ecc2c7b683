"""A graph as it were had some modalities not been recorded."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import Tensor
from torch_geometric.data import HeteroData

from gdsfd.errors import InputError, near_names
from gdsfd.graph.from_cohort import edge_type
from gdsfd.graph.patient_store import PatientStore

__all__ = ["drop_modalities", "hide_observations", "keep_modalities"]


def drop_modalities(
    graph: HeteroData, names: str | Sequence[str], rows: Tensor | Sequence[int] | None = None
) -> HeteroData:
    """A copy of a graph in which patients lack some modalities, with the same schema.

    It is what :func:`gdsfd.build_graph` with ``like=graph`` makes of the same exports without those patients' rows of
    those modalities, so that a model trained on ``graph`` predicts from it. Labels, splits and the order of patients
    stay; so do the receipt and the spec, which tell of the exports that were read.

    Args:
        graph: A graph made by this package. It is not changed; the copy shares the tensors of everything that stays.
        names: Modalities to leave out, or one modality.
        rows: Patients to leave them out for, as rows of the graph (int64, such as ``rows_of(graph, "test")`` gives);
            default: all.

    Returns:
        The copy. A modality left out for all is an edge type without edges.

    Raises:
        InputError: The graph has no such modality, or no such row.

    Example:
        >>> blind = drop_modalities(graph, "imaging")  # doctest: +SKIP
        >>> model.predict_proba(blind, split="test")  # doctest: +SKIP
    """
    dropped = _known(graph, names)
    made = copy.copy(graph)
    if not dropped:
        return made
    rest = _others(graph, rows)
    batch = PatientStore(graph).batch(rest)
    pointer = batch.layout.modality_ptr.tolist()
    for number, name in enumerate(graph.schema.names):
        if name in dropped:
            owner = rest[batch.layout.patient[pointer[number] : pointer[number + 1]]]
            edges = made[edge_type(name)]
            for key in list(edges.keys()):
                del edges[key]
            edges.edge_index = torch.stack([owner, torch.full_like(owner, number)])
            for key, value in batch.observations[name].items():
                edges[key] = value
            edges.row = torch.arange(owner.numel(), device=owner.device)
    return made


def keep_modalities(
    graph: HeteroData, names: str | Sequence[str], rows: Tensor | Sequence[int] | None = None
) -> HeteroData:
    """A copy of a graph in which patients have no other modalities than these.

    See :func:`drop_modalities`.

    Args:
        graph: A graph made by this package.
        names: Modalities to keep, or one modality.
        rows: Patients to leave the others out for; default: all.

    Raises:
        InputError: The graph has no such modality, or no such row.
    """
    kept = _known(graph, names)
    return drop_modalities(graph, [name for name in graph.schema.names if name not in kept], rows)


def hide_observations(graph: HeteroData, hidden: Tensor) -> HeteroData:
    """A copy of a graph in which patients lack some of what they have; nothing is added.

    See :func:`drop_modalities`, which is this with the same modalities for all patients named.

    Args:
        graph: A graph made by this package. It is not changed.
        hidden: True where a patient loses a modality, columns in the order of the schema; where there is none, nothing
            happens; bool [N, K].

    Raises:
        InputError: ``hidden`` has another shape or type.
    """
    total, names = int(graph["patient"].num_nodes), graph.schema.names
    if hidden.dtype != torch.bool or tuple(hidden.shape) != (total, len(names)):
        raise InputError(
            f"hidden: expected bool [{total}, {len(names)}], patients by modalities, got {hidden.dtype} "
            f"{list(hidden.shape)}"
        )
    made, store = copy.copy(graph), None
    for number, name in enumerate(names):
        owner = graph[edge_type(name)].edge_index[0]
        lost = hidden[:, number].to(owner.device)[owner]
        if not lost.any():
            continue
        store = PatientStore(graph) if store is None else store
        kept = (~lost).nonzero().squeeze(1)
        edges = made[edge_type(name)]
        for key in list(edges.keys()):
            del edges[key]
        edges.edge_index = torch.stack([owner[kept], torch.full_like(kept, number)])
        for key, value in store.observations(name, kept).items():
            edges[key] = value
        edges.row = torch.arange(kept.numel(), device=kept.device)
    return made


def _known(graph: HeteroData, names: str | Sequence[str]) -> set[str]:
    wanted = [names] if isinstance(names, str) else list(names)
    known = graph.schema.names
    for name in wanted:
        if name not in known:
            raise InputError(f"modality {name!r} is not in the graph.{near_names(str(name), known)}")
    return set(wanted)


def _others(graph: HeteroData, rows: Tensor | Sequence[int] | None) -> Tensor:
    """The patients that keep what they have, ascending; int64."""
    total = int(graph["patient"].num_nodes)
    device = graph["patient"].y.device
    keeps = torch.ones(total, dtype=torch.bool, device=device)
    if rows is None:
        keeps[:] = False
    else:
        given = torch.as_tensor(rows, device=device)
        if given.numel() and (given.is_floating_point() or given.dtype == torch.bool):
            raise InputError(f"rows: expected whole numbers of the graph's patients, got {given.dtype}")
        if given.numel() and (int(given.min()) < 0 or int(given.max()) >= total):
            raise InputError(
                f"rows: expected patients between 0 and {total - 1}, got {int(given.min())} to {int(given.max())}"
            )
        keeps[given.long()] = False
    return keeps.nonzero().squeeze(1)
