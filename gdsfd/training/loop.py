"""The training loop: epochs, early stopping, checkpoints."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from sklearn.metrics import average_precision_score, roc_auc_score
from torch import Tensor, nn
from torch_geometric.data import HeteroData

from gdsfd.errors import InputError
from gdsfd.graph.batch import PatientBatch
from gdsfd.graph.loader import PatientLoader, rows_of
from gdsfd.graph.store import PatientStore
from gdsfd.nn.ensemble import Ensemble
from gdsfd.training.average import RunningAverage
from gdsfd.training.checkpoint import load_checkpoint, save_checkpoint
from gdsfd.training.config import TrainConfig
from gdsfd.training.history_log import TensorBoardLog
from gdsfd.training.state import TrainingState

__all__ = ["seeded", "train"]


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

    Returns:
        The progress reached.

    Raises:
        InputError: The graph has no labelled training or tuning patients.
    """
    fabric = Fabric(accelerator=config.accelerator, devices=1, precision=config.precision)  # type: ignore[arg-type]
    store = PatientStore(graph)
    y = graph["patient"].y
    labelled = ~torch.isnan(y).all(-1) if y.is_floating_point() else y >= 0
    rows = {split: rows_of(graph, split) for split in ("train", "tuning")}
    for split, members in rows.items():
        if not bool(labelled[members].any()):
            use = "learn from" if split == "train" else "choose the epoch by"
            raise InputError(f"the split {split!r} has no labelled patient: nothing to {use}")
    uses_unlabelled = bool(config.backbone_options.get("contrastive"))
    train_rows = rows["train"] if uses_unlabelled else rows["train"][labelled[rows["train"]]]
    tuning_rows = rows["tuning"][labelled[rows["tuning"]]]

    network.prepare(store)
    with seeded(seed):
        network.fit_inputs(lambda: PatientLoader(store, rows["train"], 4096), config.relevance)
    network.start_from(_shares(y[train_rows], network.multiclass))
    assert config.learning_rate is not None
    optimizer: torch.optim.Optimizer = torch.optim.AdamW(
        _decay_groups(network, config.weight_decay), lr=config.learning_rate
    )
    state = TrainingState()
    loaded = load_checkpoint(folder, settings or {}) if folder is not None and resume else None
    if loaded is not None:
        weights, optimizer_state, state = loaded
        network.load_state_dict(weights)
        optimizer.load_state_dict(optimizer_state)
    model, optimizer = fabric.setup(network, optimizer)
    average = RunningAverage(network, config.averaging, state.average)
    board = TensorBoardLog(folder / "tensorboard", state.history) if folder and config.log == "tensorboard" else None

    while not state.stopped:
        start = time.perf_counter()
        loss = _epoch(fabric, network, model, optimizer, average, store, train_rows, config, seed, state.epoch)
        row = {"epoch": state.epoch + 1, "train_loss": loss}
        with average.swapped_in():
            row.update(_tuning(fabric, network, store, rows["train"], tuning_rows, config))
            row["seconds"] = time.perf_counter() - start
            _advance(state, row, network, config)
        state.average = average.weights
        if folder is not None:
            save_checkpoint(folder, network.state_dict(), optimizer.state_dict(), state, settings or {})
        if board is not None:
            board.add(row)
        if on_epoch is not None:
            on_epoch(row)
    if board is not None:
        board.close()
    network.load_state_dict(state.best_weights)
    network.eval()
    return state


def _shares(y: Tensor, multiclass: bool) -> Tensor:
    """Share of positives per outcome, or of each class, among the labelled."""
    if multiclass:
        classes = torch.bincount(y[y >= 0])
        return classes / classes.sum()
    return torch.nanmean(y, dim=0)


def _decay_groups(network: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Weight matrices decay; biases, norms and embeddings' single vectors do not."""
    matrices = [parameter for parameter in network.parameters() if parameter.dim() > 1]
    vectors = [parameter for parameter in network.parameters() if parameter.dim() <= 1]
    return [{"params": matrices, "weight_decay": weight_decay}, {"params": vectors, "weight_decay": 0.0}]


def _learning_rate(config: TrainConfig, progress: float) -> float:
    """Cosine from the peak to a twentieth over ``max_epochs``, after a linear start over the first epoch."""
    assert config.learning_rate is not None
    warm = min(1.0, progress + 1e-3) if progress < 1 else 1.0
    share = min(progress / config.max_epochs, 1.0)
    return config.learning_rate * warm * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * share)))


def _epoch(
    fabric: Fabric,
    network: Ensemble,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    average: RunningAverage,
    store: PatientStore,
    rows: Tensor,
    config: TrainConfig,
    seed: int,
    epoch: int,
) -> float:
    """One pass over the training patients; the mean loss per step, in nats."""
    model.train()
    assert config.batch_size is not None
    losses = []
    with seeded(seed, epoch):
        order = rows[torch.randperm(rows.numel())]
        loader = PatientLoader(store, order, config.batch_size)
        for number, batch in enumerate(loader):
            for group in optimizer.param_groups:
                group["lr"] = _learning_rate(config, epoch + number / len(loader))
            batch = batch.to(fabric.device)
            assert batch.y is not None
            loss = network.loss(model(batch), batch.y)
            optimizer.zero_grad()
            fabric.backward(loss)
            if config.clip_norm:
                fabric.clip_gradients(model, optimizer, max_norm=config.clip_norm * len(network.members) ** 0.5)
            optimizer.step()
            average.update()
            losses.append(loss.detach())
    return float(torch.stack(losses).mean()) / len(network.members)


def _tuning(
    fabric: Fabric,
    network: Ensemble,
    store: PatientStore,
    train_rows: Tensor,
    tuning_rows: Tensor,
    config: TrainConfig,
) -> dict[str, float]:
    """Loss and ranking metrics on the tuning patients, with freshly fitted states."""
    if train_rows.numel() > config.state_rows:
        chosen = torch.randperm(train_rows.numel(), generator=torch.Generator().manual_seed(0))[: config.state_rows]
        train_rows = train_rows[chosen.sort().values]

    def passes(rows: Tensor) -> Iterator[PatientBatch]:
        for batch in PatientLoader(store, rows, 1024):
            yield batch.to(fabric.device)

    network.eval()
    with torch.no_grad(), fabric.autocast():
        network.fit_states(lambda: passes(train_rows))
        parts, labels = [], []
        for batch in passes(tuning_rows):
            parts.append(network.probability(network(batch)))
            labels.append(batch.y)
    scores = torch.cat(parts).cpu()
    y = torch.cat([label for label in labels if label is not None]).cpu()
    return {"tuning_loss": _log_loss(scores, y), **_ranking(scores, y)}


def _positive(scores: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Scores and labels with one column per outcome or class."""
    if not y.is_floating_point():
        return scores, nn.functional.one_hot(y, scores.size(1)).double()
    return (scores[:, 1:] if y.size(1) == 1 else scores), y


def _log_loss(scores: Tensor, y: Tensor) -> float:
    """Mean cross-entropy of probabilities over labelled elements, in nats."""
    if not y.is_floating_point():
        return float(-scores.clamp_min(1e-12).log().gather(1, y.unsqueeze(1)).mean())
    scores, y = _positive(scores, y)
    labelled = ~torch.isnan(y)
    chance = torch.where(y > 0.5, scores, 1 - scores)[labelled]
    return float(-chance.clamp_min(1e-12).log().mean())


def _ranking(scores: Tensor, y: Tensor) -> dict[str, float]:
    """AUPRC and AUROC, averaged over outcomes or classes that have both labels; NaN when none has."""
    scores, y = _positive(scores, y)
    precision, roc = [], []
    for column in range(y.size(1)):
        labelled = ~torch.isnan(y[:, column])
        truth = y[labelled, column].numpy()
        if 0 < truth.sum() < truth.size:
            precision.append(average_precision_score(truth, scores[labelled, column].numpy()))
            roc.append(roc_auc_score(truth, scores[labelled, column].numpy()))
    if not precision:
        return {"tuning_auprc": float("nan"), "tuning_auroc": float("nan")}
    return {"tuning_auprc": float(np.mean(precision)), "tuning_auroc": float(np.mean(roc))}


def _advance(state: TrainingState, row: dict[str, Any], network: nn.Module, config: TrainConfig) -> None:
    """Takes a finished epoch into the state."""
    state.epoch += 1
    state.history.append(row)
    value = (
        row["tuning_auprc"]
        if config.monitor == "auprc" and not math.isnan(row["tuning_auprc"])
        else -row["tuning_loss"]
    )
    if not math.isfinite(value):
        raise InputError(
            f"training diverged in epoch {state.epoch}: the tuning loss is {row['tuning_loss']}; lower learning_rate"
        )
    if value > state.best_value or not state.best_weights:
        state.best_value, state.best_epoch = value, state.epoch
        state.best_weights = {name: tensor.detach().cpu().clone() for name, tensor in network.state_dict().items()}
    state.stopped = state.epoch >= config.max_epochs or state.epoch - state.best_epoch >= config.patience
