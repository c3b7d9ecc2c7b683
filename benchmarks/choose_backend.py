"""Which backend of an aggregation is fastest where: the measurement behind ``gdsfd.ops.choose``.

    python benchmarks/choose_backend.py [--threads 2] [--file choose_backend.jsonl]

Every backend aggregates means in both directions on graphs of many sizes, densities and widths, in turns and after a
comparison with the reference; a line per backend, direction and mode goes to ``benchmarks/results/``. A table says who
won with backward, and how much longer ``segment`` took than the winner.

What came out, and became the rules (one thread, a busy machine: differences below a fifth say nothing):

- ``segment`` wins from a few thousand edges on: it stores no message, so it moves the fewest bytes.
- Up to one piece of edges ``reference`` is 1.3 to 2 times as fast: a few calls of torch's own against our bookkeeping.
- ``dense`` pays where every pair is present, up to 4 times on batches, since the edges then already are its grid, and
  not at a density of .9: spreading the edges over the grid and masking it costs more than gathering. Once its
  temporaries leave the cache (20,000 x 5 at 128 channels) ``segment`` is as fast.
- torch-scatter wins here and there toward patients of degree about one, and is not asked by ``auto`` anyway: what is
  installed must not change results.
"""

from __future__ import annotations

import argparse
import itertools

from results_line import append_line

from gdsfd.bench.aggregation import bench_aggregation
from gdsfd.bench.options import Options
from gdsfd.bench.problem import Shape
from gdsfd.ops.backends import available

GRAPHS = [
    # patients, modalities, density: batches, cohorts, feature-level graphs
    *itertools.product((512,), (3, 64), (0.1, 0.5, 0.9, 1.0)),
    *itertools.product((20_000,), (5,), (0.1, 0.6, 0.9, 1.0)),
    *itertools.product((1_000,), (256,), (0.1, 0.5, 1.0)),
]
CHANNELS = (64, 128)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--file", default="choose_backend.jsonl", help="in benchmarks/results/, or an absolute path")
    arguments = parser.parse_args()
    # Triton on a CPU is its interpreter: nothing to time.
    backends = [name for name in available() if name != "triton"]
    options = Options(threads=arguments.threads, turns=arguments.turns, budget=2.0, memory=False)
    print(f"{'patients x hubs, density, channels':36}{'toward':10}{'fastest':15}{'segment / fastest':>18}")
    for (patients, modalities, density), channels in itertools.product(GRAPHS, CHANNELS):
        shape = Shape(patients, modalities, density, channels)
        lines = bench_aggregation(shape, backends, options)
        for line in lines:
            append_line(arguments.file, **{**line, "benchmark": "choose_backend"})
        for part in ("aggregate toward patients", "aggregate toward hubs"):
            times = {
                line["contestant"]: line["seconds"]
                for line in lines
                if line["part"] == part and line["mode"] == "forward+backward"
            }
            best = min(times, key=times.__getitem__)
            title = f"{patients:,} x {modalities}, {density:g}, {channels}"
            print(f"{title:36}{part.split()[-1]:10}{best:15}{times['segment'] / times[best]:18.2f}", flush=True)


if __name__ == "__main__":
    main()
