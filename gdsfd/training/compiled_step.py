"""Training steps that a CPU runs compiled: loss and gradients as one graph of operations, by torch's inductor."""

from __future__ import annotations

import logging
import shutil
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from gdsfd.graph.grid_batch import GridBatch
from gdsfd.graph.grid_layout import GridLayout
from gdsfd.nn.losses import Targets
from gdsfd.ops.traced import traced
from gdsfd.training.batches import TrainingBatches
from gdsfd.training.captured_step import baked_in, why_not_repeatable
from gdsfd.training.config import TrainConfig
from gdsfd.training.step import Step

__all__ = ["CompiledSteps", "WrittenDown", "compiled", "has_compiler", "why_not_compiled"]

_log = logging.getLogger(__name__)

#: Graphs that one training compiles at most: a stage each, and an adjustment that changed its size.
MOST_GRAPHS = 4


def why_not_compiled(step: Step, batches: TrainingBatches, config: TrainConfig) -> str:
    """Why steps are not compiled, in words; empty where they are.

    Args:
        step: A step of the training.
        batches: Where it takes its patients from.
        config: A resolved configuration.
    """
    if batches.device.type != "cpu":
        return f"steps are compiled for a CPU, training is on {batches.device.type!r}; see the setting 'captured'"
    if why := why_not_repeatable(step, batches):
        return why
    if config.precision != "32-true":
        return f"precision {config.precision!r} was not tried"
    if not has_compiler():
        return "there is no C++ compiler (g++ or clang++)"
    return ""


def has_compiler() -> bool:
    """Whether there is a C++ compiler, which torch's inductor needs for a CPU."""
    return any(map(shutil.which, ("g++", "clang++", "c++")))


class WrittenDown:
    """Loss and gradients of a step as a graph of operations that reads every tensor it needs as an argument.

    Random numbers that depend on shapes only are arguments, too. They are drawn before, in the order in which the step
    draws them call by call: a compiler is free to change it.

    Args:
        loss: Gives the loss from some tensors, which say what a batch holds.
        parameters: What gradients are taken of.
        *batch: Tensors to write it down with; random numbers drawn on the way are put back.

    Attributes:
        graph: From a batch, :attr:`tensors` and random numbers to the loss and the gradients of :attr:`used`.
        tensors: What else the graph reads: weights and buffers.
        used: Those parameters that have a gradient.
    """

    def __init__(self, loss: Callable[..., Tensor], parameters: Sequence[nn.Parameter], *batch: Tensor) -> None:
        from torch.fx.experimental.proxy_tensor import make_fx  # slow to import

        self.used: list[nn.Parameter] = []

        def loss_and_gradients(*batch: Tensor) -> list[Tensor]:
            found = loss(*batch)
            gradients = torch.autograd.grad(found, parameters, allow_unused=True)
            pairs = [(own, gradient) for own, gradient in zip(parameters, gradients) if gradient is not None]
            self.used = [own for own, _ in pairs]
            return [found.detach(), *(gradient.contiguous() for _, gradient in pairs)]

        with traced(), _draws_put_back():
            self.graph = make_fx(loss_and_gradients)(*batch)
        arguments = _Arguments(self.graph)
        self.tensors = arguments.kept()
        self._draws = arguments.draws()
        self.graph.recompile()

    def arguments(self, *batch: Tensor) -> list[Tensor]:
        """What the graph is called with; draws random numbers."""
        return [*batch, *self.tensors, *(draw() for draw in self._draws)]

    def __call__(self, *batch: Tensor) -> list[Tensor]:
        """The loss and the gradients, operation by operation."""
        with torch.no_grad():
            found: list[Tensor] = self.graph(*self.arguments(*batch))
        return found


class _Arguments:
    """Turns what a graph keeps or draws into arguments of it, behind those it has."""

    def __init__(self, graph: Any) -> None:
        self._module, self._graph = graph, graph.graph
        self._last = [node for node in self._graph.nodes if node.op == "placeholder"][-1]
        self._count = 0

    def kept(self) -> list[Tensor]:
        """The tensors that stood in the graph, in the order of their arguments."""
        found: dict[str, Any] = {}
        tensors = []
        for node in [node for node in self._graph.nodes if node.op == "get_attr"]:
            if node.target not in found:
                found[node.target] = self._next("kept")
                tensors.append(getattr(self._module, node.target).detach())
            node.replace_all_uses_with(found[node.target])
            self._graph.erase_node(node)
        return tensors

    def draws(self) -> list[Callable[[], Tensor]]:
        """What gives the random numbers that depend on shapes only, in the order of their arguments."""
        found = []
        for node in list(self._graph.nodes):
            draw = _draw(node) if node.op == "call_function" else None
            if draw is not None:
                drawn, into = self._next("drawn"), node.args[0] if node.target in _INTO else None
                node.replace_all_uses_with(drawn)
                self._graph.erase_node(node)
                if into is not None:
                    into.replace_all_uses_with(drawn)
                    self._graph.erase_node(into)
                found.append(draw)
        return found

    def _next(self, name: str) -> Any:
        with self._graph.inserting_after(self._last):
            self._last = self._graph.placeholder(f"{name}_{self._count}")
        self._count += 1
        return self._last


_ATEN = torch.ops.aten
#: Operations that draw numbers for a tensor of which they read the shape alone.
_LIKE = (_ATEN.rand_like.default, _ATEN.randn_like.default, _ATEN.bernoulli.p)
#: Those that draw numbers into a tensor, and what makes such a tensor for them.
_INTO = (_ATEN.bernoulli_.float, _ATEN.uniform_.default, _ATEN.normal_.default)
_EMPTY = (_ATEN.empty_like.default, _ATEN.empty.memory_format, _ATEN.empty_strided.default, _ATEN.new_empty.default)


def _draw(node: Any) -> Callable[[], Tensor] | None:
    """What draws the numbers of a node of a graph without the graph; None where they depend on values."""
    function = node.target
    if torch.Tag.nondeterministic_seeded not in getattr(function, "tags", ()):
        return None
    if not node.all_input_nodes:
        return partial(function, *node.args, **node.kwargs)
    into = function in _INTO and node.args[0].target in _EMPTY
    if not into and function not in _LIKE:
        return None
    others, shape = node.args[1:], node.meta["tensor_meta"]
    empty = partial(torch.empty_strided, shape.shape, shape.stride, dtype=shape.dtype)
    return lambda: function(empty(), *others, **node.kwargs)


def compiled(written: WrittenDown, *batch: Tensor) -> Callable[..., list[Tensor]]:
    """The same function, compiled for as many threads as torch has now; half a minute, less where torch kept it.

    Random numbers are those that the operations draw one by one.

    Args:
        written: What to compile.
        *batch: A batch of as many patients as a step has.

    Raises:
        Exception: Whatever torch or the C++ compiler says.
    """
    from torch import _inductor  # slow to import

    options = {"fallback_random": True, "cpp.threads": torch.get_num_threads()}
    with _draws_put_back(), _quiet(), torch.no_grad():  # compiling draws numbers, too, and more of them the first time
        example: list[Any] = [*written.arguments(*batch)]
        function = _inductor.compile(written.graph, example, options=options)

    def call(*batch: Tensor) -> list[Tensor]:
        with torch.no_grad():
            found: list[Tensor] = function(*written.arguments(*batch))
        return found

    return call


@contextmanager
def _draws_put_back() -> Iterator[None]:
    """Random numbers drawn inside were not drawn, also where it ends in an error."""
    state = torch.get_rng_state()
    try:
        yield
    finally:
        torch.set_rng_state(state)


@contextmanager
def _buffers_put_back(parts: nn.Module) -> Iterator[None]:
    """What a step written down changed in place, such as a running share, is as it was before."""
    before = [(each, each.clone()) for each in parts.buffers()]
    try:
        yield
    finally:
        for each, values in before:
            each.copy_(values)


@contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


class CompiledSteps:
    """The steps of a training whose whole batches are compiled; what is left at an epoch's end is taken call by call.

    A compiled step has branches and settings baked in. It is compiled anew when these have changed, as with the stage,
    and reads tensors that were replaced by others of the same shape where they are now.

    Args:
        batches: Batches in fixed shapes (:func:`why_not_compiled`).
        targets: Of all the graph's patients.
        parts: Modules that steps read.
        size: Patients of a whole batch.

    Attributes:
        why_not: Why no further steps are compiled although they were meant to be; empty otherwise.
    """

    def __init__(self, batches: TrainingBatches, targets: Targets, parts: nn.Module, size: int) -> None:
        self.batches, self.targets, self.parts, self.size = batches, targets, parts, size
        self.why_not = ""
        self._made_of: object = None
        self._where: dict[int, tuple[int, ...]] = {}
        self._written: WrittenDown | None = None
        self._call: Callable[..., list[Tensor]] | None = None
        self._graphs = 0

    def start_epoch(self, step: Step) -> None:
        """Forgets a compiled step that is no longer the one to take.

        Args:
            step: The step of the epoch that begins.
        """
        self._step = step
        made_of = (step.stage, baked_in(self.parts, places=False))
        if made_of != self._made_of:
            self._made_of, self._call = made_of, None
        elif self._call is not None:
            self._follow()

    def __call__(self, rows: Tensor, rate: float) -> Tensor:
        """Trains on the patients in ``rows``, int64 [B]; the loss, without gradient."""
        step = self._step
        step.set_rate(rate)
        if rows.numel() != self.size or self.why_not or (self._call is None and not self._compile(rows)):
            loss = step.body(self.batches.at(rows), self.targets.take(rows))
        else:
            assert self._call is not None
            assert self._written is not None
            loss, *gradients = self._call(*self._batch(rows).values())
            step.optimizer.zero_grad()
            for parameter, gradient in zip(self._written.used, gradients, strict=True):
                parameter.grad = gradient
            step.take(rows.device)
        step.average.update()
        return loss

    def _batch(self, rows: Tensor) -> dict[str, Tensor]:
        """What a step reads of its patients, gathered before: the graph then has no size of the cohort in it.

        What torch has kept of a graph serves every fold and seed.
        """
        batch, targets = self.batches.at(rows), self.targets.take(rows)
        assert isinstance(batch, GridBatch)
        found = {"inputs": batch.inputs, "there": batch.layout.there}
        found |= {} if batch.y is None else {"labels": batch.y}
        return found | {name: each for name, each in vars(targets).items() if each is not None}

    def _loss(self, names: Sequence[str], *tensors: Tensor) -> Tensor:
        given = dict(zip(names, tensors, strict=True))
        inputs, there, labels = (given.pop(name, None) for name in ("inputs", "there", "labels"))
        assert inputs is not None
        assert there is not None
        batch = GridBatch(given["rows"], inputs, GridLayout(there), labels)
        return self._step.loss(batch, Targets(**given))

    def _compile(self, rows: Tensor) -> bool:
        """Compiles the step; whether that worked."""
        self._graphs += 1
        if self._graphs > MOST_GRAPHS:
            self._give_up(f"the step has changed {MOST_GRAPHS} times")
            return False
        _log.info("compiling a step of %d patients (half a minute, less where torch has kept it)", self.size)
        parameters = [each for each in self._step.model.parameters() if each.requires_grad]
        try:
            before = baked_in(self.parts, places=False)
            batch = self._batch(rows)
            with _buffers_put_back(self.parts):
                self._written = WrittenDown(partial(self._loss, list(batch)), parameters, *batch.values())
            if baked_in(self.parts, places=False) != before:
                self._give_up("a part of the network or of the loss changes what is no tensor in every step")
                return False
            self._call = compiled(self._written, *batch.values())
        except Exception as error:  # torch and the C++ compiler have errors of many kinds
            lines = str(error).strip().splitlines()
            self._give_up(lines[0] if lines else type(error).__name__)
            return False
        self._where = self._places()
        return True

    def _places(self) -> dict[int, tuple[int, ...]]:
        """Argument of the graph -> where its tensor is held: numbers of a part and of a buffer of it."""
        assert self._written is not None
        held = {each.data_ptr(): place for place, each in self._buffers().items() if each.numel()}
        tensors = enumerate(self._written.tensors)
        return {number: held[each.data_ptr()] for number, each in tensors if each.data_ptr() in held}

    def _buffers(self) -> dict[Any, Tensor]:
        parts = enumerate(self.parts.modules())
        return {(number, name): each for number, part in parts for name, each in part.named_buffers(recurse=False)}

    def _follow(self) -> None:
        """Reads buffers that were replaced where they are now."""
        assert self._written is not None
        buffers = self._buffers()
        for number, place in self._where.items():
            self._written.tensors[number] = buffers[place]

    def _give_up(self, why: str) -> None:
        self.why_not = why
        _log.warning("setting 'compiled': steps are taken call by call: %s", why)
