"""The training loop: epochs, early stopping, checkpoints."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch_geometric.data import HeteroData

from gdsfd.graph.loader import PatientLoader, rows_of
from gdsfd.graph.patient_store import PatientStore
from gdsfd.nn.adamw import AdamW, with_plain_rates
from gdsfd.nn.ensemble import Ensemble
from gdsfd.nn.losses import Targets
from gdsfd.nn.member_stack import MemberStack
from gdsfd.nn.objectives import ErmObjective, Objective
from gdsfd.ops.over_ranks import Ranks
from gdsfd.training.average import RunningAverage
from gdsfd.training.batches import TrainingBatches
from gdsfd.training.captured_step import CapturedSteps, why_not_captured
from gdsfd.training.compiled_step import CompiledSteps, why_not_compiled
from gdsfd.training.config import TrainConfig
from gdsfd.training.critics import Critics
from gdsfd.training.devices import make_fabric, without_hints
from gdsfd.training.history_log import TensorBoardLog
from gdsfd.training.hooks import BackboneHooks
from gdsfd.training.kept_memory import kept_memory
from gdsfd.training.labels import check_labels
from gdsfd.training.memory_rows import memory_rows
from gdsfd.training.over_ranks_checks import check_over_ranks
from gdsfd.training.stages import advance, end_stage_one, learning_rate
from gdsfd.training.state import TrainingState
from gdsfd.training.step import Step
from gdsfd.training.storage.checkpoint import load_checkpoint
from gdsfd.training.storage.checkpoint_writer import CheckpointWriter
from gdsfd.training.tuning import tuning_figures

__all__ = ["seeded", "train"]

_log = logging.getLogger(__name__)


class seeded:
    """Draws from the global generators inside are a function of the numbers given; outside nothing has moved."""

    def __init__(self, *numbers: int) -> None:
        self.seed = int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> np.uint64(1))
        devices = list(range(torch.cuda.device_count())) if torch.cuda.is_available() else []
        self._fork = torch.random.fork_rng(devices=devices)

    def __enter__(self) -> None:
        self._fork.__enter__()
        torch.manual_seed(self.seed)

    def __exit__(self, *error: Any) -> None:
        self._fork.__exit__(*error)


def train(
    network: Ensemble,
    graph: HeteroData,
    config: TrainConfig,
    seed: int,
    folder: Path | None = None,
    resume: bool = False,
    settings: dict[str, Any] | None = None,
    on_epoch: Callable[[dict[str, Any]], None] | None = None,
    objective: Objective | None = None,
    targets: Targets | None = None,
    rows: Mapping[str, Tensor] | None = None,
    store: PatientStore | None = None,
    ranks: Ranks | None = None,
) -> TrainingState:
    """Trains a network in place; it ends with the weights of its best epoch.

    Every epoch draws its own random numbers from (seed, epoch), so a resumed run repeats the uninterrupted one.

    Args:
        network: The network.
        graph: A graph with splits ``train`` and ``tuning``.
        config: A resolved configuration.
        seed: Of shuffling and dropout.
        folder: Where checkpoints go after every epoch; None = nowhere.
        resume: Whether to go on from the newest checkpoint in ``folder``.
        settings: Stored with the checkpoints and compared on resuming.
        on_epoch: Called with each new row of the history.
        objective: What is minimised; default: cross-entropy.
        targets: Labels and what suspects say of all the graph's patients; default: the labels. Where it has weights or
            margins that the objective uses, the tuning loss has them too, and the inputs' relevance the weights.
        rows: Rows of ``train`` and ``tuning``, instead of the graph's splits.
        store: The graph's, to be shared by networks with the same encoders; default: a new one.
        ranks: The processes that train together, each of which calls this with the same; the first one writes
            checkpoints. Default: this process alone.

    Returns:
        The progress reached.

    Raises:
        InputError: The graph has no labelled training or tuning patients, or training diverges.
    """
    ranks = Ranks() if ranks is None else ranks
    settings = settings or {}
    with kept_memory():
        training = _Training(network, graph, config, seed, objective, targets, rows, store, ranks)
        training.start(load_checkpoint(folder, settings) if folder is not None and resume else None)
        state = training.state
        written = folder if ranks.rank == 0 else None
        on_board = written is not None and config.log == "tensorboard"
        board = TensorBoardLog(written / "tensorboard", state.history) if written is not None and on_board else None
        with CheckpointWriter(written, settings) as writer:
            while not state.stopped:
                row = training.epoch()
                writer.save(training.whole.state_dict(), training.optimizers, state)
                if board is not None:
                    board.add(row)
                if on_epoch is not None:
                    on_epoch(row)
        if board is not None:
            board.close()
        training.end()
    return state


class _Training:
    """One training: what lasts from its first epoch to its last."""

    def __init__(
        self,
        network: Ensemble,
        graph: HeteroData,
        config: TrainConfig,
        seed: int,
        objective: Objective | None,
        targets: Targets | None,
        rows: Mapping[str, Tensor] | None,
        store: PatientStore | None,
        ranks: Ranks,
    ) -> None:
        y = graph["patient"].y
        self.network, self.config, self.seed, self.ranks = network, config, seed, ranks
        self.fabric = make_fabric(config, ranks.rank)
        self.rows = rows or {split: rows_of(graph, split) for split in ("train", "tuning")}
        check_labels(graph, self.rows)
        labelled = ~torch.isnan(y).all(-1) if y.is_floating_point() else y >= 0
        train, tuning = self.rows["train"], self.rows["tuning"]
        uses_unlabelled = bool(config.backbone_options.get("contrastive"))
        self.train_rows = train if uses_unlabelled else train[labelled[train]]
        self.tuning_rows = tuning[labelled[tuning]]
        self.objective = objective or ErmObjective()
        self.targets = targets or Targets(y, torch.arange(y.size(0)))
        self._set_up(PatientStore(graph) if store is None else store, graph)
        self.state = TrainingState()

    def _set_up(self, store: PatientStore, graph: HeteroData) -> None:
        """Puts the network on its device, with what its inputs, its first weights and its optimisers need."""
        network, config, objective = self.network, self.config, self.objective
        network.prepare(store)
        with seeded(self.seed), without_hints():
            network.fit_inputs(
                lambda: PatientLoader(store, self.rows["train"], 4096), config.relevance, self.targets.weight
            )
        network.start_from(_shares(graph["patient"].y[self.train_rows], graph.schema.num_outputs))
        network.to(self.fabric.device)
        assert config.batch_size is not None
        self.batches = TrainingBatches(network, store, self.fabric.device, -(-config.batch_size // self.ranks.size))
        self.trained = MemberStack(network) if self.batches.in_grid else network
        on_gpu = config.captured and self.fabric.device.type == "cuda"
        groups = _decay_groups(self.trained, config.weight_decay)
        assert config.learning_rate is not None
        self.optimizer: torch.optim.Optimizer = AdamW(groups, lr=config.learning_rate, capturable=on_gpu)
        self.critics = Critics(objective)
        self.hooks = BackboneHooks(network, store, config, self.critics.optimizer is not None)
        if self.ranks.size > 1:
            check_over_ranks(network, self.hooks, len(self.train_rows), self.ranks.size)
        self.whole = nn.ModuleDict({"network": network, "objective": objective})
        self.on_device = self.targets.to(self.fabric.device)

    def start(self, checkpoint: tuple[dict[str, Any], dict[str, Any], TrainingState] | None) -> None:
        """Begins, or goes on from a checkpoint: weights, the optimisers' states and the progress."""
        own = self.optimizer
        if checkpoint is not None:
            self.whole.load_state_dict(checkpoint[0])
            self.state = checkpoint[2]
        with without_hints():
            self.model, self.optimizer = self.fabric.setup(self.trained, own, move_to_device=False)
        self.objective.to(self.fabric.device)
        if checkpoint is not None:  # an optimiser puts its state where its parameters are when it loads it
            own.load_state_dict(checkpoint[1]["network"])
            self.critics.load_state_dict(checkpoint[1]["critics"])
        self.average = RunningAverage(self.network, self.config.averaging, self.state.average)
        self.repeated = self._repeated()

    def _step(self, stage: int) -> Step:
        parts = (self.fabric, self.model, self.optimizer, self.objective, self.critics, self.average, self.hooks)
        return Step(*parts, stage, self.config.clip_norm, self.ranks)

    def _repeated(self) -> CapturedSteps | CompiledSteps | None:
        """Steps as one recorded or compiled whole, where that was asked for and can be."""
        config, found = self.config, None
        if config.captured:
            if why := why_not_captured(self._step(1), self.batches, config):
                _log.warning("setting 'captured': steps are taken call by call: %s", why)
            else:
                found = CapturedSteps(self.batches, self.on_device, self.whole)
        if config.compiled:
            if why := why_not_compiled(self._step(1), self.batches, config):
                _log.warning("setting 'compiled': steps are taken call by call: %s", why)
            else:
                assert config.batch_size is not None
                return CompiledSteps(self.batches, self.on_device, self.whole, config.batch_size)
        return found

    def epoch(self) -> dict[str, Any]:
        """One epoch, and what the tuning patients say of it; the row of the history."""
        start, state, hooks = time.perf_counter(), self.state, self.hooks
        end_stage_one(state, self.network, self.objective, self.config)
        if state.second is not None:
            with seeded(self.seed, state.epoch, 1):
                passes = partial(self.batches.passes, self.train_rows)
                self.objective.start_epoch(self.network, passes, self.targets, state.epoch - state.second)
        if hooks.read_memory and state.epoch == 0:
            with seeded(self.seed, 0, 2), torch.no_grad(), self.fabric.autocast():
                remembered = memory_rows(self.rows["train"], self.config)
                self.trained.fit_memory(partial(self.batches.passes, remembered))
        if hooks.at_epochs:
            with seeded(self.seed, state.epoch, 3):
                hooks.start_epoch(state.epoch)
        step = self._step(1 if state.second is None else 2)
        self.network.train()
        if self.repeated is not None:
            self.repeated.start_epoch(step)
        loss = self._steps(step) / len(self.network.members)
        row: dict[str, Any] = {"epoch": state.epoch + 1, "train_loss": loss}
        with self.average.swapped_in():
            row.update(self.ranks.first_ones(self._tuning_figures()))
            row["seconds"] = time.perf_counter() - start
            advance(state, row, self.network, self.objective, self.config)
        if hooks.at_epochs:  # after the best weights were taken: an epoch is judged as it was
            with seeded(self.seed, state.epoch, 4):
                hooks.end_epoch(row)
        state.average = self.average.weights
        return row

    def _steps(self, step: Step) -> float:
        """One pass over the training patients; the mean loss per step, in nats, summed over members.

        The targets are where the batches are: between steps nothing waits for a copy.
        """
        step.model.train()
        rows, epoch, size = self.train_rows, self.state.epoch, self.config.batch_size
        assert size is not None
        losses = []
        steps = -(-rows.numel() // size)
        ranks, parts = self.ranks, seeded(self.seed, epoch, 5)
        with seeded(self.seed, epoch):
            ranks.draw_by(parts.seed, self.batches.device)
            order = step.hooks.in_order(rows[torch.randperm(rows.numel())], epoch)
            rates = [learning_rate(self.config, epoch + number / steps) for number in range(steps)]
            if self.repeated is not None:
                some = order.to(self.batches.device).split(size)
                losses = [self.repeated(each, rate) for each, rate in zip(some, rates)]
            else:
                pieces = order.split(size)
                own = [ranks.share(each) for each in pieces]
                mine = self.batches.of(torch.cat(own), [len(each) for each in own])
                for piece, batch, rate in zip(pieces, mine, rates):
                    everybody = batch.rows if ranks.size == 1 else piece.to(self.batches.device)
                    with ranks.step(len(piece)):
                        losses.append(step(batch, self.on_device.take(everybody), rate))
        return float(torch.stack(losses).mean())

    def _tuning_figures(self) -> dict[str, float]:
        pools = (self.rows["train"], self.tuning_rows)
        networks = (self.network, self.trained)
        return tuning_figures(
            self.fabric, *networks, self.batches, *pools, self.config, self.objective, self.targets, self.ranks
        )

    def optimizers(self) -> dict[str, Any]:
        """The optimisers' states, for a checkpoint."""
        return {"network": with_plain_rates(self.optimizer.state_dict()), "critics": self.critics.state_dict()}

    def end(self) -> None:
        """Leaves the network with the weights of its best epoch."""
        self.network.load_state_dict(self.state.best_weights)
        for parameter in self.network.parameters():  # its own memory again, laid out as a loaded model's
            parameter.data = parameter.data.clone(memory_format=torch.contiguous_format)
        self.network.eval()


def _shares(y: Tensor, num_outputs: int) -> Tensor:
    """Share of positives per outcome (0.5 where none is labelled), or of each class, among the labelled."""
    if not y.is_floating_point():
        classes = torch.bincount(y[y >= 0], minlength=num_outputs)
        return classes / classes.sum()
    return torch.nan_to_num(torch.nanmean(y, dim=0), nan=0.5)


def _decay_groups(network: Ensemble | MemberStack, weight_decay: float) -> list[dict[str, Any]]:
    """Weight matrices decay; biases, norms and embeddings' single vectors do not."""
    matrices, vectors = network.decay_groups()
    return [{"params": matrices, "weight_decay": weight_decay}, {"params": vectors, "weight_decay": 0.0}]
