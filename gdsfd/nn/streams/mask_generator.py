"""The learned mask: message passing, then a score per edge or per channel."""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from torch import Tensor, nn

from gdsfd.graph.grid_layout import Layout
from gdsfd.nn.streams.mask import Mask, register_mask
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
        inside = torch.relu(self.inner(tokens) + layout.of_modalities(self.modality))
        inside = inside + layout.of_patients(layout.patient_mean(inside))
        scores = [torch.sigmoid(layer(inside)) for layer in (self.feature, self.edge) if layer is not None]
        score = scores[0] if len(scores) == 1 else scores[0] * scores[1]
        return score.clamp(_LEAST, 1 - _LEAST)
