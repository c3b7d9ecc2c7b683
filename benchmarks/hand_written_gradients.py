"""What hand-written gradients gain: a training step with each beside the same step by plain autograd.

    python benchmarks/hand_written_gradients.py

The step is that of ``gdsfd bench train-step`` on ``muse`` with contrastive views (forward, losses, backward, AdamW).
Both sides of a pair take turns on the same machine, each first every other time; what counts is the processor's time of
the step on one thread, which other work on the machine hardly lengthens. A ratio above 1 is what the hand-written form
saves; what saves less than 5 % goes. One line per shape is appended to ``results/hand_written_gradients.jsonl``:
quartiles of the ratio of each.

Some lines also name forms that are no longer there, measured where they were: ``linear`` (products by oneDNN),
``edge_layer`` (messages of both directions and the edge update with their products inside), ``node_update``,
``residual_network`` (an encoder's network), ``unit_tanh``, and ``pair_layer`` (the hidden layer on pairs of a patient
and a stratum, in a step of ``concat`` with back-door adjustment over 64 strata). In the first lines all but ``linear``
and ``all of muse`` were measured with torch's own products on both sides.
"""

from __future__ import annotations

import argparse
import importlib
import time
from contextlib import ExitStack
from typing import Any
from unittest import mock

import numpy as np
import torch
from results_line import append_line

from gdsfd.bench.opponents.contest import OURS
from gdsfd.bench.opponents.muse_contest import muse
from gdsfd.bench.problem import Shape
from gdsfd.bench.train_step import stepper as step_of

contrast, view, drop = (
    importlib.import_module(f"gdsfd.{name}") for name in ("nn.backbones.contrast", "nn.backbones.muse", "ops.dropout")
)
patch = mock.patch.object


def _never(*tensors: Any) -> bool:
    return False


def _contrast(first: torch.Tensor, second: torch.Tensor, y: torch.Tensor, temperature: float) -> torch.Tensor:
    return contrast._term_by_term(first, second, contrast._labels(y, first.dtype), temperature)


#: What is replaced, by what plain autograd or torch's own kernel does.
PLAIN: dict[str, list[Any]] = {
    "dropout": [patch(drop, "plain_float", _never)],
    "contrast": [patch(view, "contrastive_loss", _contrast)],
}
PLAIN["all of muse"] = [each for patches in PLAIN.values() for each in patches]


def ratios(step: Any, plain: dict[str, list[Any]], pairs: int) -> tuple[dict[str, list[float]], float]:
    """Quartiles of plain over hand-written for each, and the median milliseconds of the step as it is."""

    def once(patches: list[Any]) -> float:
        with ExitStack() as stack:
            for each in patches:
                stack.enter_context(each)
            start = time.process_time()
            step()
            return 1e3 * (time.process_time() - start)

    found: dict[str, list[float]] = {name: [] for name in plain}
    taken = []
    for number in range(pairs + 3):
        for name, patches in plain.items():
            sides = [patches, []]
            times = [once(each) for each in (sides if number % 2 else sides[::-1])]
            times = times if number % 2 else times[::-1]
            if number >= 3:  # the first calls allocate and make machine code
                found[name].append(times[0] / times[1])
                taken.append(times[1])
    quartiles = {
        name: [round(float(each), 3) for each in np.quantile(all_of, [0.25, 0.5, 0.75])]
        for name, all_of in found.items()
    }
    return quartiles, round(float(np.median(taken)), 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=15)
    parser.add_argument("--shapes", default="512x3x0.6x128,128x20x0.8x64,512x10x0.8x128,512x40x0.8x64")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    pairs = arguments.pairs
    for text in arguments.shapes.split(","):
        patients, modalities, density, channels = (float(word) for word in text.split("x"))
        batch, shape = int(patients), Shape(4 * int(patients), int(modalities), density, int(channels))
        with torch.random.fork_rng():
            torch.manual_seed(0)
            contest = muse(shape, 0, "cpu", True)
            found, taken = ratios(step_of(contest, OURS, shape, batch, "cpu"), PLAIN, pairs)
        sizes = {"batch": batch, "edges": round(patients * modalities * density), "channels": shape.channels}
        line = {"benchmark": "hand_written_gradients", "model": "muse", **sizes, "threads": 1, "pairs": pairs}
        append_line("hand_written_gradients.jsonl", **line, step_milliseconds=taken, plain_over_hand_written=found)
        print("muse", sizes, {name: each[1] for name, each in found.items()}, flush=True)


if __name__ == "__main__":
    main()
