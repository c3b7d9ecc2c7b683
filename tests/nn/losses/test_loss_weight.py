"""Loss weights by name: what each gives, what it is worked out from, and what is refused."""

from __future__ import annotations

import pytest
import torch

from gdsfd.errors import InputError
from gdsfd.nn.losses import Targets, build_loss_weight
from gdsfd.nn.losses.loss_weight import LOSS_WEIGHTS, check_loss_weight

LOGITS = torch.zeros(2, 1)
TARGETS = Targets(torch.tensor([[0.0], [1.0]]), torch.arange(2), weight=torch.tensor([[0.5], [1.5]]))


def test_uniform_gives_none_whatever_was_worked_out() -> None:
    assert build_loss_weight("uniform", 2, 1)(LOGITS, None, TARGETS) is None
    assert LOSS_WEIGHTS.find("uniform").fitted_from == "nothing"


@pytest.mark.parametrize(("name", "source"), [("stratum", "suspects"), ("propensity", "pattern")])
def test_fitted_ones_give_what_was_worked_out_before(name: str, source: str) -> None:
    assert build_loss_weight(name, 2, 1)(LOGITS, LOGITS, TARGETS) is TARGETS.weight
    assert LOSS_WEIGHTS.find(name).fitted_from == source
    assert not LOSS_WEIGHTS.find(name).needs_streams


def test_names_and_options_that_there_are_not() -> None:
    with pytest.raises(InputError, match=r"'weight': unknown loss weight 'strata'\. Did you mean 'stratum'"):
        check_loss_weight("strata", {})
    with pytest.raises(InputError, match="unknown option of the loss weight 'stratum': 'clip'"):
        check_loss_weight("stratum", {"clip": 5})
    with pytest.raises(InputError, match="'num_rows'"):  # filled in by the training, no option
        check_loss_weight("stratum", {"num_rows": 5})
    with pytest.raises(InputError, match="loss weight 'stratum' does not take these options"):
        build_loss_weight("stratum", 2, 1, clip=5)
