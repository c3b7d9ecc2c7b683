"""Masks: their range, their levels, and that they are a patient's own."""

from __future__ import annotations

import pytest
import torch

from gdsfd.graph.edge_layout import EdgeLayout
from gdsfd.nn.streams import MaskGenerator, mask_generator


def layout_of(patients: int = 6) -> EdgeLayout:
    return EdgeLayout.from_lists(
        [torch.arange(patients), torch.tensor([0, 2, 3]), torch.empty(0, dtype=torch.long)], patients
    )


@pytest.mark.parametrize(("level", "width"), [("feature", 8), ("edge", 1), ("both", 8)])
def test_masks_start_at_a_half_and_stay_between_0_and_1(level: str, width: int) -> None:
    masker, layout = MaskGenerator(8, 3, level), layout_of()  # type: ignore[arg-type]
    tokens = torch.randn(layout.num_edges, 8)
    mask = masker(tokens, layout)
    assert mask.shape == (9, width)
    torch.testing.assert_close(mask, torch.full_like(mask, 0.5), rtol=1e-3, atol=1e-3)
    for parameter in masker.parameters():
        torch.nn.init.normal_(parameter)
    mask = masker(tokens, layout).detach()
    assert float(mask.min()) > 0
    assert float(mask.max()) < 1
    assert float(mask.std()) > 0.01


def test_a_patients_mask_does_not_depend_on_others() -> None:
    masker, layout = MaskGenerator(8, 3), layout_of()
    for parameter in masker.parameters():
        torch.nn.init.normal_(parameter)
    tokens = torch.randn(layout.num_edges, 8)
    together = masker(tokens, layout)
    mine = (layout.patient == 2).nonzero().squeeze(1)
    alone = EdgeLayout.from_lists([torch.tensor([0]), torch.tensor([0]), torch.empty(0, dtype=torch.long)], 1)
    torch.testing.assert_close(masker(tokens[mine], alone), together[mine])


def test_no_edges() -> None:
    layout = EdgeLayout.from_lists([torch.empty(0, dtype=torch.long)] * 2, 3)
    assert MaskGenerator(4, 2)(torch.zeros(0, 4), layout).shape == (0, 4)


def test_scores_are_the_formula_edge_by_edge() -> None:
    layout = EdgeLayout.from_lists([torch.tensor([0, 1, 2]), torch.tensor([0, 2])], 4)
    torch.manual_seed(0)
    mask, tokens = MaskGenerator(6, 2), torch.randn(5, 6)
    for parameter in mask.parameters():
        torch.nn.init.normal_(parameter)
    edges = list(zip(layout.patient.tolist(), layout.modality.tolist()))
    inside = [
        torch.relu(mask.inner.weight @ token + mask.inner.bias + mask.modality[k])
        for token, (_, k) in zip(tokens, edges)
    ]
    found = mask(tokens, layout)
    for number, (patient, _) in enumerate(edges):
        own = [each for each, (other, _) in zip(inside, edges) if other == patient]
        score = mask.feature.weight @ (inside[number] + sum(own) / len(own)) + mask.feature.bias
        torch.testing.assert_close(found[number], torch.sigmoid(score).clamp(1e-6, 1 - 1e-6))


@pytest.mark.parametrize("spread", [1.0, 30.0])
def test_in_few_calls_as_in_many(monkeypatch: pytest.MonkeyPatch, spread: float) -> None:
    layout = EdgeLayout.from_lists([torch.tensor([0, 1, 2]), torch.tensor([0, 2])], 4)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        mask, tokens = MaskGenerator(6, 2).double(), torch.randn(5, 6, dtype=torch.double).requires_grad_()
        for parameter in mask.parameters():
            torch.nn.init.normal_(parameter, std=spread)
        above = torch.randn(5, 6, dtype=torch.double)
    found = mask(tokens, layout)
    monkeypatch.setattr(mask_generator, "fused", lambda *_: False)
    expected = mask(tokens, layout)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-13)
    assert bool((found == mask_generator._LEAST).any()) == (spread > 1)  # scores that are cut off have no gradient
    leaves = [tokens, *mask.parameters()]
    for one, other in zip(*(torch.autograd.grad(each, leaves, above) for each in (found, expected))):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-11)
