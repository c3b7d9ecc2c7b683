"""States of optimisers survive as tensors and JSON, bit for bit."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from gdsfd.training.storage.tensor_tree import join, take_apart

OPTIMIZERS: dict[str, Callable[[Any], torch.optim.Optimizer]] = {
    "adamw": lambda parameters: torch.optim.AdamW(parameters, lr=1e-3, fused=True),
    "adam": lambda parameters: torch.optim.Adam(parameters, lr=0.1 + 0.2),
    "amsgrad": lambda parameters: torch.optim.Adam(parameters, amsgrad=True),
    "sgd": lambda parameters: torch.optim.SGD(parameters, lr=0.1, momentum=0.9),
}


def same(one: Any, other: Any) -> bool:
    if isinstance(one, Tensor):
        return isinstance(other, Tensor) and one.dtype == other.dtype and torch.equal(one, other)
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)):
        return type(one) is type(other) and len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and one == other


@pytest.mark.parametrize("kind", list(OPTIMIZERS))
@pytest.mark.parametrize("steps", [0, 3])
def test_there_and_back(kind: str, steps: int) -> None:
    network = nn.Linear(3, 2)
    groups = [{"params": [network.weight], "weight_decay": 0.1}, {"params": [network.bias]}]
    optimizer = OPTIMIZERS[kind](groups)
    for _ in range(steps):
        optimizer.zero_grad()
        network(torch.randn(4, 3)).square().sum().backward()
        optimizer.step()
    state = {"network": optimizer.state_dict(), "critics": {}}
    nest, tensors = take_apart(state)
    assert same(join(json.loads(json.dumps(nest)), tensors), state)


def test_what_cannot_be_stored_is_refused() -> None:
    with pytest.raises(TypeError, match="a state of Linear"):
        take_apart({"network": nn.Linear(1, 1)})
    with pytest.raises(TypeError, match="keys have to be"):
        take_apart({(0, 1): 2})


def test_other_forms_are_refused() -> None:
    with pytest.raises(KeyError):
        join({"tensor": "7"}, {})
    for nest in ({"object": "os.system"}, {"tuple": [], "dict": []}, {"dict": 3}):
        with pytest.raises((TypeError, ValueError)):
            join(nest, {})
