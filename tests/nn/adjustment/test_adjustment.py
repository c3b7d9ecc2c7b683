"""Averages of a head over strata."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from gdsfd.nn.adjustment.adjustment import Adjustment, AttentionScore, adjusted_logits, logit_spread
from gdsfd.nn.adjustment.fusion import build_fusion

MASS = torch.tensor([0.5, 0.2, 0.2, 0.1])
GROUP = torch.tensor([0, 0, 1, 1])


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


@pytest.fixture
def code() -> Tensor:
    return torch.randn(5, 4, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def centers() -> Tensor:
    return 2 * torch.randn(4, 4, generator=torch.Generator().manual_seed(2))


def test_binary_logits_are_of_the_mean_probability() -> None:
    logits = torch.randn(5, 4, 2, dtype=torch.float64, requires_grad=True)
    got = adjusted_logits(logits, MASS, False)
    mean = (logits.sigmoid() * MASS.double()[:, None]).sum(1)
    torch.testing.assert_close(got.sigmoid(), mean)
    ours, theirs = (torch.autograd.grad(p.sum(), logits, retain_graph=True)[0] for p in (got.sigmoid(), mean))
    torch.testing.assert_close(ours, theirs)


def test_class_logits_are_of_the_mean_probability() -> None:
    logits = torch.randn(5, 4, 3, dtype=torch.float64)
    got = adjusted_logits(logits, MASS, True)
    torch.testing.assert_close(got.exp(), (logits.softmax(-1) * MASS.double()[:, None]).sum(1))


def test_weights_of_each_patient() -> None:
    logits, weight = torch.randn(5, 4, 1), torch.softmax(torch.randn(5, 4), 1)
    got = adjusted_logits(logits, weight, False)
    for i in range(5):
        torch.testing.assert_close(got[i : i + 1], adjusted_logits(logits[i : i + 1], weight[i], False))


@pytest.mark.parametrize("multiclass", [False, True])
@pytest.mark.parametrize("size", [0.0, 1.0, 40.0, 1e4])
def test_one_stratum_gives_its_logits_however_large(multiclass: bool, size: float) -> None:
    logits = size * torch.tensor([[[1.0, -1.0, 0.5]]], requires_grad=True)
    got = adjusted_logits(logits, torch.ones(1), multiclass)
    expected = logits[:, 0].log_softmax(-1) if multiclass else logits[:, 0]
    torch.testing.assert_close(got, expected)
    (gradient,) = torch.autograd.grad(got.sum(), logits)
    assert gradient.isfinite().all()


def test_a_stratum_of_no_mass_counts_for_nothing() -> None:
    logits = torch.tensor([[[0.3], [5.0]]], requires_grad=True)
    got = adjusted_logits(logits, torch.tensor([1.0, 0.0]), False)
    torch.testing.assert_close(got.detach(), torch.tensor([[0.3]]))
    got.sum().backward()
    assert logits.grad is not None
    torch.testing.assert_close(logits.grad.flatten(), torch.tensor([1.0, 0.0]))


def test_bfloat16_is_averaged_in_float32() -> None:
    assert adjusted_logits(torch.zeros(2, 4, 1, dtype=torch.bfloat16), MASS, False).dtype == torch.float32


@pytest.mark.parametrize("name", ["concat", "add", "film", "gate", "cross_attention"])
@pytest.mark.parametrize("estimator", ["exact", "sampled", "nwgm"])
def test_one_stratum_is_plain_conditioning_on_its_centre(
    name: str, estimator: str, code: Tensor, centers: Tensor
) -> None:
    fusion = build_fusion(name, 4, 2)
    adjustment = Adjustment(estimator, 4, draws=3)  # type: ignore[arg-type]
    expected = fusion.own(code, centers[:1].expand(5, 4))
    torch.testing.assert_close(adjustment(fusion, code, centers[:1], torch.ones(1)), expected)


def test_exact_is_the_sum_over_strata(code: Tensor, centers: Tensor) -> None:
    fusion = build_fusion("concat", 4, 1)
    expected = sum(p * fusion.own(code, c.expand(5, 4)).sigmoid() for p, c in zip(MASS, centers))
    torch.testing.assert_close(Adjustment("exact", 4)(fusion, code, centers, MASS).sigmoid(), expected)


def test_sampled_is_exact_in_evaluation_and_where_strata_are_few(code: Tensor, centers: Tensor) -> None:
    fusion, exact = build_fusion("concat", 4, 1), Adjustment("exact", 4)
    expected = exact(fusion, code, centers, MASS)
    few = Adjustment("sampled", 4, draws=2)
    assert not torch.allclose(few(fusion, code, centers, MASS, GROUP), expected)
    torch.testing.assert_close(few.eval()(fusion, code, centers, MASS, GROUP), expected)
    torch.testing.assert_close(Adjustment("sampled", 4, draws=4)(fusion, code, centers, MASS, GROUP), expected)


@pytest.mark.parametrize("per_patient", [False, True])
@pytest.mark.parametrize(("outputs", "multiclass"), [(1, False), (3, True)])
def test_sampled_is_unbiased_in_probability(
    per_patient: bool, outputs: int, multiclass: bool, code: Tensor, centers: Tensor
) -> None:
    fusion = build_fusion("concat", 4, outputs)
    many = torch.Generator().manual_seed(3)
    adjustment = Adjustment("sampled", 4, multiclass, draws=3, per_patient=per_patient)
    read = (lambda x: x.softmax(-1)) if multiclass else torch.sigmoid
    with torch.no_grad():
        exact = read(Adjustment("exact", 4, multiclass)(fusion, code, centers, MASS))
        drawn = torch.stack([read(adjustment(fusion, code, centers, MASS, GROUP, generator=many)) for _ in range(1500)])
    error = drawn.std(0) / 1500**0.5
    assert ((drawn.mean(0) - exact).abs() < 4 * error + 1e-6).all()
    assert (drawn.std(0) > 1e-4).any()


def test_jitter_needs_spread_and_moves_the_centres(code: Tensor, centers: Tensor) -> None:
    fusion = build_fusion("concat", 4, 1)
    adjustment = Adjustment("sampled", 4, draws=8, jitter=1.0)
    exact = adjustment.eval()(fusion, code, centers, MASS, GROUP, torch.ones(4, 4))
    moved = adjustment.train()(fusion, code, centers, MASS, GROUP, torch.ones(4, 4))
    assert not torch.allclose(exact, moved)


def test_nwgm_and_attention_read_one_centre(code: Tensor, centers: Tensor) -> None:
    fusion = build_fusion("concat", 4, 1)
    mean = (MASS[:, None] * centers).sum(0)
    torch.testing.assert_close(Adjustment("nwgm", 4)(fusion, code, centers, MASS), fusion.own(code, mean.expand(5, 4)))
    attention = Adjustment("attention", 4)
    assert attention.score is not None
    weight = attention.score(code, centers, MASS)
    score = (attention.score.query(code) @ attention.score.key(centers).t() / 32**0.5).exp() * MASS
    torch.testing.assert_close(weight, score / score.sum(1, keepdim=True))
    torch.testing.assert_close(attention(fusion, code, centers, MASS), fusion.own(code, weight @ centers))


def test_attention_without_differences_is_nwgm(code: Tensor, centers: Tensor) -> None:
    fusion, attention = build_fusion("film", 4, 1), Adjustment("attention", 4)
    assert isinstance(attention.score, AttentionScore)
    torch.nn.init.zeros_(attention.score.key.weight)
    expected = Adjustment("nwgm", 4)(fusion, code, centers, MASS)
    torch.testing.assert_close(attention(fusion, code, centers, MASS), expected)


@pytest.mark.parametrize("estimator", ["exact", "sampled", "nwgm", "attention"])
def test_empty_batch(estimator: str, centers: Tensor) -> None:
    adjustment = Adjustment(estimator, 4, draws=2)  # type: ignore[arg-type]
    assert adjustment(build_fusion("concat", 4, 1), torch.zeros(0, 4), centers, MASS, GROUP).shape == (0, 1)


def test_order_of_strata_and_their_numbering_do_not_matter(code: Tensor, centers: Tensor) -> None:
    fusion, adjustment, order = build_fusion("gate", 4, 1), Adjustment("exact", 4), torch.tensor([2, 0, 3, 1])
    torch.testing.assert_close(
        adjustment(fusion, code, centers, MASS), adjustment(fusion, code, centers[order], MASS[order])
    )


def test_spread_of_logits() -> None:
    logits = torch.tensor([[[1.0], [3.0]], [[2.0], [2.0]]])
    torch.testing.assert_close(logit_spread(logits, torch.tensor([0.5, 0.5])), torch.tensor([[1.0], [0.0]]))
    each = torch.tensor([[3.0, 1.0], [1.0, 1.0]])  # normalised
    torch.testing.assert_close(logit_spread(logits, each), torch.tensor([[0.75**0.5], [0.0]]))
