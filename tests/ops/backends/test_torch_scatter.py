"""torch-scatter is used only where it is right; a stand-in takes its place, so that this runs without it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import given
from ops.problems import RELAXED, Problem, max_error, problems
from torch import Tensor

from gdsfd.ops.backends import reference, torch_scatter


def segment_csr(values: Tensor, pointer: Tensor, reduce: str) -> Tensor:
    assert reduce == "sum"
    assert values.is_contiguous()
    runs = [values[start:stop].sum(0) for start, stop in zip(pointer[:-1].tolist(), pointer[1:].tolist())]
    return torch.stack(runs) if runs else values.new_zeros(0, values.size(1))


def scatter_sum(values: Tensor, index: Tensor, dim: int, dim_size: int) -> Tensor:
    assert dim == 0
    return values.new_zeros(dim_size, values.size(1)).index_add(0, index, values)


def raises(*_: Any, **__: Any) -> Tensor:
    raise OSError("undefined symbol")


def stand_in(monkeypatch: pytest.MonkeyPatch, **kernels: Any) -> None:
    given = {"segment_csr": segment_csr, "scatter_sum": scatter_sum} | kernels
    monkeypatch.setattr(torch_scatter.importlib, "import_module", lambda name: SimpleNamespace(**given))


def test_right_kernels_are_usable(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch)
    assert torch_scatter.usable()


@pytest.mark.parametrize(
    "kernels",
    [
        {"segment_csr": raises},
        {"scatter_sum": lambda values, index, dim, dim_size: scatter_sum(values, index, dim, dim_size) + 1},
        {"segment_csr": lambda values, pointer, reduce: segment_csr(values, pointer, reduce).detach()},
        {"scatter_sum": lambda values, index, dim, dim_size: 2 * scatter_sum(values, index, dim, dim_size)},
    ],
    ids=["raises", "wrong", "no gradient", "twice"],
)
def test_wrong_kernels_are_not(monkeypatch: pytest.MonkeyPatch, kernels: dict[str, Any]) -> None:
    stand_in(monkeypatch, **kernels)
    assert not torch_scatter.usable()


def test_an_extension_that_does_not_load_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch_scatter.importlib, "import_module", raises)
    assert not torch_scatter.usable()


@RELAXED
@given(problem=problems())
def test_sums_go_to_the_right_kernel(problem: Problem) -> None:
    with pytest.MonkeyPatch.context() as patch:
        kernels = SimpleNamespace(segment_csr=segment_csr, scatter_sum=scatter_sum)
        patch.setattr(torch_scatter._SCATTER, "kernels", kernels)
        found = torch_scatter.aggregate(*problem.arguments())
    assert max_error(found, reference.aggregate(*problem.arguments())) < 1e-10
