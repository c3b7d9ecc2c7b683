"""One arm of a comparison: a backbone with or without debiasing, fitted on given rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor
from torch_geometric.data import HeteroData

from gdsfd.cohort.schema import CohortSchema
from gdsfd.graph.flatten import flatten
from gdsfd.graph.loader import rows_of
from gdsfd.graph.patient_store import PatientStore
from gdsfd.latent.back_door import BackDoor
from gdsfd.nn.ensemble import Ensemble
from gdsfd.nn.losses import Targets, build_loss_weight
from gdsfd.nn.objectives import ErmObjective, Objective, StreamObjective, build_objective
from gdsfd.nn.predictor import Predictor
from gdsfd.nn.stream_predictor import StreamPredictor
from gdsfd.nn.streams.config import StreamConfig
from gdsfd.training.boosted_start import boosted_start
from gdsfd.training.config import TrainConfig
from gdsfd.training.loop import seeded, train
from gdsfd.training.state import TrainingState
from gdsfd.training.suspects.hazard_by_suspects import told_by_suspects
from gdsfd.training.suspects.latent_targets import latent_targets
from gdsfd.training.suspects.pattern_propensity import pattern_propensity
from gdsfd.training.suspects.strata import fit_strata
from gdsfd.training.suspects.suspect_codes import SuspectCodes, suspect_codes

__all__ = ["Arm", "FittedArm", "SuspectSignal", "Together", "build_network"]


class Together(Protocol):
    """What trains networks with other processes (:class:`~gdsfd.training.rank_processes.RankProcesses`)."""

    def train(self, *given: Any) -> TrainingState:
        """As :func:`gdsfd.training.loop.train`, with its arguments up to ``store``, in their order."""


@dataclass(frozen=True)
class SuspectSignal:
    """What the declared suspects tell of the outcome on training patients.

    Args:
        suspects: The suspects that were found in the graph.
        sizes: Number of codes of each that strata are not crossed from.
        cross_entropy_gain: Per outcome, by how much they lower the cross-entropy of labels out of fold, in nats.
        clipped: Per outcome, the share of training patients whose weight by them was cut; empty without such weights.
        effective: Per outcome, how many training patients the weighted ones are worth.
        strata: Strata that were looked for: the evidence and whether they are used, JSON-able; empty where none were.
        back_doors: Outcome -> the strata that are averaged out for it.
    """

    suspects: tuple[str, ...] = ()
    sizes: tuple[int, ...] = ()
    cross_entropy_gain: tuple[float, ...] = ()
    clipped: tuple[float, ...] = ()
    effective: tuple[float, ...] = ()
    strata: dict[str, Any] = field(default_factory=dict)
    back_doors: dict[str, BackDoor] = field(default_factory=dict)


@dataclass(frozen=True)
class FittedArm:
    """A trained arm.

    Args:
        network: With the weights of its best epoch, in evaluation mode, on the CPU.
        state: Progress and history.
        suspect_signal: What the suspects tell; empty for an arm that does not use them.
    """

    network: Ensemble
    state: TrainingState
    suspect_signal: SuspectSignal


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
        store: PatientStore | None = None,
        together: Together | None = None,
    ) -> FittedArm:
        """Trains the arm.

        Args:
            graph: The graph.
            rows: Rows of ``train`` and ``tuning``; default: the graph's splits.
            folder: Where checkpoints go.
            resume: Whether to go on from them.
            settings: Stored with the checkpoints.
            on_epoch: Called with each row of the history.
            store: The graph's, to share what networks with the same encoders work out once; default: a new one.
            together: Trains in the place of :func:`~gdsfd.training.loop.train`, with other processes.
        """
        rows = rows or {split: rows_of(graph, split) for split in ("train", "tuning")}
        targets, codes, signal = self.targets(graph, rows["train"], rows["tuning"])
        network = build_network(graph.schema, self.backbone, self.streams, self.config, self.seed, codes.sizes)
        targets = replace(targets, group=fit_strata(network, graph, rows["train"]))
        objective = self.objective(network, len(graph["patient"].id), codes.sizes)
        start = None
        if network.boosted:
            store = PatientStore(graph) if store is None else store
            start, trees = boosted_start(store, targets, rows, graph["patient"].subject, self.seed)
            targets = replace(targets, trees=trees)
            objective.boosted_from, objective.margin = network.boosted_from, True
        fit = train if together is None else together.train
        state = fit(
            network, graph, self.config, self.seed, folder, resume, settings, on_epoch, objective, targets, rows, store
        )
        network.start = start
        return FittedArm(network.cpu(), state, signal)

    def targets(
        self, graph: HeteroData, rows: Tensor, tuning: Tensor | None = None
    ) -> tuple[Targets, SuspectCodes, SuspectSignal]:
        """Labels of all patients and what the suspects say of them, fitted on training rows.

        Args:
            graph: The graph.
            rows: Training rows.
            tuning: Tuning rows, which found strata look at, too; default: the graph's split.
        """
        y, streams = graph["patient"].y, self.streams
        targets = Targets(y, torch.arange(y.size(0)))
        nothing = SuspectCodes((), torch.zeros(y.size(0), 0, dtype=torch.long), ())
        if streams is not None and streams.weight_from == "pattern":
            weight = pattern_propensity(graph, flatten(graph), rows).weight
            targets = replace(targets, weight=weight.view(-1, *[1] * (y.dim() - 1)).expand_as(y))
        if streams is None or not streams.uses_suspects:
            return targets, nothing, SuspectSignal()
        crossed = streams.crossed
        codes = suspect_codes(graph, tuple(dict.fromkeys((*self.suspects, *crossed))), rows)
        subjects = graph["patient"].subject
        found = told_by_suspects(graph.schema, y, codes, rows, subjects, streams.clip)
        names, gain = codes.names, tuple(found.cross_entropy_gain)
        if crossed:  # what strata are crossed from is adjusted for by them, the other suspects by the margin
            codes = codes.without(crossed)
            found = told_by_suspects(graph.schema, y, codes, rows, subjects, streams.clip)
        told = streams.margin or streams.has_objective
        if streams.weight_from == "suspects" or (told and streams.weight_from != "pattern"):
            targets = replace(targets, weight=found.weight)
        if streams.margin:
            targets = replace(targets, margin=found.margin)
        if codes.sizes:
            targets = replace(targets, suspects=codes.codes)
        signal = SuspectSignal(names, codes.sizes, gain)
        if streams.weight_from == "suspects":
            signal = replace(signal, clipped=found.clipped, effective=found.effective)
        if streams.finds_strata:
            both = {"train": rows, "tuning": rows_of(graph, "tuning") if tuning is None else tuning}
            force = streams.found_strata == "force"
            latent = latent_targets(graph, both, self.suspects, self.seed, force, targets.margin)
            targets = replace(targets, strata_share=latent.share, strata_margin=latent.margin)
            signal = replace(signal, strata=latent.to_dict(), back_doors=latent.back_doors())
        return targets, codes, signal

    def objective(self, network: Ensemble, num_rows: int, sizes: Sequence[int]) -> Objective:
        """What a network of this arm is trained by; ``sizes`` are the numbers of codes of the suspects."""
        if self.streams is None:
            return ErmObjective()
        if self.streams.has_objective:
            return build_objective(
                self.streams.objective,
                network,
                sizes,
                self.streams.margin,
                self.streams.stage_one,
                **self.streams.objective_options,
            )
        if not self.streams.streams:
            streams, loss_weight = self.streams, None
            if not streams.weighted and streams.weight != "uniform":
                outputs = 1 if network.multiclass else network.num_outputs
                loss_weight = build_loss_weight(streams.weight, num_rows, outputs, **streams.weight_options)
            return ErmObjective(streams.weighted, streams.margin, loss_weight)
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
    parts = (schema, backbone, config.channels, config.dropout, config.sequence, config.backbone_options)
    own = config.encoder_options
    members: list[Predictor] = []
    with seeded(seed):
        for _ in range(config.members):
            if streams is not None and streams.streams:
                members.append(StreamPredictor(*parts, streams, tuple(num_suspects), encoder_options=own))
            else:
                members.append(Predictor(*parts, encoder_options=own))
    assert config.boosted_members is not None
    boosted = config.boosted_members if streams is None or streams.beside_trees else 0
    return Ensemble(members, schema.multiclass, boosted)
