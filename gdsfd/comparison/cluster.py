"""Fits on the machines of a Dask cluster that is already running.

The fits are those of :mod:`gdsfd.comparison.execution`, and so are their numbers. Nothing has to be shared between the
machines but the network: graphs travel as the bytes of their files, and what a fit writes comes back as bytes.
"""

from __future__ import annotations

import queue
import tempfile
import threading
import time
import uuid
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import is_dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch_geometric.data import HeteroData

from gdsfd._version import __version__
from gdsfd.atomic_write import atomic_file
from gdsfd.comparison.execution import Part
from gdsfd.comparison.fit_log import FitLog, Record
from gdsfd.errors import GdsfdError, InputError, cell_text
from gdsfd.graph.serialization import load_graph, save_graph
from gdsfd.plugins import load_plugins, loaded_plugins
from gdsfd.private_folder import private_folder

__all__ = ["ClusterExecutor", "check_cluster"]

_TO_ANSWER = 10  #: seconds that the scheduler has
_FOR_WORKERS = 30  #: seconds until there has to be a worker

Files = dict[str, bytes]


def check_cluster(address: object, jobs: int) -> None:
    """Refuses what cannot be the address of a scheduler, before any work.

    Raises:
        InputError: It is none, Dask is not there, or fits are to run in processes here as well.
    """
    if not isinstance(address, str) or "://" not in address:
        raise InputError(f"cluster: expected a scheduler's address, such as tcp://host:8786, got {cell_text(address)}")
    if jobs != 1:
        raise InputError(
            f"cluster: fits run on the cluster's workers, as many at once as there are; leave out jobs={jobs}"
        )
    try:
        import distributed  # noqa: F401
    except ImportError:
        raise InputError("cluster: needs Dask; pip install 'gdsfd[cluster]'") from None


class ClusterExecutor:
    """Several parts at once, each on a worker of a cluster.

    A part whose worker is lost is fitted again on another. Records go to the log, here, as parts end.

    Args:
        address: Of the scheduler.
        log: Where records go.
        tell: Told what is fitted next, in words.

    Attributes:
        lines: The records; all of them when the context ends.

    Raises:
        InputError: No scheduler answers there, it has no workers, or workers that do several things at once, or another
            version of this package.
        GdsfdError: A part was lost with one worker after another, or the scheduler has ended.
    """

    def __init__(self, address: str, log: FitLog | None, tell: Callable[[str], None] | None) -> None:
        from distributed import Client

        self.address, self.log, self.tell = address, log, tell
        self.lines: list[Record] = []
        self.said: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.waiting: dict[Any, Part] = {}
        try:
            self.client = Client(address, timeout=_TO_ANSWER, set_as_default=False)
        except (OSError, ValueError) as error:
            raise InputError(f"cluster: no scheduler answers at {address} ({str(error).splitlines()[0]})") from None
        try:
            self._check_workers()
            self.topic = f"gdsfd-{uuid.uuid4().hex}"
            self.client.subscribe_topic(self.topic, lambda event: self.said.put(event[1]))
        except BaseException:
            self.client.close()
            raise

    def _check_workers(self) -> None:
        try:
            self.client.wait_for_workers(1, timeout=_FOR_WORKERS)
        except TimeoutError:
            raise InputError(
                f"cluster: the scheduler at {self.address} has no workers; start dask worker first"
            ) from None
        for name, each in self.client.scheduler_info(n_workers=-1)["workers"].items():
            if each["nthreads"] > 1:
                raise InputError(
                    f"cluster: the worker {name} does {each['nthreads']} things at once, but a fit draws "
                    "random numbers of its whole process; start workers with --nthreads 1, "
                    "and --nworkers for several on a machine"
                )

    @property
    def workers(self) -> int:
        """How many workers there are now."""
        return len(self.client.scheduler_info(n_workers=-1)["workers"])

    def __enter__(self) -> ClusterExecutor:
        return self

    def __call__(self, graph: HeteroData, parts: Sequence[Part]) -> None:
        facts = {"gdsfd": __version__, "torch": torch.__version__, "plugins": loaded_plugins(), "topic": self.topic}
        with private_folder("compare") as folder, warnings.catch_warnings():
            save_graph(graph, folder / "graph")
            warnings.filterwarnings("ignore", message="Sending large graph")
            files = self.client.submit(_unpacked, _files_in(folder / "graph"), pure=False)
        for part in parts:
            future = self.client.submit(_fit, part, files, facts, pure=False)
            self.waiting[future] = part
        self._collect(2 * self.workers)

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        try:
            if kind is None:
                self._collect(0)
        finally:
            with suppress(Exception):
                self.client.cancel(list(self.waiting))
            self.client.close()

    def _collect(self, most: int) -> None:
        """Takes what has ended, until at most so many parts are left."""
        while True:
            for future in [each for each in self.waiting if each.done()]:
                self._take(future)
            with suppress(queue.Empty):
                while True:
                    words = self.said.get_nowait()
                    if self.tell is not None:
                        self.tell(words)
            if len(self.waiting) <= most:
                return
            time.sleep(0.1)

    def _take(self, future: Any) -> None:
        from distributed import KilledWorker
        from distributed.client import FutureCancelledError

        part = self.waiting.pop(future)
        try:
            records, files = future.result()
        except KilledWorker:
            raise GdsfdError(
                "cluster: a fit was lost with one worker after another, most likely for want of memory. Fits that had "
                "ended are kept; go on with workers that have more"
            ) from None
        except FutureCancelledError as error:
            raise GdsfdError(
                f"cluster: the scheduler at {self.address} has ended, or forgot a fit. Fits that had ended are kept"
            ) from error
        for name, content in files.items():
            with atomic_file(_folder_of(part) / name) as temporary:
                temporary.write_bytes(content)
        self.lines += self.log.append(records) if self.log is not None else records


_one_at_a_time = threading.Lock()


def _unpacked(files: Files) -> Files:
    """A graph's files, as what fits wait for: lost with its worker, it is sent again."""
    return files


def _fit(part: Part, files: Files, facts: Mapping[str, Any]) -> tuple[list[Record], Files]:
    """On a worker: fits, and gives the records and what was written."""
    from distributed import get_worker
    from threadpoolctl import threadpool_limits

    own = {"gdsfd": __version__, "torch": torch.__version__}
    for name, version in own.items():
        if version != facts[name]:
            raise InputError(
                f"cluster: the worker {get_worker().address} has {name} {version}, here it is {facts[name]}; expected "
                "the same"
            )
    with _one_at_a_time, tempfile.TemporaryDirectory(prefix="gdsfd-fit-") as name, threadpool_limits(1):
        folder, threads = Path(name), torch.get_num_threads()
        for place, content in files.items():
            (folder / "graph" / place).parent.mkdir(parents=True, exist_ok=True)
            (folder / "graph" / place).write_bytes(content)
        load_plugins(facts["plugins"])
        torch.set_num_threads(1)
        try:
            written = folder / "written"
            mine = replace(part, folder=written) if _folder_of(part) is not None else part  # type: ignore[type-var]
            tell = lambda words: get_worker().log_event(facts["topic"], words)  # noqa: E731
            return mine.fit(load_graph(folder / "graph"), None, tell), _files_in(written)
        finally:
            torch.set_num_threads(threads)


def _folder_of(part: Part) -> Any:
    """Where a part writes beside the log; None where it does not."""
    return getattr(part, "folder", None) if is_dataclass(part) else None


def _files_in(folder: Path) -> Files:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
