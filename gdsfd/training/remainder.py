"""The biased stream of mode ``full``: what of the training patients' outcomes the finished prediction leaves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch_geometric.data import HeteroData

from gdsfd.cohort.schema import CohortSchema
from gdsfd.graph.loader import rows_of
from gdsfd.graph.patient_store import PatientStore
from gdsfd.nn.ensemble import Ensemble
from gdsfd.nn.losses import Targets
from gdsfd.nn.objectives import ErmObjective
from gdsfd.nn.predictor import Predictor
from gdsfd.training.arm import Arm, FittedArm, SuspectSignal, Together, build_network
from gdsfd.training.config import TrainConfig
from gdsfd.training.inference import predict
from gdsfd.training.loop import train

__all__ = ["BiasedStream", "RemainderArm", "biased_stream", "log_odds_of"]

#: Probabilities are kept this far from 0 and 1 before their log-odds are taken.
_LEAST = 1e-6


class BiasedStream(Ensemble):
    """A network whose logits are added to another's."""

    def start_from(self, shares: Tensor) -> None:
        """Sets the heads' biases to 0: the shares are in what it is trained beside."""
        with torch.no_grad():
            for member in self.members:
                assert isinstance(member, Predictor)
                member.start_from(torch.zeros_like(shares))


@dataclass(frozen=True, eq=False)
class RemainderArm:
    r"""Trains a biased stream beside a finished prediction.

    .. math:: L = \operatorname{mean}_i CE(z_i + b(x_i), y_i)

    with :math:`z` the log-odds of the debiased network, which are numbers here: no gradient reaches it, and its
    predictions are what they would be without. :math:`b`, a network of its own encoders, comes to estimate
    :math:`\log P(y \mid x) - \log P(y \mid do(x))` on the odds' scale: what the content tells of the outcome through
    the practice that the training patients met. The two together are the prediction of a hospital where that practice
    holds; the first alone is meant for one where it may not.

    Args:
        backbone: Name of the backbone.
        config: The debiased network's; no member starts from trees, and the epoch is chosen by the tuning loss.
        seed: Of initial weights, shuffling and dropout.
        beside: :math:`z` of training and tuning patients, float32 [N, outputs]; of others it is not read.

    References:
        Our formulation: a product of experts (Clark et al., EMNLP 2019) with the debiased expert frozen in place of the
        biased one. Compared with generalized cross-entropy in docs/debiasing.md.
    """

    backbone: str
    config: TrainConfig
    seed: int
    beside: Tensor

    @classmethod
    def of(cls, arm: Arm, network: Ensemble, graph: HeteroData, store: PatientStore) -> RemainderArm:
        """The arm of what a trained network leaves.

        Args:
            arm: What the network was trained as.
            network: The network.
            graph: The graph.
            store: The graph's.
        """
        rows = torch.cat([rows_of(graph, split) for split in ("train", "tuning")])
        found = log_odds_of(network, predict(network, store, rows).probability)
        beside = torch.zeros(len(graph["patient"].id), found.shape[1])
        beside[rows] = torch.from_numpy(found).float()
        return cls(arm.backbone, arm.config, arm.seed, beside)

    def fit(
        self,
        graph: HeteroData,
        rows: Mapping[str, Tensor] | None = None,
        folder: Path | None = None,
        resume: bool = False,
        settings: dict[str, Any] | None = None,
        on_epoch: Callable[[dict[str, Any]], None] | None = None,
        store: PatientStore | None = None,
        together: Together | None = None,
    ) -> FittedArm:
        """Trains the stream; the arguments are those of :meth:`Arm.fit`."""
        config = replace(self.config, boosted_members=0, monitor="loss")
        network = biased_stream(graph.schema, self.backbone, config, self.seed)
        y = graph["patient"].y
        targets = Targets(y, torch.arange(y.size(0)), margin=self.beside)
        objective = ErmObjective(margin=True)
        fit = train if together is None else together.train
        state = fit(
            network, graph, config, self.seed, folder, resume, settings, on_epoch, objective, targets, rows, store
        )
        return FittedArm(network.cpu(), state, SuspectSignal())


def biased_stream(schema: CohortSchema, backbone: str, config: TrainConfig, seed: int) -> BiasedStream:
    """An untrained stream.

    Args:
        schema: The cohort's fitted description.
        backbone: Name of the backbone.
        config: A resolved configuration.
        seed: Of initial weights.
    """
    made = build_network(schema, backbone, None, replace(config, boosted_members=0), seed)
    return BiasedStream([each for each in made.members if isinstance(each, Predictor)], made.multiclass)


def log_odds_of(network: Ensemble, probability: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logits of a network's outputs that have these probabilities; of a multi-class outcome their logarithms.

    Args:
        network: The network.
        probability: As it gives them (:func:`gdsfd.nn.losses.probabilities`); [n, classes].

    Returns:
        float64 [n, outputs].
    """
    clipped = np.clip(np.asarray(probability, dtype=np.float64), _LEAST, 1 - _LEAST)
    if network.multiclass:
        return np.asarray(np.log(clipped))
    positive = clipped[:, 1:] if network.num_outputs == 1 else clipped
    return np.asarray(np.log(positive) - np.log1p(-positive))
