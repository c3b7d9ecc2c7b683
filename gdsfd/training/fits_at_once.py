"""Fits of one training that do not wait for one another: here when they are asked for, or in processes of their own."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor
from torch_geometric.data import HeteroData

from gdsfd.errors import GdsfdError
from gdsfd.graph.patient_store import PatientStore
from gdsfd.graph.serialization import load_graph, save_graph
from gdsfd.plugins import loaded_plugins
from gdsfd.private_folder import private_folder
from gdsfd.training.arm import FittedArm, Together
from gdsfd.training.progress import Watch
from gdsfd.worker_process import begin_worker, fitting_processes

__all__ = ["Fit", "FitProcesses", "Fits", "FitsHere"]

Ask = Callable[[], FittedArm]


class Fittable(Protocol):
    """What can be fitted: an :class:`~gdsfd.training.arm.Arm`, or what is trained as one."""

    @property
    def backbone(self) -> str:
        """Name of the backbone."""

    def fit(self, *given: Any) -> FittedArm:
        """As :meth:`gdsfd.training.arm.Arm.fit`, with its arguments in their order."""


@dataclass(frozen=True, eq=False)
class Fit:
    """A fit that is wanted.

    Args:
        arm: What is fitted; an arm, or what is trained as one.
        rows: Rows of ``train`` and ``tuning``; None = the graph's splits.
        folder: Where checkpoints go; None = nowhere.
        watch: Called with each row of its history, in the process that asks.
    """

    arm: Fittable
    rows: Mapping[str, Tensor] | None = None
    folder: Path | None = None
    watch: Watch | None = None

    def same(self, other: Fit) -> bool:
        """Whether another comes to the same, whoever watches."""
        if (self.arm, self.folder) != (other.arm, other.folder) or (self.rows is None) != (other.rows is None):
            return False
        mine, theirs = self.rows or {}, other.rows or {}
        return mine.keys() == theirs.keys() and all(torch.equal(mine[name], theirs[name]) for name in mine)


class Fits(Protocol):
    """What fits are asked of."""

    def foresee(self, fit: Fit) -> None:
        """Says that a fit will be wanted, unless something decides otherwise."""

    def begin(self, fit: Fit) -> Ask:
        """Begins a fit, or says how to; what is returned gives the fitted arm."""

    def aside(self, work: Callable[..., Any], *given: Any) -> Callable[[], Any]:
        """Begins something else that takes the graph, or says how to; what is returned gives what it returns."""


class FitsHere:
    """Fits in this process, each when it is asked for.

    Args:
        graph: The graph.
        resume: Whether to go on from checkpoints.
        settings: Stored with them.
        store: The graph's, which all fits share.
        together: Trains them with other processes; None = this one trains them by itself.
    """

    def __init__(
        self,
        graph: HeteroData,
        resume: bool,
        settings: dict[str, Any] | None,
        store: PatientStore | None,
        together: Together | None = None,
    ) -> None:
        self.graph, self.resume, self.settings, self.store = graph, resume, settings, store
        self.together = together

    def foresee(self, fit: Fit) -> None:
        pass

    def begin(self, fit: Fit) -> Ask:
        given = (fit.rows, fit.folder, self.resume, self.settings, fit.watch, self.store, self.together)
        return lambda: fit.arm.fit(self.graph, *given)

    def aside(self, work: Callable[..., Any], *given: Any) -> Callable[[], Any]:
        return lambda: work(self.graph, *given)


@dataclass
class _Begun:
    """A fit in a process, and the rows of its history that nobody has been told of."""

    fit: Fit
    future: Future[bytes]
    rows: list[dict[str, Any]] = field(default_factory=list)
    watch: Watch | None = None


class FitProcesses:
    """Fits in processes, several at once; the processes end with this one, however it ends.

    The graph passes through files in a temporary folder, and what was fitted through a pipe. A fit's numbers are those
    of one with as many threads in this process.

    Args:
        graph: The graph.
        resume: Whether to go on from checkpoints.
        settings: Stored with them.
        jobs: Fits at once.
        threads: Of each; default: this process's, shared out.

    Raises:
        GdsfdError: A process was killed.
    """

    def __init__(
        self, graph: HeteroData, resume: bool, settings: dict[str, Any] | None, jobs: int, threads: int | None = None
    ) -> None:
        self.resume, self.settings = resume, settings
        context = fitting_processes()
        self.held = ExitStack()
        folder = self.held.enter_context(private_folder("train")) / "graph"
        save_graph(graph, folder)
        ended, self.alive = context.Pipe(duplex=False)  # workers read the end of the file when this process ends
        self.said = context.SimpleQueue()
        threads = max(1, torch.get_num_threads() // jobs) if threads is None else threads
        given = (ended, self.said, threads, loaded_plugins(), folder)
        self.pool = ProcessPoolExecutor(jobs, context, _begin, given)
        self.begun: list[_Begun] = []
        self.others: list[Future[bytes]] = []

    def __enter__(self) -> FitProcesses:
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        futures = [*self.others, *(each.future for each in self.begun)]
        for each in futures:
            each.cancel()
        if kind is not None or not all(each.done() for each in futures):
            self.alive.close()  # what was foreseen and is not wanted ends here
        self.pool.shutdown(cancel_futures=True)
        self.alive.close()
        self.held.close()

    def foresee(self, fit: Fit) -> None:
        arguments = pickle.dumps((fit.arm, fit.rows, fit.folder, self.resume, self.settings, len(self.begun)))
        self.begun.append(_Begun(fit, self.pool.submit(_fit, arguments)))

    def begin(self, fit: Fit) -> Ask:
        if not any(each.fit.same(fit) for each in self.begun):
            self.foresee(fit)
        own = next(each for each in self.begun if each.fit.same(fit))
        own.watch = fit.watch
        return lambda: self._wait_for(own.future)

    def aside(self, work: Callable[..., Any], *given: Any) -> Callable[[], Any]:
        future = self.pool.submit(_work, pickle.dumps((work, given)))
        self.others.append(future)
        return lambda: self._wait_for(future)

    def _wait_for(self, future: Future[bytes]) -> Any:
        while True:
            self._tell()
            try:
                found = future.result(0.1)
            except NotYet:
                continue
            except BrokenProcessPool as broken:
                raise GdsfdError(
                    "train: a fitting process was killed, most likely for want of memory; train with fewer jobs"
                ) from broken
            self._tell()
            return pickle.loads(found)

    def _tell(self) -> None:
        """Passes on rows of histories, those of fits that were only foreseen once they are wanted."""
        while not self.said.empty():
            number, row = self.said.get()
            self.begun[number].rows.append(row)
        for each in self.begun:
            if each.watch is not None:
                rows, each.rows = each.rows, []
                for row in rows:
                    each.watch(row)


_said: Any = None  # in a worker: where rows of histories are told
_graph: Any = None
_store: Any = None


def _begin(alive: Connection, said: Any, threads: int, plugins: Sequence[str], folder: Path) -> None:
    """Prepares a worker: it reads the graph once, and its fits share what networks work out once."""
    global _said, _graph, _store
    begin_worker(alive, threads, plugins)
    _said, _graph = said, load_graph(folder)
    _store = PatientStore(_graph)


def _fit(arguments: bytes) -> bytes:
    """Plain bytes both ways: tensors in shared memory would be lost with the process."""
    arm, rows, folder, resume, settings, number = pickle.loads(arguments)
    watch = lambda row: _said.put((number, row))  # noqa: E731
    return pickle.dumps(arm.fit(_graph, rows, folder, resume, settings, watch, _store))


def _work(arguments: bytes) -> bytes:
    work, given = pickle.loads(arguments)
    return pickle.dumps(work(_graph, *given))
