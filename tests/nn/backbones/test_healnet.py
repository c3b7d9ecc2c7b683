"""healnet: each patient's own loop over what there is, written out."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from tests.nn.backbones.learner_case import LearnerCase, as_grid, full_grid, make_learner, presences


class TestHealnet(LearnerCase):
    name = "healnet"
    ordered = True


def attend(attention, query, keys):
    heads, width = attention.heads, 8 // attention.heads
    found = []
    for head in range(heads):
        at = slice(head * width, (head + 1) * width)
        q, k, v = attention.query(query)[:, at], attention.key(keys)[:, at], attention.value(keys)[:, at]
        found.append((q @ k.t() / (0.5 * width**0.5)).softmax(-1) @ v)  # temperature 1/2
    return attention.out(torch.cat(found, -1))


def feed(part, rows):
    value, gate = part.into(part.norm(rows)).chunk(2, -1)
    return part.out(value * F.selu(gate))


@torch.no_grad()
@pytest.mark.parametrize("tied", [False, True])
def test_it_is_its_loop_patient_by_patient(tied: bool) -> None:
    learner = make_learner("healnet", latents=3, layers=2, tied=tied).eval()
    grid, presence = full_grid(), presences()
    found = learner(grid.transpose(0, 1), as_grid(presence)).pooled
    assert len(learner.readers) == (1 if tied else 2)
    for patient in (0, 3, 4):
        rows = learner.latent
        for layer in range(2):
            reader = learner.readers[0 if tied else layer]
            for k in presence[patient].nonzero().flatten().tolist():
                tokens = learner.expander(grid[[patient]])[0, k]
                rows = rows + F.leaky_relu(attend(reader.cross[k], reader.norms[0](rows), tokens))
                rows = rows + feed(reader.feeds[0], rows)
                normed = reader.norms[1](rows)
                rows = rows + F.leaky_relu(attend(reader.itself, normed, normed))
                rows = rows + feed(reader.feeds[1], rows)
        torch.testing.assert_close(found[patient], learner.norm(rows.mean(0)), atol=1e-5, rtol=1e-4)


def test_of_one_token_all_latents_read_the_same() -> None:
    learner = make_learner("healnet", tokens_per_modality=1, latents=3).eval()
    reader, tokens = learner.readers[0], torch.randn(2, 1, 8)
    read = reader.cross[0](torch.randn(2, 3, 8), tokens, torch.ones(1, 1, dtype=torch.bool))
    torch.testing.assert_close(read, read[:, :1].expand(2, 3, 8))
