"""cmae: its error against principal components and least squares, its thinning, and targets that are there."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from gdsfd.nn.backbones import Task, build_backbone
from gdsfd.nn.encoders.feature_layout import FeatureLayout
from tests.nn.backbones.learner_case import D, K, LearnerCase, full_grid, layout_of, make_learner, presences, tokens_of

SIZES = (3, 1, 4, 2, 3)


def with_features(presence: torch.Tensor, seed: int = 0) -> FeatureLayout:
    layout, generator = layout_of(presence), torch.Generator().manual_seed(seed)
    counts = layout.modality_degree.tolist()
    return FeatureLayout.of(layout, [torch.randn(n, size, generator=generator) for n, size in zip(counts, SIZES)])


class TestCmae(LearnerCase, options={"thinned": 0.0}):
    name = "cmae"


def learner_of(**options: float):
    with torch.random.fork_rng():
        torch.manual_seed(1)
        made = build_backbone("cmae", D, K, dropout=0.0, **options)
    made.set_task(Task(1, ("a", "b", "c", "d", "e"), SIZES))
    return made


def test_the_code_is_its_formula_patient_by_patient() -> None:
    learner, grid, presence = learner_of().eval(), full_grid(), presences()
    layout = layout_of(presence)
    found = learner(tokens_of(grid, layout), layout).pooled
    for patient in range(12):
        total = learner.flags(presence[patient].float())
        for k in presence[patient].nonzero().flatten().tolist():
            total = total + learner.into.weight[k] @ grid[patient, k]
        torch.testing.assert_close(found[patient], nn.functional.gelu(total))


def test_the_error_is_per_feature_of_what_there_is() -> None:
    learner, layout = learner_of(reconstruction=2.0, thinned=0.0).train(), with_features(presences())
    tokens = tokens_of(full_grid(), layout).requires_grad_()
    found = learner(tokens, layout, torch.zeros(12, 1))
    told = learner.decoder(found.pooled).split(SIZES, 1)
    errors, at = [], 0
    for edge in range(layout.num_edges):
        k, patient = int(layout.modality[edge]), int(layout.patient[edge])
        at = edge - int(layout.modality_ptr[k])
        errors.append((told[k][patient] - layout.features[k][at]).square())
    torch.testing.assert_close(found.aux_loss, 2 * torch.cat(errors).mean())
    found.aux_loss.backward()
    assert (tokens.grad != 0).any()
    assert learner.eval()(tokens, layout).aux_loss is None
    assert learner_of(reconstruction=0.0).train()(tokens, layout, torch.zeros(12, 1)).aux_loss is None


def test_linear_and_complete_its_least_error_is_what_principal_components_discard() -> None:
    """Two modalities of 3 and 5 columns in 4 channels: encoder and decoder are the leading eigenvectors."""
    x = torch.randn(200, 8, dtype=torch.double, generator=torch.Generator().manual_seed(0)) @ torch.randn(
        8, 8, dtype=torch.double, generator=torch.Generator().manual_seed(1)
    )
    x = x - x.mean(0)
    values, vectors = torch.linalg.eigh(x.t() @ x)
    leading = vectors[:, -4:]
    learner = build_backbone("cmae", 8, 2, dropout=0.0, thinned=0.0)
    learner.set_task(Task(1, ("a", "b"), (3, 5)))
    learner.double().train().activation = nn.Identity()
    with torch.no_grad():
        for parameter in [
            *learner.flags.parameters(),
            learner.decoder.bias,
            learner.decoder.weight,
            learner.into.weight,
        ]:
            parameter.zero_()
        learner.into.weight[0, :4, :3] = leading[:3].t()
        learner.into.weight[1, :4, :5] = leading[3:].t()
        learner.decoder.weight[:, :4] = leading
    layout = FeatureLayout.of(layout_of(torch.ones(200, 2, dtype=torch.bool)), [x[:, :3], x[:, 3:]])
    grid = torch.zeros(200, 2, 8, dtype=torch.double)
    grid[:, 0, :3], grid[:, 1, :5] = x[:, :3], x[:, 3:]
    loss = learner(tokens_of(grid, layout), layout, torch.zeros(200, 1)).aux_loss
    torch.testing.assert_close(loss * 200 * 8, values[:4].sum())
    loss.backward()
    for part in (learner.into.weight.grad[:, :4], learner.decoder.weight.grad[:, :4]):
        assert part.abs().max() < 1e-9


def test_half_the_inputs_are_thinned_to_one_modality_and_targets_are_all() -> None:
    learner = make_learner("cmae").train()
    there = presences().float().repeat(500, 1)
    torch.manual_seed(0)
    thinned = learner.thin(there)
    assert (thinned <= there).all()
    changed = (thinned != there).any(1)
    assert (thinned[changed].sum(1) == 1).all()
    several = there.sum(1) > 1
    share = float(changed[several].float().mean())
    assert share == pytest.approx(0.5, abs=4 * 0.5 / int(several.sum()) ** 0.5)
    full = thinned[(there.sum(1) == 4) & changed]
    shares = full.mean(0)
    assert shares[2] == 0, "nobody has it"
    assert ((shares - 0.25).abs() < 0.06)[[0, 1, 3, 4]].all()
