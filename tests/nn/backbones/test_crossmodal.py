"""crossmodal: one layer written out target by target, and its cross-attention with one key."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from tests.nn.backbones.learner_case import LearnerCase, as_grid, full_grid, make_learner, presences


class TestCrossmodal(LearnerCase):
    name = "crossmodal"


class TestCrossmodalOfTwoLayers(LearnerCase, options={"layers": 2}):
    name = "crossmodal"


class TestCrossmodalOfANarrowWidth(LearnerCase, options={"width": 4, "expansion": 2}):
    name = "crossmodal"


def of(part, k: int, rows: torch.Tensor) -> torch.Tensor:
    return F.linear(rows, part.weight[k], None if part.bias is None else part.bias[k])


def attend(attention, k: int, query: torch.Tensor, source: int, keys: torch.Tensor) -> torch.Tensor:
    """The maps of queries and of what is read are the target's, those of keys and values the source's."""
    found = []
    for head in range(4):
        q, key, value = (
            of(part, whose, rows)[:, 2 * head : 2 * head + 2]
            for part, whose, rows in (
                (attention.query, k, query),
                (attention.key, source, keys),
                (attention.value, source, keys),
            )
        )
        found.append((q @ key.t() / 2**0.5).softmax(-1) @ value)
    return of(attention.out, k, torch.cat(found, -1))


@torch.no_grad()
def test_it_is_its_formula_patient_by_patient() -> None:
    learner, grid, presence = make_learner("crossmodal", heads=4).eval(), full_grid(), presences()
    layer = learner.layers[0]
    found = learner(grid.transpose(0, 1), as_grid(presence)).pooled
    for patient in (0, 3, 4, 5):
        has = presence[patient].nonzero().flatten().tolist()
        tokens = {k: learner.expander(grid[[patient]])[0, k] for k in has}
        tokens = {k: t + attend(layer.itself, k, layer.norms[0](t), k, layer.norms[0](t)) for k, t in tokens.items()}
        normed = {k: layer.norms[1](t) for k, t in tokens.items()}
        read = {k: [attend(layer.others, k, normed[k], j, normed[j]) for j in has if j != k] for k in has}
        tokens = {k: t + (sum(read[k]) / len(read[k]) if read[k] else 0) for k, t in tokens.items()}
        flat = torch.zeros(5, 8)
        for k, t in tokens.items():
            t = t + of(layer.feed[2], k, F.gelu(of(layer.feed[0], k, layer.norms[2](t))))
            flat[k] = t.mean(0)
        pooled = learner.pool(torch.cat([flat.flatten(), presence[patient].float()]))
        torch.testing.assert_close(found[patient], pooled + learner.residual(pooled), atol=1e-5, rtol=1e-4)


def test_of_one_token_a_target_reads_a_linear_map_of_its_sources() -> None:
    layer = make_learner("crossmodal", tokens_per_modality=1).layers[0]
    tokens, there = torch.randn(3, 5, 1, 8), torch.ones(3, 5)
    found = layer.read_others(tokens.transpose(0, 1), there).transpose(0, 1)
    for k in range(5):
        maps = [of(layer.others.out, k, of(layer.others.value, j, tokens[:, j, 0])) for j in range(5) if j != k]
        torch.testing.assert_close(found[:, k, 0], torch.stack(maps).mean(0))


def test_without_another_modality_the_update_is_zero() -> None:
    layer = make_learner("crossmodal").layers[0]
    there = torch.tensor([[0.0, 1.0, 0.0, 0.0, 0.0]])
    assert (layer.read_others(torch.randn(5, 1, 4, 8), there)[1, 0] == 0).all()
