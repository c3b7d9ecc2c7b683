"""Estimators by name."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from gdsfd.errors import InputError
from gdsfd.nn.information import (
    CodeGroup,
    Dependence,
    Mine,
    build_information,
    known_information,
    register_information,
    registry,
)


def test_the_known_ones():
    assert {"mine", "nwj", "infonce", "club", "hsic", "dcor", "xcov", "orth", "grl"} <= set(known_information())
    assert type(build_information("mine", 4, 4, hidden=8)) is Mine


def test_ones_own(monkeypatch):
    monkeypatch.setattr(registry, "_ESTIMATORS", dict(registry._ESTIMATORS))

    @register_information("mean_product")
    class MeanProduct(Dependence):
        bound = "none"

        def estimate(self, group: CodeGroup) -> Tensor:
            return (group.causal.mean(0) * group.biased.mean(0)).sum()

    assert "mean_product" in known_information()
    assert build_information("mean_product", 1, 1)(torch.ones(4, 1), torch.ones(4, 1)).item() == 1


def test_a_name_that_is_taken():
    with pytest.raises(InputError, match="'mine' is taken by Mine"):
        register_information("mine")(type("Other", (Dependence,), {}))


def test_messages():
    with pytest.raises(InputError, match=r"unknown estimator of information 'nmj'\. Did you mean 'nwj'"):
        build_information("nmj", 4, 4)
    with pytest.raises(InputError, match=r"'xcov' does not take these options: .*'hidden'"):
        build_information("xcov", 4, 4, hidden=3)
