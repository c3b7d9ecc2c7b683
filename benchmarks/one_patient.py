"""Time of ``predict_proba(graph, ids=[one])`` by the number of patients in the graph: what somebody waits for.

    PYTHONPATH=. python benchmarks/one_patient.py [results.jsonl]

The model (``muse``, ERM) is trained for one epoch on 2,000 of the patients and asked for patients of larger graphs with
its schema, another one each time. Appends one line per size: the first call on the graph, which indexes it, and the
median and quartiles of those after it.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import torch
from torch_geometric.data import HeteroData

from gdsfd.bench.cohort_graph import random_graph
from gdsfd.bench.lines import environment
from gdsfd.bench.problem import Shape
from gdsfd.bench.timing import Timing
from gdsfd.training.debiaser import Debiaser

SIZES = (2_000, 10_000, 100_000, 1_000_000)
CALLS = 300


def named_graph(patients: int, seed: int) -> HeteroData:
    """A random graph whose patients have ids and splits."""
    graph = random_graph(Shape(patients=patients), seed)
    graph["patient"].id = [f"p{row}" for row in range(patients)]
    graph["patient"].subject = list(graph["patient"].id)
    graph["patient"].split = ["train" if row % 10 else "tuning" for row in range(patients)]
    return graph


def measure(model: Debiaser, graph: HeteroData) -> tuple[float, Timing]:
    """Seconds of the first call, and of those after it."""
    ids = graph["patient"].id
    chosen = torch.randint(len(ids), (CALLS + 1,), generator=torch.Generator().manual_seed(0)).tolist()
    times = []
    for row in chosen:
        start = time.perf_counter()
        model.predict_proba(graph, ids=[ids[row]])
        times.append(time.perf_counter() - start)
    return times[0], Timing(times[1:])


def main() -> None:
    torch.set_num_threads(1)
    place = environment(1, "cpu")
    model = Debiaser("muse", max_epochs=1, channels=128, members=1).fit(named_graph(2_000, 0), baselines=False)
    model.predict_proba(named_graph(100, 1), ids=["p0"])  # loads what is loaded on first use
    for patients in SIZES:
        first, timing = measure(model, named_graph(patients, 1))
        line: dict[str, Any] = {"benchmark": "one-patient", "backbone": "muse", "patients": patients}
        line |= {"first_call_seconds": first, **timing.fields(), **place}
        print(
            f"{patients:>9,} patients: first call {1000 * first:.1f} ms, then {1000 * timing.median:.2f} ms", flush=True
        )
        if len(sys.argv) > 1:
            with Path(sys.argv[1]).open("a", encoding="utf-8") as out:
                out.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
