"""Estimators by name."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from gdsfd.errors import InputError
from gdsfd.nn.dependence import (
    CodeGroup,
    Dependence,
    Mine,
    build_dependence,
    known_dependence,
    register_dependence,
)
from gdsfd.nn.dependence.registry import DEPENDENCE


def test_the_known_ones():
    assert {"mine", "nwj", "infonce", "club", "hsic", "dcor", "xcov", "orth", "grl"} <= set(known_dependence())
    assert type(build_dependence("mine", 4, 4, hidden=8)) is Mine


def test_ones_own(monkeypatch):
    monkeypatch.setattr(DEPENDENCE, "_parts", {name: DEPENDENCE.find(name) for name in DEPENDENCE.names()})

    @register_dependence("mean_product")
    class MeanProduct(Dependence):
        bound = "none"

        def estimate(self, group: CodeGroup) -> Tensor:
            return (group.causal.mean(0) * group.biased.mean(0)).sum()

    assert "mean_product" in known_dependence()
    assert build_dependence("mean_product", 1, 1)(torch.ones(4, 1), torch.ones(4, 1)).item() == 1


def test_a_name_that_is_taken():
    with pytest.raises(InputError, match="'mine' is taken by Mine"):
        register_dependence("mine")(type("Other", (Dependence,), {}))


def test_messages():
    with pytest.raises(InputError, match=r"unknown dependence measure 'nmj'\. Did you mean 'nwj'"):
        build_dependence("nmj", 4, 4)
    with pytest.raises(InputError, match=r"'xcov' does not take these options: .*'hidden'"):
        build_dependence("xcov", 4, 4, hidden=3)
