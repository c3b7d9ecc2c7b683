"""Processes that train one network together: this one, and as many more as were asked for."""

from __future__ import annotations

import pickle
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from datetime import timedelta
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import torch
from torch import distributed
from torch_geometric.data import HeteroData

from gdsfd.errors import GdsfdError
from gdsfd.graph.patient_store import PatientStore
from gdsfd.graph.serialization import load_graph, save_graph
from gdsfd.ops.over_ranks import Ranks
from gdsfd.plugins import loaded_plugins
from gdsfd.private_folder import private_folder
from gdsfd.training.loop import train
from gdsfd.training.state import TrainingState
from gdsfd.worker_process import begin_worker, fitting_processes

__all__ = ["RankProcesses"]

#: How long a process waits for another's numbers. One that has died is noticed at once, whatever this is: it is for one
#: that hangs, and longer than a checkpoint takes to be written or a caller's ``on_epoch`` to return.
_PATIENCE = timedelta(minutes=30)
#: Words of torch's errors when numbers could not be exchanged.
_OF_EXCHANGE = ("connection", "timed out", "timeout", "peer", "socket", "gloo", "nccl")
_TO_END = 5.0  #: seconds that processes get to say why they ended, and to end


class RankProcesses:
    """Trains networks with other processes, which hold the same graph; they end with this one, however it ends.

    They are started by the first training, and anew after one that failed. They exchange numbers through gloo, on GPUs
    through NCCL, and find one another through a file in a temporary folder: no port is named, and nothing of the
    environment read.

    Args:
        graph: The graph, which passes to them through files.
        size: Processes, with this one.
        accelerator: ``TrainConfig.accelerator``.
        threads: Of each; default: this process's, shared out.
    """

    def __init__(self, graph: HeteroData, size: int, accelerator: str = "auto", threads: int | None = None) -> None:
        self.graph, self.size = graph, size
        on_gpu = torch.cuda.is_available() and accelerator != "cpu"
        self.backend = "nccl" if on_gpu else "gloo"
        self._before = torch.get_num_threads()
        self.threads = max(1, self._before // size) if threads is None else threads
        self.processes: list[Any] = []
        self._talks: list[Connection] = []
        self._held = ExitStack()

    def __enter__(self) -> RankProcesses:
        torch.set_num_threads(self.threads)
        return self

    def __exit__(self, *error: Any) -> None:
        self._end()
        torch.set_num_threads(self._before)

    def train(self, *given: Any) -> TrainingState:
        """As :func:`gdsfd.training.loop.train`, with its arguments up to ``store``, in their order.

        Raises:
            InputError: As there.
            GdsfdError: One of the other processes was killed, or failed.
        """
        network, _, config, seed, folder, resume, settings, _, objective, targets, rows, store = given
        try:
            self._begin()
            kept = store is not None, torch.get_default_dtype()
            arguments = pickle.dumps((kept, network, config, seed, folder, resume, settings, objective, targets, rows))
            for talk in self._talks:
                talk.send_bytes(arguments)
            state = train(*(*given, Ranks(0, self.size)))
            self._hear()
            return state
        except BaseException as error:
            why = "" if isinstance(error, GdsfdError) else self._why(error)
            self._end()
            if not why:
                raise
            more = "; what was done up to the last epoch is kept, go on with resume=True (--resume)" if folder else ""
            raise GdsfdError(f"train: {why}{more}") from error

    def _begin(self) -> None:
        if self.processes:
            return
        context = fitting_processes()
        folder = self._held.enter_context(private_folder("train"))
        save_graph(self.graph, folder / "graph")
        ended, alive = context.Pipe(duplex=False)  # the others read the end of the file when this process ends
        self._held.callback(alive.close)
        for rank in range(1, self.size):
            own, theirs = context.Pipe()
            facts = {"rank": rank, "size": self.size, "backend": self.backend, "threads": self.threads}
            process = context.Process(target=_help, args=(facts, theirs, ended, loaded_plugins(), folder), daemon=True)
            process.start()
            theirs.close()
            self.processes.append(process)
            self._talks.append(own)
        ended.close()
        self._hear()  # all have read the graph
        _join(folder, 0, self.size, self.backend)

    def _hear(self) -> None:
        """Waits until every other process has said that it is done."""
        for process, talk in zip(self.processes, self._talks):
            while not talk.poll():
                wait([talk, process.sentinel])
                if not process.is_alive() and not talk.poll():
                    raise _Lost
            said = talk.recv()
            if said is not None:
                number = self.processes.index(process) + 2
                raise _Lost((said[0], f"process {number} of the {self.size} that train together failed: {said[1]}"))

    def _why(self, error: BaseException) -> str:
        """Which of the others ended, and how; empty where what ends this process is no failure of theirs."""
        exchange = isinstance(error, RuntimeError) and any(word in str(error).lower() for word in _OF_EXCHANGE)
        if not exchange and not isinstance(error, (_Lost, OSError, EOFError)):
            return ""
        together, until, said = f"of the {self.size} that train together", time.monotonic() + _TO_END, _Said()
        while len(said) < len(self.processes) and time.monotonic() < until:
            for rank, (process, talk) in enumerate(zip(self.processes, self._talks), 1):
                if process.exitcode is not None and process.exitcode < 0:
                    killed = f"process {rank + 1} {together} was killed (signal {-process.exitcode})"
                    return f"{killed}, most likely for want of memory"
                with suppress(EOFError, OSError):
                    if rank not in said and talk.poll():
                        said[rank] = talk.recv() or (time.time(), "")
            time.sleep(0.05)
        failed = [*getattr(error, "args", ())] if isinstance(error, _Lost) else []
        failed += [
            (when, f"process {rank + 1} {together} failed: {words}") for rank, (when, words) in said.items() if words
        ]
        if failed:  # the first one: the others fail because it did
            return str(min(failed)[1])
        if all(each.is_alive() for each in self.processes):
            return f"a process {together} did not answer for {_PATIENCE.total_seconds():,.0f} s"
        return f"a process {together} has ended"

    def _end(self) -> None:
        for talk in self._talks:
            talk.close()
        if distributed.is_available() and self.processes and distributed.is_initialized():
            distributed.destroy_process_group()
        self._held.close()  # those that wait for others' numbers end by the pipe
        for process in self.processes:
            process.join(_TO_END)
            if process.is_alive():
                process.kill()
                process.join()
        self.processes, self._talks, self._held = [], [], ExitStack()


class _Lost(Exception):
    """Another process has ended; with when, and its words, where it gave some."""


#: Rank -> when it failed, and why; no words where it was done.
_Said = dict[int, tuple[float, str]]


def _join(folder: Path, rank: int, size: int, backend: str) -> None:
    meeting = f"file://{folder / 'meeting'}"
    distributed.init_process_group(backend, init_method=meeting, rank=rank, world_size=size, timeout=_PATIENCE)


def _help(facts: Mapping[str, Any], talk: Connection, alive: Connection, plugins: Any, folder: Path) -> None:
    """What another process does: train what it is told to, until nothing more comes."""
    try:
        begin_worker(alive, facts["threads"], plugins)
        ranks = Ranks(facts["rank"], facts["size"])
        if facts["backend"] == "nccl":
            torch.cuda.set_device(ranks.rank)
        graph = load_graph(folder / "graph")
        store: PatientStore | None = None
        talk.send(None)
        _join(folder, ranks.rank, ranks.size, facts["backend"])
        while True:
            (shared, kind), network, config, seed, place, resume, *rest = pickle.loads(talk.recv_bytes())
            settings, objective, targets, rows = rest
            torch.set_default_dtype(kind)
            store = store if shared and store is not None else PatientStore(graph)
            given = (place, resume, settings, None, objective, targets, rows, store)
            train(network, graph, config, seed, *given, ranks=ranks)
            talk.send(None)
    except EOFError:
        pass
    except Exception as error:  # told to the process that waits, in one line
        words = str(error).strip().splitlines()
        with suppress(OSError):
            talk.send((time.time(), f"{type(error).__name__}: {words[0] if words else ''}"))
    if distributed.is_initialized():
        distributed.destroy_process_group()
