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
from gdsfd.graph.patient_store import PatientStore
from gdsfd.nn.adjustment.averaged_logits import logit_spread
from gdsfd.nn.ensemble import Ensemble
from gdsfd.training.inference import batches_of
from gdsfd.training.stratum_assignment import BATCH, joined, own_stratum, stream_members

__all__ = ["StratumPredictions", "predict_strata"]

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


@torch.no_grad()
def predict_strata(network: Ensemble, graph: Any, rows: Tensor, groups: Sequence[Tensor]) -> StratumPredictions:
    """Predicts patients given their own stratum, under each, and on average.

    The arguments are those of :func:`gdsfd.training.stratum_assignment.assign_strata`.
    """
    members = stream_members(network)
    strata: list[list[Tensor]] = [[] for _ in members]
    sums: list[Tensor | float] = [0.0 for _ in members]
    observed, intervened, spread = [], [], []
    for batch in batches_of(PatientStore(graph), rows, batch_size=BATCH):
        own, average, spreads = [], [], []
        for place, (member, group) in enumerate(zip(members, groups, strict=True)):
            head = member.deconfounder
            assert head is not None
            prediction = member(batch)
            stratum = own_stratum(member, prediction, group[batch.rows])
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
        stratum=tuple(joined(parts) for parts in strata),
    )


def _probability(logits: Tensor, multiclass: bool) -> Tensor:
    """Of each output; the positive label's where there are two."""
    return logits.softmax(-1) if multiclass else logits.sigmoid()


def _targets(probability: Tensor, outputs: int) -> Tensor:
    """One column per target: of the two columns of a single binary outcome, the positive label's."""
    return probability[:, -outputs:]
