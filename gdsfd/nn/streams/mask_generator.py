"""The learned mask: message passing, then a score per edge or per channel."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from gdsfd.graph.grid_layout import Layout
from gdsfd.nn.streams.mask import Mask, register_mask
from gdsfd.ops.bipartite import Bipartite
from gdsfd.ops.sage_layer import fused
from gdsfd.setting_checks import Whole

__all__ = ["MaskGenerator"]

#: How near a score comes to 0 and to 1. Messages are divided by the sum of a node's masks: where a sum is 1e-20, which
#: saturated scores do reach, its gradient is no number, and training broke off.
_LEAST = 1e-6


@register_mask("learned")
class MaskGenerator(Mask):
    r"""One round of message passing, then a score in (0, 1) for every edge, or for every channel of it.

    With :math:`e_{ik}` the token of patient :math:`i` and modality :math:`k`, and :math:`t_k` a learned vector,

    .. math::
        u_{ik} = \operatorname{ReLU}(W_e e_{ik} + t_k), \quad h_i = \operatorname{mean}_k u_{ik}, \quad
        a_{ik} = \sigma(V [u_{ik} + h_i])

    The causal stream gets :math:`a`, the biased one :math:`1 - a`. Scores start at 1/2. A patient's scores depend on
    the patient's own edges only.

    Args:
        channels: Width d of tokens.
        num_modalities: Number of modalities K (or feature nodes).
        level: ``"feature"``: one score per channel; ``"edge"``: one per edge; ``"both"``: their product, brought
            back to start at 1/2.
        hidden: Width inside, 1 to 4,096; default: half the channels.

    Shapes:
        - tokens: [E, d]; output: [E, d], or [E, 1] at level ``"edge"``

    References:
        The edge masks of DisC (NeurIPS 2022) on the bipartite graph; feature masks and the shared patient term are
        ours.
    """

    takes_grid = True

    def __init__(
        self,
        channels: int,
        num_modalities: int,
        level: Literal["feature", "edge", "both"] = "feature",
        hidden: Annotated[int | None, Whole(1, 4096)] = None,
    ) -> None:
        super().__init__(channels, num_modalities)
        hidden = hidden or max(channels // 2, 1)
        self.level = level
        self.inner = nn.Linear(channels, hidden)
        self.modality = nn.Parameter(torch.zeros(num_modalities, hidden))
        self.feature = nn.Linear(hidden, channels) if level != "edge" else None
        self.edge = nn.Linear(hidden, 1) if level != "feature" else None
        for layer in (self.feature, self.edge):
            if layer is not None:
                nn.init.zeros_(layer.weight)
                nn.init.constant_(layer.bias, 0.0 if level != "both" else 0.8814)  # both: sigmoid(.88)^2 = 1/2

    def forward(self, tokens: Tensor, layout: Layout) -> Tensor:
        """Scores of the causal stream."""
        if self.level == "feature" and self.feature is not None and fused(tokens, layout.edges):
            weights = self.inner.weight, self.inner.bias, self.modality, self.feature.weight, self.feature.bias
            found: Tensor = _FeatureScores.apply(layout.edges, tokens, *weights)
            return found
        inside = torch.relu(self.inner(tokens) + layout.of_modalities(self.modality))
        inside = inside + layout.of_patients(layout.patient_mean(inside))
        scores = [torch.sigmoid(layer(inside)) for layer in (self.feature, self.edge) if layer is not None]
        score = scores[0] if len(scores) == 1 else scores[0] * scores[1]
        return score.clamp(_LEAST, 1 - _LEAST)


class _FeatureScores(torch.autograd.Function):
    """The scores of every channel on a short list of edges, in a third of the calls; differentiable once."""

    @staticmethod
    def forward(
        ctx: Any,
        graph: Bipartite,
        tokens: Tensor,
        inner: Tensor,
        inner_bias: Tensor,
        modality: Tensor,
        feature: Tensor,
        feature_bias: Tensor,
    ) -> Tensor:
        own = F.linear(tokens, inner, inner_bias)
        own.add_(modality.index_select(0, graph.right)).relu_()
        count = graph.left_degree.clamp(min=1).to(own.dtype).unsqueeze(1)
        mean = own.new_zeros(graph.num_left, own.size(1)).index_add_(0, graph.left, own).div_(count)
        inside = mean.index_select(0, graph.left).add_(own)
        score = F.linear(inside, feature, feature_bias).sigmoid_()
        ctx.graph = graph
        ctx.save_for_backward(tokens, inner, modality, feature, own, inside, score, count)
        return score.clamp(_LEAST, 1 - _LEAST)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, above: Tensor) -> tuple[Tensor | None, ...]:
        tokens, inner, modality, feature, own, inside, score, count = ctx.saved_tensors
        graph = ctx.graph
        back = torch.ops.aten.sigmoid_backward(above, score)
        if score.numel() and (score.amin() < _LEAST or score.amax() > 1 - _LEAST):  # cut off: no gradient
            back *= (score >= _LEAST) & (score <= 1 - _LEAST)
        passed = back @ feature
        of_mean = passed.new_zeros(count.size(0), passed.size(1)).index_add_(0, graph.left, passed).div_(count)
        passed += of_mean.index_select(0, graph.left)
        torch.ops.aten.threshold_backward.grad_input(passed, own, 0, grad_input=passed)
        of_modality = torch.zeros_like(modality).index_add_(0, graph.right, passed)
        return (
            None, passed @ inner, passed.t() @ tokens, passed.sum(0), of_modality, back.t() @ inside, back.sum(0)
        )  # fmt: skip
