"""One arm of a comparison: a backbone with or without debiasing, fitted on given rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch_geometric.data import HeteroData

from gdsfd.cohort.fields import CohortSchema
from gdsfd.graph.loader import rows_of
from gdsfd.nn.ensemble import Ensemble
from gdsfd.nn.losses import Supervision
from gdsfd.nn.objective import ErmObjective, Objective, StreamObjective
from gdsfd.nn.predictor import Predictor
from gdsfd.nn.stream_predictor import StreamPredictor
from gdsfd.nn.streams.config import StreamConfig
from gdsfd.training.config import TrainConfig
from gdsfd.training.loop import seeded, train
from gdsfd.training.outcome_by_suspects import outcome_by_suspects
from gdsfd.training.state import TrainingState
from gdsfd.training.strata import fit_strata
from gdsfd.training.suspect_codes import SuspectCodes, suspect_codes

__all__ = ["Arm", "FittedArm", "Told", "build_network"]


@dataclass(frozen=True)
class Told:
    """What the declared suspects tell of the outcome on training patients.

    Args:
        suspects: The suspects that were found in the graph.
        sizes: Number of codes of each.
        nats: Per outcome, by how much they lower the cross-entropy of labels out of fold, in nats.
    """

    suspects: tuple[str, ...] = ()
    sizes: tuple[int, ...] = ()
    nats: tuple[float, ...] = ()


@dataclass(frozen=True)
class FittedArm:
    """A trained arm.

    Args:
        network: With the weights of its best epoch, in evaluation mode, on the CPU.
        state: Progress and history.
        told: What the suspects tell; empty for an arm that does not use them.
    """

    network: Ensemble
    state: TrainingState
    told: Told


@dataclass(frozen=True)
class Arm:
    """What is to be fitted.

    Args:
        backbone: Name of the backbone.
        streams: The parts of the debiasing mode; None = ERM.
        config: A resolved configuration.
        seed: Of initial weights, shuffling and dropout.
        suspects: The declared suspects.
    """

    backbone: str
    streams: StreamConfig | None
    config: TrainConfig
    seed: int
    suspects: tuple[str, ...] = ()

    def fit(
        self,
        graph: HeteroData,
        rows: Mapping[str, Tensor] | None = None,
        folder: Path | None = None,
        resume: bool = False,
        settings: dict[str, Any] | None = None,
        on_epoch: Callable[[dict[str, Any]], None] | None = None,
    ) -> FittedArm:
        """Trains the arm.

        Args:
            graph: The graph.
            rows: Rows of ``train`` and ``tuning``; default: the graph's splits.
            folder: Where checkpoints go.
            resume: Whether to go on from them.
            settings: Stored with the checkpoints.
            on_epoch: Called with each row of the history.
        """
        rows = rows or {split: rows_of(graph, split) for split in ("train", "tuning")}
        given, codes, told = self.supervision(graph, rows["train"])
        network = build_network(graph.schema, self.backbone, self.streams, self.config, self.seed, codes.sizes)
        given = replace(given, group=fit_strata(network, graph, rows["train"]))
        objective = self.objective(network, len(graph["patient"].id), codes.sizes)
        state = train(
            network, graph, self.config, self.seed, folder, resume, settings, on_epoch, objective, given, rows
        )
        return FittedArm(network.cpu(), state, told)

    def supervision(self, graph: HeteroData, rows: Tensor) -> tuple[Supervision, SuspectCodes, Told]:
        """Labels of all patients and what the suspects say of them, fitted on training rows."""
        y = graph["patient"].y
        everyone = torch.arange(y.size(0))
        nothing = SuspectCodes((), torch.zeros(y.size(0), 0, dtype=torch.long), ())
        if self.streams is None or not self.streams.uses_suspects:
            return Supervision(y, everyone), nothing, Told()
        crossed = self.streams.crossed
        codes = suspect_codes(graph, tuple(dict.fromkeys((*self.suspects, *crossed))), rows)
        outputs, subjects = graph.schema.num_outputs, graph["patient"].subject
        found = outcome_by_suspects(y, codes, rows, subjects, outputs, self.streams.clip)
        told = Told(codes.names, codes.sizes, tuple(found.told))
        if crossed:  # what strata are crossed from is adjusted for by them, the other suspects by the margin
            codes = codes.without(crossed)
            found = outcome_by_suspects(y, codes, rows, subjects, outputs, self.streams.clip)
        needed = self.streams.weight == "stratum" or self.streams.margin
        given = Supervision(
            y,
            everyone,
            found.weight if needed else None,
            found.margin if self.streams.margin else None,
            codes.codes if codes.sizes else None,
        )
        return given, codes, told

    def objective(self, network: Ensemble, num_rows: int, sizes: Sequence[int]) -> Objective:
        """What a network of this arm is trained by; ``sizes`` are the numbers of codes of the suspects."""
        if self.streams is None:
            return ErmObjective()
        if not self.streams.streams:
            return ErmObjective(self.streams.weight == "stratum", self.streams.margin)
        with seeded(self.seed, 1):  # initial weights of critics
            return StreamObjective(network, self.streams, num_rows, sizes)


def build_network(
    schema: CohortSchema,
    backbone: str,
    streams: StreamConfig | None,
    config: TrainConfig,
    seed: int,
    num_suspects: Sequence[int] = (),
) -> Ensemble:
    """An untrained network.

    Args:
        schema: The cohort's fitted description.
        backbone: Name of the backbone.
        streams: The parts of the debiasing mode; None = ERM.
        config: A resolved configuration.
        seed: Of initial weights.
        num_suspects: Number of codes of each declared suspect.
    """
    assert config.channels is not None
    assert config.dropout is not None
    assert config.members is not None
    width, dropout, options = config.channels, config.dropout, config.backbone_options
    members: list[Predictor] = []
    with seeded(seed):
        for _ in range(config.members):
            if streams is not None and streams.streams:
                members.append(
                    StreamPredictor(
                        schema, backbone, width, dropout, config.sequence, options, streams, tuple(num_suspects)
                    )
                )
            else:
                members.append(Predictor(schema, backbone, width, dropout, config.sequence, options))
    return Ensemble(members, schema.multiclass)
