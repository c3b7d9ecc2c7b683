"""What a model is fitted on that is not the cohort as it comes: losses, fewer patients, a modality dealt out anew."""

from __future__ import annotations

import copy

import numpy as np
import torch
from torch_geometric.data import HeteroData

from gdsfd.cohort.patients.split_kind import TAKES_NO_PART
from gdsfd.fusion_study.conditions import under
from gdsfd.graph.from_cohort import edge_type
from gdsfd.graph.patient_store import PatientStore

__all__ = ["changed", "dealt_out_anew", "fewer_in_training"]


def changed(graph: HeteroData, training: str, seed: int) -> HeteroData:
    """The graph that a contender is fitted on, and judged by.

    Args:
        graph: With splits ``train``, ``tuning`` and ``test``.
        training: ``share RATE``: see :func:`fewer_in_training`; ``permuted NAME``: see :func:`dealt_out_anew`; any
            other is a condition of :mod:`gdsfd.fusion_study.conditions`, of training and tuning patients.
        seed: Of the draw.
    """
    kind, _, word = training.partition(" ")
    if kind == "share":
        return fewer_in_training(graph, float(word), seed)
    if kind == "permuted":
        return dealt_out_anew(graph, word, seed)
    return under(graph, training, seed, ("train", "tuning"))


def fewer_in_training(graph: HeteroData, share: float, seed: int) -> HeteroData:
    """A copy in which a share of the training subjects trains; the others are in no split.

    Subjects of a smaller share are among those of a larger one.
    """
    names = np.asarray(graph["patient"].split, dtype=object)
    subjects = np.asarray(graph["patient"].subject, dtype=str)
    trained = names == "train"
    order = np.random.default_rng(seed).permutation(np.unique(subjects[trained]))
    kept = np.isin(subjects, order[: max(1, round(share * len(order)))])
    made = copy.copy(graph)
    made["patient"].split = [
        TAKES_NO_PART if train and not keep else str(name)
        for name, train, keep in zip(names, trained, kept, strict=True)
    ]
    return made


def dealt_out_anew(graph: HeteroData, name: str, seed: int) -> HeteroData:
    """A copy in which a modality, and who has it, is dealt out at random among the patients of each split."""
    splits = np.asarray(graph["patient"].split, dtype=str)
    goes_to, random = np.arange(len(splits)), np.random.default_rng(seed)
    for split in np.unique(splits):
        own = np.flatnonzero(splits == split)
        goes_to[own] = random.permutation(own)
    made, number = copy.copy(graph), graph.schema.names.index(name)
    owner = torch.from_numpy(goes_to)[graph[edge_type(name)].edge_index[0]]
    order = torch.argsort(owner)
    values = PatientStore(graph).observations(name, order)
    edges = made[edge_type(name)]
    for key in list(edges.keys()):
        del edges[key]
    edges.edge_index = torch.stack([owner[order], torch.full_like(order, number)])
    for key, value in values.items():
        edges[key] = value
    edges.row = torch.arange(order.numel())
    return made
