"""AdamW: torch's fused step on the CPU, with the lists it takes kept from step to step."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from operator import is_
from typing import Any, overload

import torch
from torch import Tensor

__all__ = ["AdamW", "with_plain_rates"]


@dataclass(eq=False)
class _Lists:
    """What the kernel takes of a group's parameters, in one order; ``count`` stands for all their counts of steps."""

    parameters: list[Tensor]
    averages: list[Tensor]
    squares: list[Tensor]
    count: Tensor

    def are_of(self, parameters: list[Tensor]) -> bool:
        return len(parameters) == len(self.parameters) and all(map(is_, parameters, self.parameters))


class AdamW(torch.optim.AdamW):
    """:class:`torch.optim.AdamW` with ``fused=True``, number for number.

    torch collects parameters and states anew in every step and adds 1 to a count of each: on a network of seventy small
    parameters more than the step itself takes. Here they are collected when the parameters that have a gradient change,
    and one count stands for those that have made the same number of steps. Its state is that of torch's optimiser.

    Args:
        parameters: Parameters, or groups of them.
        lr: Learning rate.
        weight_decay: Weight decay.
        capturable: Whether a step may be recorded as a CUDA graph.
    """

    def __init__(
        self, parameters: Iterable[Any], lr: float = 1e-3, weight_decay: float = 1e-2, capturable: bool = False
    ) -> None:
        self._lists: dict[int, _Lists] = {}
        super().__init__(parameters, lr=lr, weight_decay=weight_decay, fused=True, capturable=capturable)

    @overload
    def step(self, closure: None = None) -> None: ...
    @overload
    def step(self, closure: Callable[[], float]) -> float: ...
    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """One step."""
        taken = [[each for each in group["params"] if each.grad is not None] for group in self.param_groups]
        if closure is not None or not all(each.device.type == "cpu" for group in taken for each in group):
            self._write_counts()
            return super().step(closure)
        if not all(self._known(number, parameters) for number, parameters in enumerate(taken)):
            self._write_counts()
            super().step()
            for number, parameters in enumerate(taken):
                self._keep(number, parameters)
            return None
        for number, group in enumerate(self.param_groups):
            if not taken[number]:
                continue
            lists = self._lists[number]
            lists.count += 1
            beta1, beta2 = group["betas"]
            torch._fused_adamw_(
                lists.parameters,
                [each.grad for each in lists.parameters if each.grad is not None],
                lists.averages,
                lists.squares,
                [],
                [lists.count] * len(lists.parameters),
                amsgrad=False,
                lr=group["lr"],
                beta1=beta1,
                beta2=beta2,
                weight_decay=group["weight_decay"],
                eps=group["eps"],
                maximize=False,
                grad_scale=None,
                found_inf=None,
            )
        return None

    def _known(self, number: int, parameters: list[Tensor]) -> bool:
        return not parameters or (number in self._lists and self._lists[number].are_of(parameters))

    def _keep(self, number: int, parameters: list[Tensor]) -> None:
        """Keeps a group's lists where its parameters have made equally many steps and are of one type."""
        states = [self.state[each] for each in parameters]
        counts = {float(each["step"]) for each in states}
        if len(counts) == 1 and len({each.dtype for each in parameters}) == 1:
            averages, squares = ([each[name] for each in states] for name in ("exp_avg", "exp_avg_sq"))
            self._lists[number] = _Lists(parameters, averages, squares, states[0]["step"].clone())

    def _write_counts(self) -> None:
        """Puts the counts back where torch has them, and forgets the lists."""
        for lists in self._lists.values():
            for each in lists.parameters:
                self.state[each]["step"].copy_(lists.count)
        self._lists.clear()

    def state_dict(self) -> dict[str, Any]:
        """As torch's."""
        self._write_counts()
        return super().state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """As torch's."""
        self._lists.clear()
        super().load_state_dict(state_dict)


def with_plain_rates(state: dict[str, Any]) -> dict[str, Any]:
    """An optimiser's state with learning rates as numbers, where the device had them in a tensor."""
    groups = [{**group, "lr": float(group["lr"])} for group in state["param_groups"]]
    return {**state, "param_groups": groups}
