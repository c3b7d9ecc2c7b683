"""Devices that are not there are refused; hints of Fabric to programmers stay inside."""

from __future__ import annotations

import logging
import warnings

import pytest
import torch
from lightning_fabric import Fabric

from gdsfd.errors import InputError
from gdsfd.training import TrainConfig
from gdsfd.training.devices import check_device, make_fabric, without_hints

NO_GPU = not torch.cuda.is_available() and not torch.backends.mps.is_available()


@pytest.mark.skipif(not NO_GPU, reason="looks at what is said without a GPU")
@pytest.mark.parametrize("accelerator", ["cuda", "gpu", "mps"])
def test_a_missing_device_is_named(accelerator: str) -> None:
    with pytest.raises(InputError, match=f"'accelerator': '{accelerator}' was asked for.*use 'auto' or 'cpu'"):
        check_device(TrainConfig(accelerator=accelerator))  # type: ignore[arg-type]


def test_what_a_cpu_can_do_is_taken() -> None:
    for precision in ("32-true", "bf16-mixed"):
        check_device(TrainConfig(accelerator="cpu", precision=precision))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="'16-mixed' needs a GPU"):
        check_device(TrainConfig(accelerator="cpu", precision="16-mixed"))


class Heard(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


@pytest.fixture
def heard():
    """What Fabric's logger passes on."""
    log, handler = logging.getLogger("lightning_fabric"), Heard()
    log.addHandler(handler)
    yield handler.messages
    log.removeHandler(handler)


def test_fabrics_account_of_the_precision_is_not_passed_on(heard: list[str]) -> None:
    level = logging.getLogger("lightning_fabric").level
    make_fabric(TrainConfig(accelerator="cpu", precision="bf16-mixed"))
    assert heard == []
    assert logging.getLogger("lightning_fabric").level == level
    Fabric(accelerator="cpu", precision="bf16-mixed")
    assert any("Mixed Precision" in message for message in heard)  # what would have been said


def test_only_hints_are_held_back() -> None:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        with without_hints():
            warnings.warn("Sparse invariant checks are implicitly disabled.", stacklevel=1)
            warnings.warn("You are using a CUDA device that has Tensor Cores", stacklevel=1)
            warnings.warn("the driver is too old", stacklevel=1)
    assert [str(each.message) for each in seen] == ["the driver is too old"]
