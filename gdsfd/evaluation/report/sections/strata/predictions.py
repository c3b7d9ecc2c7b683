"""What a model with prototypes predicts of patients: given their own stratum, under each stratum, and on average."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gdsfd.evaluation.metrics.formulas import Floats
from gdsfd.graph.availability import presence_of
from gdsfd.graph.patient_store import PatientStore
from gdsfd.nn.adjustment.averaged_logits import logit_spread
from gdsfd.nn.ensemble import Ensemble
from gdsfd.nn.stream_predictor import StreamPrediction, StreamPredictor
from gdsfd.training.inference import batches_of
from gdsfd.training.suspects.strata import groups_of

__all__ = ["StratumPredictions", "assign_strata", "has_strata", "member_groups", "predict_strata"]

#: Patients at a time; each is predicted under every stratum.
BATCH = 512

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class StratumPredictions:
    """Predictions of some patients; targets T are the network's outputs.

    Args:
        observed: Probabilities given the patient's own stratum, the mean over members; [n, T].
        intervened: Probabilities averaged over strata, which are the model's predictions; [n, T].
        spread: Standard deviation of the logits between strata, weighted by mass, the mean over members; [n, T].
        under: For each member the patients' mean probability under each stratum, [S, T]; NaN without patients.
        stratum: For each member the stratum of each patient; int64 [n].
    """

    observed: Floats
    intervened: Floats
    spread: Floats
    under: tuple[Floats, ...]
    stratum: tuple[Ints, ...]


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
    for member in _members(network):
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
        for place, (member, group) in enumerate(zip(_members(network), groups, strict=True)):
            found[place].append(_stratum(member, member(batch), group[batch.rows]))
    return tuple(_joined(parts) for parts in found)


@torch.no_grad()
def predict_strata(network: Ensemble, graph: Any, rows: Tensor, groups: Sequence[Tensor]) -> StratumPredictions:
    """Predicts patients given their own stratum, under each, and on average.

    The arguments are those of :func:`assign_strata`.
    """
    members = _members(network)
    strata: list[list[Tensor]] = [[] for _ in members]
    sums: list[Tensor | float] = [0.0 for _ in members]
    observed, intervened, spread = [], [], []
    for batch in batches_of(PatientStore(graph), rows, batch_size=BATCH):
        own, average, spreads = [], [], []
        for place, (member, group) in enumerate(zip(members, groups, strict=True)):
            head = member.deconfounder
            assert head is not None
            prediction = member(batch)
            stratum = _stratum(member, prediction, group[batch.rows])
            center, mass = head.centers
            under = head.fusion(prediction.causal, center).double()  # [B, S, T]
            strata[place].append(stratum)
            sums[place] = sums[place] + _probability(under, network.multiclass).sum(0)
            own.append(under[torch.arange(len(under)), stratum])
            average.append(prediction.logits)
            spreads.append(logit_spread(under, mass.double()))
        observed.append(_targets(network.mean_probability(own), own[0].size(1)))
        intervened.append(_targets(network.mean_probability(average), own[0].size(1)))
        spread.append(torch.stack(spreads).mean(0))
    return StratumPredictions(
        observed=torch.cat(observed).numpy(),
        intervened=torch.cat(intervened).numpy(),
        spread=torch.cat(spread).numpy(),
        under=tuple((torch.as_tensor(total) / rows.numel()).numpy() for total in sums),
        stratum=tuple(_joined(parts) for parts in strata),
    )


def _members(network: Ensemble) -> list[StreamPredictor]:
    return [member for member in network.members if isinstance(member, StreamPredictor)]


def _stratum(member: StreamPredictor, prediction: StreamPrediction, group: Tensor) -> Tensor:
    assert member.deconfounder is not None
    assert prediction.source is not None
    return member.deconfounder.strata(prediction.source, group)


def _joined(parts: Sequence[Tensor]) -> Ints:
    return torch.cat(list(parts)).numpy().astype(np.int64)


def _probability(logits: Tensor, multiclass: bool) -> Tensor:
    """Of each output; the positive label's where there are two."""
    return logits.softmax(-1) if multiclass else logits.sigmoid()


def _targets(probability: Tensor, outputs: int) -> Tensor:
    """One column per target: of the two columns of a single binary outcome, the positive label's."""
    return probability[:, -outputs:]
