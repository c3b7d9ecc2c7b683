"""Fits what strata are crossed from on training patients."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch_geometric.data import HeteroData

from gdsfd.graph.availability import presence_of
from gdsfd.nn.ensemble import Ensemble
from gdsfd.nn.stream_predictor import StreamPredictor
from gdsfd.training.suspects.suspect_codes import word_codes

__all__ = ["fit_strata", "groups_of"]


def fit_strata(network: Ensemble, graph: HeteroData, rows: Tensor) -> Tensor | None:
    """Fits patterns and groups of every member; labels are not read.

    Args:
        network: The network; members without prototypes or pattern intervention are left alone.
        graph: The graph.
        rows: Training rows, int64; nothing is fitted on any other.

    Returns:
        The group of each of the graph's patients, int64 [N]; None without prototypes.
    """
    presence = presence_of(graph)
    group = None
    for member in network.members:
        if not isinstance(member, StreamPredictor):
            continue
        if member.intervention is not None:
            member.intervention.fit(presence[rows])
        head = member.deconfounder
        if head is not None:
            factors = head.config.strata
            environment = environment_codes(graph, rows, head.config.least) if "environment" in factors else None
            head.groups.fit(
                presence[rows],
                environment[rows] if environment is not None else None,
                head.config.least,
                "pattern" in factors,
            )
            group = head.groups(presence, environment)
    return group


def groups_of(member: StreamPredictor, graph: HeteroData, rows: Tensor) -> Tensor:
    """The group of all the graph's patients by a fitted member; environments are numbered as on training rows."""
    assert member.deconfounder is not None
    head = member.deconfounder
    environment = environment_codes(graph, rows, head.config.least) if "environment" in head.config.strata else None
    return head.groups(presence_of(graph), environment)


def environment_codes(graph: HeteroData, rows: Tensor, least: int) -> Tensor | None:
    """Codes of environments, those with fewer than ``least`` training patients sharing one; None = none declared."""
    environment = graph["patient"].get("environment")
    if environment is None:
        return None
    return torch.from_numpy(word_codes(np.asarray(environment, dtype=object), rows.numpy(), least))
