"""concat: the grid of tokens and flags through its network, written out patient by patient."""

from __future__ import annotations

import torch

from tests.nn.backbones.batches import build, random_batch
from tests.nn.backbones.learner_case import LearnerCase


class TestConcat(LearnerCase):
    name = "concat"
    garbage = 1e6  # its grid takes finite numbers


def test_it_is_the_network_on_tokens_and_flags() -> None:
    tokens, layout = random_batch()
    backbone = build("concat").eval()
    rows = []
    for patient in range(12):
        row, flags = [], []
        for modality in range(4):
            mine = ((layout.patient == patient) & (layout.modality == modality)).nonzero().squeeze(1)
            row.append(tokens[mine[0]] if mine.numel() else torch.zeros(6))
            flags.append(float(mine.numel()))
        rows.append(torch.cat([*row, torch.tensor(flags)]))
    found = backbone(tokens, layout)
    torch.testing.assert_close(found.pooled, backbone.network(torch.stack(rows)))
    assert torch.equal(found.presence, layout.presence)


def test_a_hidden_observation_has_neither_token_nor_flag() -> None:
    tokens, layout = random_batch()
    backbone = build("concat", edge_drop=0.999999).train()
    backbone.network[2].p = 0.0  # only whole observations are dropped here
    pooled = backbone(tokens, layout).pooled
    torch.testing.assert_close(pooled, backbone.network(torch.zeros(12, 4 * 7)))
