"""Contest: training steps of the same mathematics and weights, to be compared and timed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from gdsfd.bench.problem import Shape

__all__ = ["COMPILED", "OURS", "STEPS", "Contest", "register_step"]

OURS, COMPILED = "gdsfd", "gdsfd, compiled"


@dataclass(eq=False)
class Contest:
    """Models of the same mathematics and weights, and how a batch becomes a loss with each.

    Args:
        models: Contestant -> model.
        losses: Contestant -> loss of the patients in some rows, in nats.
        gradients: Gives the gradients of this package's model and of plain PyG's, as pairs (found, expected).
        outputs: Gives what this package's model and plain PyG's make of the patients in some rows, as pairs likewise;
            None: the losses are compared.
        bare: Gives a function that does the products a step cannot avoid, and nothing else, from the patients of a
            batch; CPU.
        erm: A contestant of other mathematics, which says what the others cost beyond ERM: compared with nobody.
        fixed: A copy of this package's model in batches of fixed shapes, and its loss: what can be compiled.
    """

    models: dict[str, nn.Module]
    losses: dict[str, Callable[[Tensor], Tensor]]
    gradients: Callable[[], list[tuple[Tensor, Tensor]]]
    outputs: Callable[[Tensor], list[tuple[Tensor, Tensor]]] | None = None
    erm: str | None = None
    bare: Callable[[int], Callable[[], None]] | None = None
    fixed: tuple[nn.Module, Callable[[Tensor], Tensor]] | None = None


#: Model -> what builds its contest from (shape, seed, device, random); without ``random`` nothing is dropped or hidden.
STEPS: dict[str, Callable[[Shape, int, str, bool], Contest]] = {}


def register_step(name: str) -> Callable[[Callable[[Shape, int, str, bool], Contest]], Any]:
    """Decorator that adds a model to the benchmark.

    Args:
        name: What ``gdsfd bench train-step --model`` takes.
    """

    def register(build: Callable[[Shape, int, str, bool], Contest]) -> Callable[[Shape, int, str, bool], Contest]:
        STEPS[name] = build
        return build

    return register
