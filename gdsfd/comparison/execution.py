"""What of a comparison is fitted at a time: the baselines or one backbone, here or in processes of their own."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Protocol

from torch_geometric.data import HeteroData

from gdsfd.comparison.fit_log import FitLog, Record, plain
from gdsfd.comparison.fits import ORACLE, Plan, fit_all
from gdsfd.errors import GdsfdError
from gdsfd.evaluation.metrics.formulas import Floats
from gdsfd.graph.serialization import load_graph, save_graph
from gdsfd.plugins import loaded_plugins
from gdsfd.private_folder import private_folder
from gdsfd.worker_process import begin_worker, fitting_processes

__all__ = ["Job", "Part", "ProcessExecutor", "SerialExecutor"]

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Job:
    """The baselines or one backbone, on one graph and seed.

    Args:
        where: Design, held-out environment and seed; put into each of its records.
        plan: What is fitted.
        done: (backbone, arm) that are not to be fitted again.
        oracle: True scores of all patients, if they are to be judged.
    """

    where: Record
    plan: Plan
    done: frozenset[tuple[str, str]] = frozenset()
    oracle: Floats | None = None

    @property
    def missing(self) -> bool:
        """Whether there is anything to fit."""
        rows = set(self.plan.rows()) | ({("", ORACLE)} if self.oracle is not None else set())
        return not rows <= self.done

    def fit(self, graph: HeteroData, log: FitLog | None, tell: Tell | None) -> list[Record]:
        """Fits what is missing; each record goes to the log as soon as its fit ends."""
        without = f" without {self.where['holdout']}" if self.where["holdout"] else ""
        place = f"{self.where['design']}{without}, seed {self.where['seed']}"

        def say(backbone: str, arm: str) -> None:
            if tell is not None:
                tell(f"{place}: {' '.join((backbone, arm)).strip()}")

        found: list[Record] = []
        for records in fit_all(graph, self.where["seed"], self.plan, self.done, self.oracle, say):
            lines = [plain({**self.where, **record}) for record in records]
            found += log.append(lines) if log is not None else lines
        return found


class Part(Protocol):
    """What a process can be given to do."""

    def fit(self, graph: HeteroData, log: FitLog | None, tell: Tell | None) -> list[Record]:
        """Fits on a graph; records go to the log as fits end."""
        ...


class SerialExecutor:
    """One part after another, in this process.

    Args:
        log: Where records go as their fits end.
        tell: Told what is fitted next, in words.

    Attributes:
        lines: The records.
    """

    def __init__(self, log: FitLog | None, tell: Tell | None) -> None:
        self.log, self.tell = log, tell
        self.lines: list[Record] = []

    def __enter__(self) -> SerialExecutor:
        return self

    def __exit__(self, *error: Any) -> None:
        pass

    def __call__(self, graph: HeteroData, parts: Sequence[Job]) -> None:
        for part in parts:
            self.lines += part.fit(graph, self.log, self.tell)


class ProcessExecutor:
    """Several parts at once, each in a process. The processes end with this one, however it ends.

    Graphs pass through files in a temporary folder. An error in one part, or Ctrl-C, ends the others at once; records
    of fits that had ended are in the log.

    Args:
        jobs: Parts at once.
        threads: Of each process.
        log: Where records go, from the processes themselves.
        tell: Told what is fitted next, in words.

    Attributes:
        lines: The records; all of them when the context ends.

    Raises:
        GdsfdError: A process was killed.
    """

    def __init__(self, jobs: int, threads: int, log: FitLog | None, tell: Tell | None) -> None:
        self.jobs, self.log, self.tell = jobs, log, tell
        self.lines: list[Record] = []
        context = fitting_processes(__name__)
        ended, self.alive = context.Pipe(duplex=False)  # workers read the end of the file when this process ends
        self.said = context.SimpleQueue()
        self.pool = ProcessPoolExecutor(jobs, context, _begin, (ended, self.said, threads, loaded_plugins()))
        self.waiting: dict[Future[list[Record]], Path] = {}
        self.held = ExitStack()
        self.graphs = self.held.enter_context(private_folder("compare"))

    def __enter__(self) -> ProcessExecutor:
        return self

    def __call__(self, graph: HeteroData, parts: Sequence[Part]) -> None:
        folder = Path(tempfile.mkdtemp(dir=self.graphs)) / "graph"
        save_graph(graph, folder)
        for part in parts:
            self.waiting[self.pool.submit(_fit, part, folder, self.log)] = folder
        self._collect(2 * self.jobs)

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        try:
            if kind is None:
                self._collect(0)
        except BrokenProcessPool as broken:
            error = broken
        finally:
            if self.waiting:
                self.alive.close()
            self.pool.shutdown(cancel_futures=True)
            self.alive.close()
            self.held.close()
        if isinstance(error, BrokenProcessPool):
            raise GdsfdError(
                "a fitting process was killed, most likely for want of memory. Fits that had ended are kept "
                "in the folder; go on with fewer jobs"
            ) from error

    def _collect(self, most: int) -> None:
        """Takes what has ended, until at most so many parts are left."""
        while True:
            ended, _ = wait(self.waiting, 0.2 if len(self.waiting) > most else 0, FIRST_COMPLETED)
            while not self.said.empty():
                words = self.said.get()
                if self.tell is not None:
                    self.tell(words)
            for future in ended:
                self.lines += future.result()
                folder = self.waiting.pop(future)
                if folder not in self.waiting.values():
                    shutil.rmtree(folder.parent)
            if len(self.waiting) <= most:
                return


_said: Any = None  # in a worker: where what is fitted next is told


def _begin(alive: Connection, said: Any, threads: int, plugins: Sequence[str]) -> None:
    """Prepares a worker: it knows the plug-ins that the process which waits has loaded."""
    global _said
    _said = said
    begin_worker(alive, threads, plugins)


def _fit(part: Part, folder: Path, log: FitLog | None) -> list[Record]:
    return part.fit(load_graph(folder), log, _said.put)
