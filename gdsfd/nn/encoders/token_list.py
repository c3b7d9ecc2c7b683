"""Tokens of all modalities of a batch in one list, with a gradient written by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from gdsfd.nn.encoders.encoder import Encoder
from gdsfd.nn.encoders.feature_encoder import FeatureEncoder
from gdsfd.ops.choose import FEW_EDGES
from gdsfd.ops.dropout import is_mapped, kept, plain_float

__all__ = ["token_list"]

_WEIGHTS = 6  # of an encoder: the map from features, and the two of the residual network, each with a bias


def token_list(encoders: Sequence[Encoder], observations: Sequence[Mapping[str, Tensor]]) -> Tensor | None:
    """What the encoders give one by one, below one another; differentiable once.

    A product of its own per modality, everything else once for all: on some hundred patients activations and dropout
    cost what their calls cost.

    Args:
        encoders: In training mode.
        observations: Of each encoder's modality, at least one.

    Returns:
        [E, d]; None where this is not the way, because an encoder is of another kind, there are many observations, or
        the device is no CPU.
    """
    found = [each for each in encoders if isinstance(each, FeatureEncoder) and each.maps_features]
    if not found or len(found) < len(encoders) or len({each.out.dropout for each in found}) != 1:
        return None
    weights = [weight for each in found for weight in _weights(each)]
    if not plain_float(*weights) or is_mapped(weights[0]) or len({weight.dtype for weight in weights}) != 1:
        return None
    scaled = [encoder.scaled(seen) for encoder, seen in zip(found, observations)]
    if sum(map(len, scaled)) > FEW_EDGES or any(
        each.requires_grad or each.dtype != weights[0].dtype for each in scaled
    ):
        return None
    tokens: Tensor = _TokenList.apply(found[0].out.dropout, *scaled, *weights)
    return tokens


def _weights(encoder: FeatureEncoder) -> tuple[Tensor, ...]:
    maps = encoder.token.linear, encoder.out.inner, encoder.out.outer
    return tuple(part for each in maps for part in (each.weight, each.bias))


class _TokenList(torch.autograd.Function):
    r"""With :math:`x` the scaled features, :math:`D` dropout: :math:`t = D(W x + b)`, then
    :math:`t + V D(\operatorname{gelu}(U t + u)) + v`."""

    @staticmethod
    def forward(ctx: Any, probability: float, *tensors: Tensor) -> Tensor:
        modalities = len(tensors) // (1 + _WEIGHTS)
        scaled, weights = tensors[:modalities], _by_encoder(tensors[modalities:])
        places = [slice(*ends) for ends in pairwise(accumulate(map(len, scaled), initial=0))]
        token = scaled[0].new_empty(places[-1].stop, len(weights[0][0]))
        inner, out = torch.empty_like(token), torch.empty_like(token)
        scales = [kept(token, probability) if probability else None for _ in range(2)]
        for each, place, (weight, bias, *_) in zip(scaled, places, weights):
            torch.addmm(bias, each, weight.t(), out=token[place])
        _multiply(token, scales[0])
        for place, (_, _, weight, bias, _, _) in zip(places, weights):
            torch.addmm(bias, token[place], weight.t(), out=inner[place])
        hidden = _multiply(F.gelu(inner), scales[1])
        for place, (*_, weight, bias) in zip(places, weights):
            torch.addmm(bias, hidden[place], weight.t(), out=out[place])
        ctx.places, ctx.modalities = places, modalities
        ctx.save_for_backward(*tensors, token, inner, hidden, *scales)
        return out.add_(token)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, above: Tensor) -> tuple[Tensor | None, ...]:
        *tensors, token, inner, hidden, first_scale, second_scale = ctx.saved_tensors
        scaled, weights = tensors[: ctx.modalities], _by_encoder(tensors[ctx.modalities :])
        back, found = torch.empty_like(token), list[Tensor]()
        for place, each in zip(ctx.places, weights):
            torch.mm(above[place], each[4], out=back[place])
        _multiply(back, second_scale)
        torch.ops.aten.gelu_backward.grad_input(back, inner, grad_input=back)
        passed = torch.empty_like(token)
        for place, each in zip(ctx.places, weights):
            torch.addmm(above[place], back[place], each[2], out=passed[place])
        _multiply(passed, first_scale)
        for place, each in zip(ctx.places, scaled):
            for gradient, values in ((passed, each), (back, token[place]), (above, hidden[place])):
                found += [gradient[place].t() @ values, gradient[place].sum(0)]
        return None, *[None] * ctx.modalities, *found


def _by_encoder(weights: Sequence[Tensor]) -> list[Sequence[Tensor]]:
    return [weights[start : start + _WEIGHTS] for start in range(0, len(weights), _WEIGHTS)]


def _multiply(values: Tensor, scale: Tensor | None) -> Tensor:
    return values if scale is None else values.mul_(scale)
