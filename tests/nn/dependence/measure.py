"""The figures of docs/information.md: ``python -m tests.nn.dependence.measure bounds|time`` prints JSON lines."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable

import torch

from gdsfd.nn.dependence import critic_step, known_dependence
from tests.nn.dependence.gaussian_codes import build, gaussian_codes, mean_estimate, trained, true_information

CASES = [(1, 0.6), (1, 0.9), (4, 0.6), (16, 0.0), (16, 0.3), (16, 0.5), (16, 0.7)]


def bounds(seeds: int = 5) -> None:
    """Error of each learned bound; CLUB's is against its own value for an exact Gaussian."""
    for name in ("mine", "nwj", "infonce", "club"):
        for d, rho in CASES:
            exact = d * rho**2 / (1 - rho**2) if name == "club" else true_information(d, rho)
            errors = [one_error(name, d, rho, seed, exact) for seed in range(seeds)]
            print(json.dumps({"name": name, "d": d, "rho": rho, "exact_nats": exact, "errors_nats": errors}))


def one_error(name: str, d: int, rho: float, seed: int, exact: float) -> float:
    """Estimate of a critic trained from one seed, less the exact value."""
    generator = torch.Generator().manual_seed(seed)

    def draw(n: int):
        return *gaussian_codes(n, d, rho, generator), None

    return round(mean_estimate(trained(name, draw, (d, d), seed=seed), draw) - exact, 4)


def times(rows: int = 512, d: int = 128) -> None:
    """CPU time of the encoders' step and of the critic's, milliseconds."""
    generator = torch.Generator().manual_seed(0)
    causal, biased = (each.requires_grad_() for each in gaussian_codes(rows, d, 0.0, generator))
    suspects = torch.randint(0, 3, (rows, 2), generator=generator)
    for name in known_dependence():
        dependence = build(name, d, d, num_suspects=(8, 3))
        line = {"name": name, "rows": rows, "d": d, "threads": torch.get_num_threads(), "torch": torch.__version__}
        line["encoder_ms"] = least(lambda each=dependence: each(causal, biased, None, suspects).backward())
        if dependence.has_critic:
            optimizer = torch.optim.Adam(dependence.critic_parameters(), lr=1e-3)
            arguments = (dependence, optimizer, causal, biased, None, suspects)
            line["critic_ms"] = least(lambda each=arguments: critic_step(*each))
        print(json.dumps(line))


def least(step: Callable[[], object], repeats: int = 12) -> float:
    """The least CPU time of several calls after a first one, milliseconds."""
    step()
    taken = []
    for _ in range(repeats):
        start = time.process_time()
        step()
        taken.append(time.process_time() - start)
    return round(1000 * min(taken), 1)


if __name__ == "__main__":
    torch.set_num_threads(1)
    {"bounds": bounds, "time": times}[sys.argv[1]]()
