"""The stratum of each patient by a network with prototypes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gdsfd.graph.availability import presence_of
from gdsfd.graph.patient_store import PatientStore
from gdsfd.nn.ensemble import Ensemble
from gdsfd.nn.stream_predictor import StreamPrediction, StreamPredictor
from gdsfd.training.inference import batches_of
from gdsfd.training.suspects.strata import groups_of

__all__ = ["BATCH", "assign_strata", "has_strata", "joined", "member_groups", "own_stratum", "stream_members"]

#: Patients at a time; each may be predicted under every stratum.
BATCH = 512

Ints = NDArray[np.int64]


def has_strata(network: Any) -> bool:
    """Whether a network averages over strata."""
    return isinstance(network, Ensemble) and all(
        isinstance(member, StreamPredictor) and member.deconfounder is not None for member in network.members
    )


def member_groups(network: Ensemble, graph: Any, train: Tensor) -> list[Tensor]:
    """For each member the group (pattern, environment) of all the graph's patients; int64 [N].

    Environments are numbered by the training patients; in a graph without any, all count as unknown.
    """
    groups = []
    for member in stream_members(network):
        assert member.deconfounder is not None
        if train.numel():
            groups.append(groups_of(member, graph, train))
        else:
            groups.append(member.deconfounder.groups(presence_of(graph), None))
    return groups


@torch.no_grad()
def assign_strata(network: Ensemble, graph: Any, rows: Tensor, groups: Sequence[Tensor]) -> tuple[Ints, ...]:
    """For each member the stratum of each patient; int64 [n].

    Args:
        network: A network with strata, in evaluation mode.
        graph: The graph.
        rows: The patients, as rows of the graph; int64 [n].
        groups: Of :func:`member_groups`.
    """
    found: list[list[Tensor]] = [[] for _ in groups]
    for batch in batches_of(PatientStore(graph), rows, batch_size=BATCH):
        for place, (member, group) in enumerate(zip(stream_members(network), groups, strict=True)):
            found[place].append(own_stratum(member, member(batch), group[batch.rows]))
    return tuple(joined(parts) for parts in found)


def stream_members(network: Ensemble) -> list[StreamPredictor]:
    """Members with two streams."""
    return [member for member in network.members if isinstance(member, StreamPredictor)]


def own_stratum(member: StreamPredictor, prediction: StreamPrediction, group: Tensor) -> Tensor:
    """The stratum of each patient of a batch; int64 [B]."""
    assert member.deconfounder is not None
    assert prediction.source is not None
    return member.deconfounder.strata(prediction.source, group)


def joined(parts: Sequence[Tensor]) -> Ints:
    """Batches of strata as one array; int64 [n]."""
    return torch.cat(list(parts)).numpy().astype(np.int64)
