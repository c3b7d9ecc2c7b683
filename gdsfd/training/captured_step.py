"""Training steps that a GPU repeats by itself: recorded once as a CUDA graph, then replayed on other patients."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from gdsfd.nn.losses import Targets
from gdsfd.training.batches import TrainingBatches
from gdsfd.training.config import TrainConfig
from gdsfd.training.step import Step

__all__ = ["CapturedStep", "CapturedSteps", "baked_in", "why_not_captured", "why_not_repeatable"]

_log = logging.getLogger(__name__)

_WARM_UP = 3  #: steps taken one call at a time before one is recorded; lazily made things exist by then


def why_not_captured(step: Step, batches: TrainingBatches, config: TrainConfig) -> str:
    """Why steps are not recorded, in words; empty where they are.

    Args:
        step: A step of the training.
        batches: Where it takes its patients from.
        config: A resolved configuration.
    """
    if batches.device.type != "cuda":
        return f"a CUDA graph needs a CUDA device, training is on {batches.device.type!r}"
    if why := why_not_repeatable(step, batches):
        return why
    if config.precision == "16-mixed":
        return "precision '16-mixed' looks at the gradients in every step"
    return ""


def why_not_repeatable(step: Step, batches: TrainingBatches) -> str:
    """Why a step is not the same calls every time, in words; empty where it is."""
    if not batches.in_grid:
        return f"batches are lists of edges, whose lengths differ: {batches.why_not}"
    if step.ranks.size > 1:
        return "several processes train together, and exchange numbers in every step"
    if batches.apart:
        return "the inputs are not on the device, and each batch is copied there"
    if step.critics.optimizer is not None:
        return "the loss trains critics with an optimiser of their own"
    for there, what in (
        (step.hooks.replace_loss, "replaces the training loss"),
        (step.hooks.on_gradients, "changes gradients"),
        (step.hooks.read_truth, "reads every step's predictions"),
    ):
        if there:
            return f"a backbone {what}"
    return ""


class CapturedStep:
    """A step on a fixed number of patients, who stand in one tensor that is written to anew.

    On a CUDA device the first steps are taken call by call on a stream of their own, then the same function is
    recorded, and from there on replayed. Elsewhere it is called every time.

    Args:
        body: Trains on the patients in some rows, int64 [B] on the device; gives the loss without gradient.
        size: Patients B.
        device: Where it runs.
        made_of: What the function has baked in when it is called (:func:`baked_in`): steps that change it by
            themselves cannot be replayed.

    Attributes:
        rows: Rows of the patients; int64 [B].
        why_not: Why it is not replayed although it was meant to be; empty otherwise.
    """

    def __init__(
        self, body: Callable[[Tensor], Tensor], size: int, device: torch.device, made_of: Callable[[], object]
    ) -> None:
        self.body = body
        self.made_of = made_of
        self.rows = torch.zeros(size, dtype=torch.long, device=device)
        self.why_not = ""
        self._replays = device.type == "cuda"
        self._taken = 0
        self._graph: Any = None
        self._loss = torch.zeros((), device=device)

    def __call__(self, rows: Tensor) -> Tensor:
        """Trains on the patients in ``rows``, int64 [B] on the device."""
        self.rows.copy_(rows)
        if not self._replays or self.why_not:
            return self.body(self.rows)
        if self._graph is None and self._taken < _WARM_UP:
            return self._warm_up()
        if self._graph is None and not self._record():
            return self.body(self.rows)
        self._graph.replay()
        return self._loss.clone()

    def _warm_up(self) -> Tensor:
        self._taken += 1
        before, stream = self.made_of(), torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            loss = self.body(self.rows)
        torch.cuda.current_stream().wait_stream(stream)
        if self._taken > 1 and self.made_of() != before:  # the first may make what it needs
            self._give_up("a part of the network or of the loss changes what is no tensor in every step")
        return loss

    def _record(self) -> bool:
        """Records the step without taking it; whether that worked."""
        graph = torch.cuda.CUDAGraph()
        try:
            with torch.cuda.graph(graph):
                self._loss = self.body(self.rows)
        except RuntimeError as error:  # what waits for a value is refused by CUDA with an error of its own
            torch.cuda.synchronize()
            self._give_up(str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__)
            return False
        self._graph = graph
        return True

    def _give_up(self, why: str) -> None:
        self.why_not = why
        _log.warning("steps of %d patients are not replayed as a CUDA graph: %s", self.rows.numel(), why)


class CapturedSteps:
    """The steps of a training, which come in few sizes: whole batches, and what is left at the end of an epoch.

    A recorded step reads weights and buffers where they were and takes the branches it took. So it is recorded anew
    when either has changed: with the stage, or when an adjustment was fitted.

    Args:
        batches: Batches in fixed shapes (:func:`why_not_captured`).
        targets: Of all the graph's patients, on the device.
        parts: Modules that steps read.

    Attributes:
        rate: The learning rate, where the device reads it.
    """

    def __init__(self, batches: TrainingBatches, targets: Targets, parts: nn.Module) -> None:
        self.batches, self.targets, self.parts = batches, targets, parts
        kind = torch.float32 if batches.device.type == "cuda" else torch.float64  # as the optimiser's kernel reads it
        self.rate = torch.zeros((), dtype=kind, device=batches.device)
        self._steps: dict[int, CapturedStep] = {}
        self._made_of: object = None

    def start_epoch(self, step: Step) -> None:
        """Forgets recorded steps that are no longer the ones to take.

        Args:
            step: The step of the epoch that begins.
        """
        step.set_rate(self.rate)
        self._step = step
        made_of = (step.stage, self._baked_in())
        if made_of != self._made_of:
            self._steps.clear()
            self._made_of = made_of

    def __call__(self, rows: Tensor, rate: float) -> Tensor:
        """Trains on the patients in ``rows``, int64 [B] on the device; the loss, without gradient."""
        size = rows.numel()
        if size not in self._steps:
            self._steps[size] = CapturedStep(self._body, size, self.batches.device, self._baked_in)
        self.rate.fill_(rate)
        loss = self._steps[size](rows)
        self._step.average.update()
        return loss

    def _body(self, rows: Tensor) -> Tensor:
        return self._step.body(self.batches.at(rows), self.targets.take(rows))

    def _baked_in(self) -> object:
        return baked_in(self.parts)


def baked_in(module: nn.Module, places: bool = True) -> list[object]:
    """What a recorded step has of a module once for all: where its tensors are, and its settings.

    Args:
        module: The module.
        places: Whether it matters where tensors are, or only their shapes.

    Example:
        >>> module = nn.Dropout(0.5)
        >>> before = baked_in(module)
        >>> module.p = 0.25
        >>> baked_in(module) == before
        False
    """
    found: list[object] = []
    for part in module.modules():
        tensors = [*part.named_parameters(recurse=False), *part.named_buffers(recurse=False)]
        found += [(name, each.data_ptr() if places else 0, each.shape) for name, each in tensors]
        found += [(name, each) for name, each in vars(part).items() if isinstance(each, (bool, int, float, str))]
    return found
