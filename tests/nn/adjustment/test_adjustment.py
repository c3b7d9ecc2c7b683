"""Adjustments by name, and what one of ones own has without saying so."""

from __future__ import annotations

from typing import Annotated

import pytest
import torch
from torch import Tensor, nn

from gdsfd.errors import InputError
from gdsfd.nn.adjustment import Adjustment, StratifiedAdjustment, build_adjustment, register_adjustment
from gdsfd.nn.adjustment.adjustment import ADJUSTMENTS, check_adjustment
from gdsfd.setting_checks import Number


@pytest.fixture
def halved(monkeypatch: pytest.MonkeyPatch) -> type[Adjustment]:
    """A linear head times a share, declared for one test."""
    monkeypatch.setattr(ADJUSTMENTS, "_parts", {name: ADJUSTMENTS.find(name) for name in ADJUSTMENTS.names()})

    @register_adjustment("share")
    class Share(Adjustment):
        def __init__(
            self,
            channels: int,
            outputs: int,
            multiclass: bool = False,
            dropout: float = 0.0,
            of: Annotated[float, Number(0, 1)] = 0.5,
        ) -> None:
            super().__init__(channels, outputs, multiclass, dropout)
            self.head, self.of = nn.Linear(channels, outputs), of

        def forward(self, code: Tensor) -> Tensor:
            return self.of * self.head(code)

    return Share


def test_built_by_name(halved: type[Adjustment]) -> None:
    made = build_adjustment("share", 4, 2, True, 0.1, of=0.25)
    assert type(made) is halved
    assert (made.channels, made.outputs, made.multiclass) == (4, 2, True)
    assert type(build_adjustment("prototypes", 4, 1, False, 0.0, least=3)) is StratifiedAdjustment


def test_what_it_has_without_saying_so(halved: type[Adjustment]) -> None:
    """No strata, no refits; what is trained and chosen by is the prediction itself."""
    made, code = build_adjustment("share", 4, 1, False, 0.0), torch.randn(3, 4)
    before = {name: each.clone() for name, each in made.state_dict().items()}
    made.fit(code, None)
    made.start_from(torch.ones(1))
    assert all(torch.equal(each, before[name]) for name, each in made.state_dict().items())
    assert made.refit_every == 0
    assert made.training_strata(code, torch.zeros(3, dtype=torch.long)) is None
    assert torch.equal(made.outcome_logits(code, None), made(code))


def test_what_is_refused(halved: type[Adjustment]) -> None:
    check_adjustment("none", {})
    check_adjustment("share", {"of": 1})
    with pytest.raises(InputError, match=r"'adjustment_options': adjustment='none' takes none, got .*of.*1"):
        check_adjustment("none", {"of": 1})
    with pytest.raises(InputError, match=r"'adjustment': unknown adjustment 'shar'\. Did you mean 'share'"):
        check_adjustment("shar", {})
    with pytest.raises(InputError, match="option of the adjustment 'share': 'of': expected a number from 0 to 1"):
        check_adjustment("share", {"of": 3})
    with pytest.raises(InputError, match="unknown option of the adjustment 'share': 'dropout'"):
        check_adjustment("share", {"dropout": 0.5})
