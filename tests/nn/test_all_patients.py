"""What heads read of all patients."""

from __future__ import annotations

import pytest
import torch

from gdsfd.errors import InputError
from gdsfd.nn import all_patients as module
from gdsfd.nn.all_patients import all_patients

PRESENCE = torch.tensor([[True, False], [False, True]])


def test_one_process_has_them_all():
    body = {"pooled": torch.rand(2, 3), "tokens": torch.rand(2, 3), "loss": torch.zeros(())}
    (same,), presence = all_patients([body], PRESENCE)
    assert same == body
    assert presence is PRESENCE


@pytest.fixture
def twice(monkeypatch):
    """Every rank has the same two patients."""
    monkeypatch.setattr(module, "all_rows_needed", lambda: True)
    monkeypatch.setattr(module, "rows_of_all_ranks", lambda values: [torch.cat([each, each]) for each in values])


def test_rows_of_every_member_are_put_together_but_not_tokens_and_masks(twice):
    bodies = [
        {"pooled": torch.rand(2, 3), "causal": torch.rand(2, 3), "mask": torch.rand(5, 1), "tokens": torch.rand(5, 3)}
        for _ in range(2)
    ]
    found, presence = all_patients(bodies, PRESENCE)
    assert presence.tolist() == PRESENCE.tolist() * 2
    for body, whole in zip(bodies, found, strict=True):
        assert set(whole) == {"pooled", "causal", "mask"}
        assert torch.equal(whole["causal"], torch.cat([body["causal"]] * 2))
        assert torch.equal(whole["pooled"], torch.cat([body["pooled"]] * 2))
        assert whole["mask"] is body["mask"]


def test_a_loss_over_some_of_the_patients_is_refused(twice):
    with pytest.raises(InputError, match="adds a loss of its own over a batch; expected devices=1"):
        all_patients([{"pooled": torch.rand(2, 3), "loss": torch.zeros(())}], PRESENCE)
