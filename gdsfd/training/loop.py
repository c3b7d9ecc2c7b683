"""The training loop: epochs, early stopping, checkpoints."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch_geometric.data import HeteroData

from gdsfd.errors import InputError
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
from gdsfd.training.state import TrainingState
from gdsfd.training.step import Step
from gdsfd.training.storage.checkpoint import load_checkpoint
from gdsfd.training.storage.checkpoint_writer import CheckpointWriter
from gdsfd.training.tuning import tuning_figures

__all__ = ["DivergedError", "seeded", "train"]

_log = logging.getLogger(__name__)


class DivergedError(InputError):
    """The settings make training diverge; started again with them, it will diverge again."""


#: Epochs without a better one after which stage 1 gives way to a new head.
_WORSE_IN_STAGE_ONE = 2


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
    given = (network, graph, config, seed, folder, resume, settings, on_epoch, objective, targets, rows, store)
    with kept_memory():
        return _train(*given, Ranks() if ranks is None else ranks)


def _train(
    network: Ensemble,
    graph: HeteroData,
    config: TrainConfig,
    seed: int,
    folder: Path | None,
    resume: bool,
    settings: dict[str, Any] | None,
    on_epoch: Callable[[dict[str, Any]], None] | None,
    objective: Objective | None,
    targets: Targets | None,
    rows: Mapping[str, Tensor] | None,
    store: PatientStore | None,
    ranks: Ranks,
) -> TrainingState:
    fabric = make_fabric(config, ranks.rank)
    store = PatientStore(graph) if store is None else store
    y = graph["patient"].y
    labelled = ~torch.isnan(y).all(-1) if y.is_floating_point() else y >= 0
    rows = rows or {split: rows_of(graph, split) for split in ("train", "tuning")}
    check_labels(graph, rows)
    objective = objective or ErmObjective()
    targets = targets or Targets(y, torch.arange(y.size(0)))
    uses_unlabelled = bool(config.backbone_options.get("contrastive"))
    train_rows = rows["train"] if uses_unlabelled else rows["train"][labelled[rows["train"]]]
    tuning_rows = rows["tuning"][labelled[rows["tuning"]]]

    network.prepare(store)
    with seeded(seed), without_hints():
        network.fit_inputs(lambda: PatientLoader(store, rows["train"], 4096), config.relevance, targets.weight)
    network.start_from(_shares(y[train_rows], graph.schema.num_outputs))
    assert config.learning_rate is not None
    network.to(fabric.device)
    assert config.batch_size is not None
    batches = TrainingBatches(network, store, fabric.device, -(-config.batch_size // ranks.size))
    trained = MemberStack(network) if batches.in_grid else network
    groups = _decay_groups(trained, config.weight_decay)
    on_gpu = config.captured and fabric.device.type == "cuda"
    optimizer: torch.optim.Optimizer = AdamW(groups, lr=config.learning_rate, capturable=on_gpu)
    critics = Critics(objective)
    hooks = BackboneHooks(network, store, config, critics.optimizer is not None)
    if ranks.size > 1:
        check_over_ranks(network, hooks, len(train_rows), ranks.size)
    whole = nn.ModuleDict({"network": network, "objective": objective})
    on_device = targets.to(fabric.device)
    state = TrainingState()
    loaded = load_checkpoint(folder, settings or {}) if folder is not None and resume else None
    if loaded is not None:
        weights, optimizer_state, state = loaded
        whole.load_state_dict(weights)
    own_optimizer = optimizer
    with without_hints():
        model, optimizer = fabric.setup(trained, optimizer, move_to_device=False)
    objective.to(fabric.device)
    if loaded is not None:  # an optimiser puts its state where its parameters are when it loads it
        own_optimizer.load_state_dict(optimizer_state["network"])
        critics.load_state_dict(optimizer_state["critics"])
    average = RunningAverage(network, config.averaging, state.average)
    written = folder if ranks.rank == 0 else None
    board = TensorBoardLog(written / "tensorboard", state.history) if written and config.log == "tensorboard" else None

    captured: CapturedSteps | CompiledSteps | None = None
    if config.captured:
        step = Step(fabric, model, optimizer, objective, critics, average, hooks, 1, config.clip_norm, ranks)
        if why := why_not_captured(step, batches, config):
            _log.warning("setting 'captured': steps are taken call by call: %s", why)
        else:
            captured = CapturedSteps(batches, on_device, whole)
    if config.compiled:
        step = Step(fabric, model, optimizer, objective, critics, average, hooks, 1, config.clip_norm, ranks)
        if why := why_not_compiled(step, batches, config):
            _log.warning("setting 'compiled': steps are taken call by call: %s", why)
        else:
            captured = CompiledSteps(batches, on_device, whole, config.batch_size)

    def optimizers() -> dict[str, Any]:
        return {"network": with_plain_rates(optimizer.state_dict()), "critics": critics.state_dict()}

    with CheckpointWriter(written, settings or {}) as writer:
        while not state.stopped:
            start = time.perf_counter()
            _end_stage_one(state, network, objective, config)
            if state.second is not None:
                with seeded(seed, state.epoch, 1):
                    passes = partial(batches.passes, train_rows)
                    objective.start_epoch(network, passes, targets, state.epoch - state.second)
            stage = 1 if state.second is None else 2
            if hooks.read_memory and state.epoch == 0:
                with seeded(seed, 0, 2), torch.no_grad(), fabric.autocast():
                    trained.fit_memory(partial(batches.passes, memory_rows(rows["train"], config)))
            if hooks.at_epochs:
                with seeded(seed, state.epoch, 3):
                    hooks.start_epoch(state.epoch)
            step = Step(fabric, model, optimizer, objective, critics, average, hooks, stage, config.clip_norm, ranks)
            network.train()
            if captured is not None:
                captured.start_epoch(step)
            loss = _epoch(step, batches, train_rows, on_device, config, seed, state.epoch, captured)
            loss /= len(network.members)
            row = {"epoch": state.epoch + 1, "train_loss": loss}
            with average.swapped_in():
                pools = (rows["train"], tuning_rows)
                given = (fabric, network, trained, batches, *pools, config, objective, targets)
                row.update(ranks.first_ones(tuning_figures(*given, ranks)))
                row["seconds"] = time.perf_counter() - start
                _advance(state, row, network, objective, config)
            if hooks.at_epochs:  # after the best weights were taken: an epoch is judged as it was
                with seeded(seed, state.epoch, 4):
                    hooks.end_epoch(row)
            state.average = average.weights
            writer.save(whole.state_dict(), optimizers, state)
            if board is not None:
                board.add(row)
            if on_epoch is not None:
                on_epoch(row)
    if board is not None:
        board.close()
    network.load_state_dict(state.best_weights)
    for parameter in network.parameters():  # its own memory again, laid out as a loaded model's
        parameter.data = parameter.data.clone(memory_format=torch.contiguous_format)
    network.eval()
    return state


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


def _learning_rate(config: TrainConfig, progress: float) -> float:
    """Cosine from the peak to a twentieth over ``max_epochs``, after a linear start over the first epoch."""
    assert config.learning_rate is not None
    warm = min(1.0, progress + 1e-3) if progress < 1 else 1.0
    share = min(progress / config.max_epochs, 1.0)
    return config.learning_rate * warm * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * share)))


def _epoch(
    step: Step,
    batches: TrainingBatches,
    rows: Tensor,
    targets: Targets,
    config: TrainConfig,
    seed: int,
    epoch: int,
    captured: CapturedSteps | CompiledSteps | None,
) -> float:
    """One pass over the training patients; the mean loss per step, in nats, summed over members.

    The targets are where the batches are: between steps nothing waits for a copy.
    """
    step.model.train()
    assert config.batch_size is not None
    losses = []
    steps = -(-rows.numel() // config.batch_size)
    ranks, parts = step.ranks, seeded(seed, epoch, 5)
    with seeded(seed, epoch):
        ranks.draw_by(parts.seed, batches.device)
        order = step.hooks.in_order(rows[torch.randperm(rows.numel())], epoch)
        rates = [_learning_rate(config, epoch + number / steps) for number in range(steps)]
        if captured is not None:
            some = order.to(batches.device).split(config.batch_size)
            losses = [captured(each, rate) for each, rate in zip(some, rates)]
        else:
            pieces = order.split(config.batch_size)
            own = [ranks.share(each) for each in pieces]
            mine = batches.of(torch.cat(own), [len(each) for each in own])
            for piece, batch, rate in zip(pieces, mine, rates):
                everybody = batch.rows if ranks.size == 1 else piece.to(batches.device)
                with ranks.step(len(piece)):
                    losses.append(step(batch, targets.take(everybody), rate))
    return float(torch.stack(losses).mean())


def _end_stage_one(state: TrainingState, network: nn.Module, objective: Objective, config: TrainConfig) -> None:
    """Begins stage 2 when stage 1 has lasted long enough.

    Before a new head comes in, also when stage 1 no longer gets better; it then goes back to its best epoch. On a
    cohort of two thousand patients the best epoch can be the second: 15 epochs would end far beyond it.
    """
    if state.second is not None:
        return
    last = objective.stage_one(config.max_epochs)
    if state.epoch < last:
        if not _awaits_head(state, objective, config) or state.epoch - state.best_epoch < _WORSE_IN_STAGE_ONE:
            return
        network.load_state_dict(state.best_weights)
    state.second = state.epoch
    if objective.new_head:  # epochs without it are not in the running
        state.best_value = -math.inf


def _awaits_head(state: TrainingState, objective: Objective, config: TrainConfig) -> bool:
    """Whether the head that will predict is still to come."""
    comes = objective.new_head and objective.stage_one(config.max_epochs) < config.max_epochs
    return comes and state.second is None


def _advance(
    state: TrainingState, row: dict[str, Any], network: nn.Module, objective: Objective, config: TrainConfig
) -> None:
    """Takes a finished epoch into the state."""
    state.epoch += 1
    state.history.append(row)
    value = (
        row["tuning_auprc"]
        if config.monitor == "auprc" and not math.isnan(row["tuning_auprc"])
        else -row["tuning_loss"]
    )
    if not math.isfinite(value):
        raise DivergedError(
            f"training diverged in epoch {state.epoch}: the tuning loss is {row['tuning_loss']}; lower learning_rate"
        )
    if value > state.best_value or not state.best_weights:
        state.best_value, state.best_epoch = value, state.epoch
        state.best_weights = {name: tensor.detach().cpu().clone() for name, tensor in network.state_dict().items()}
    late = not _awaits_head(state, objective, config) and state.epoch - state.best_epoch >= config.patience
    state.stopped = state.epoch >= config.max_epochs or late
