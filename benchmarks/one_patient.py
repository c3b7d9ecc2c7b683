"""Time of ``predict_proba(graph, ids=[one])`` by the number of patients in the graph: what somebody waits for.

    PYTHONPATH=. python benchmarks/one_patient.py

The model (``muse``, ERM) is trained for one epoch on 2,000 of the patients and asked for patients of larger graphs with
its schema, another one each time. Appends one line per size to ``results/one_patient.jsonl``: the first call on the
graph, which indexes it, and the median and quartiles of those after it.
"""

from __future__ import annotations

import time
from typing import Any

import torch
from results_line import append_line
from torch_geometric.data import HeteroData

from gdsfd.bench.cohort_graph import random_graph
from gdsfd.bench.problem import Shape
from gdsfd.bench.timing import Timing
from gdsfd.training.debiaser import Debiaser

SIZES = (2_000, 10_000, 100_000)
CALLS = 100


def named_graph(patients: int, seed: int) -> HeteroData:
    """A random graph whose patients have ids and splits."""
    graph = random_graph(Shape(patients=patients), seed)
    graph["patient"].id = [f"p{row}" for row in range(patients)]
    graph["patient"].subject = list(graph["patient"].id)
    graph["patient"].split = ["train" if row % 10 else "tuning" for row in range(patients)]
    return graph


def measure(model: Debiaser, graph: HeteroData) -> dict[str, Any]:
    """Seconds of the first call and of those after it, by the clock and of the CPU; the two differ by others' load."""
    ids = graph["patient"].id
    chosen = torch.randint(len(ids), (CALLS + 1,), generator=torch.Generator().manual_seed(0)).tolist()
    clock, cpu = [], []
    for row in chosen:
        start, start_cpu = time.perf_counter(), time.thread_time()
        model.predict_proba(graph, ids=[ids[row]])
        cpu.append(time.thread_time() - start_cpu)
        clock.append(time.perf_counter() - start)
    return {"first_call_seconds": clock[0], **Timing(clock[1:]).fields(), "cpu_seconds": Timing(cpu[1:]).median}


def main() -> None:
    torch.set_num_threads(1)
    model = Debiaser("muse", max_epochs=1, channels=128, members=1).fit(named_graph(2_000, 0), baselines=False)
    model.predict_proba(named_graph(100, 1), ids=["p0"])  # loads what is loaded on first use
    for patients in SIZES:
        found = measure(model, named_graph(patients, 1))
        line = {"benchmark": "one-patient", "backbone": "muse", "patients": patients, **found, "device": "cpu"}
        times = [1000 * found[name] for name in ("first_call_seconds", "seconds", "cpu_seconds")]
        words = "first call {:.1f} ms, then {:.2f} ms, of them on the CPU {:.2f} ms".format(*times)
        print(f"{patients:>9,} patients: {words}", flush=True)
        append_line("one_patient.jsonl", **line, threads=1)


if __name__ == "__main__":
    main()
