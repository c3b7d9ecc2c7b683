"""late: each modality is scored by itself, and the scores are put together."""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gdsfd.nn.backbones.backbone import Task
from gdsfd.nn.backbones.card import Card
from gdsfd.nn.backbones.fusion_backbone import Fused, FusionBackbone
from gdsfd.nn.backbones.registry import register_backbone
from gdsfd.nn.dropout import Dropout
from gdsfd.nn.fusion.masked import masked_mean
from gdsfd.nn.fusion.modality_linear import ModalityLinear
from gdsfd.setting_checks import Number

__all__ = ["LateBackbone"]


@register_backbone("late")
class LateBackbone(FusionBackbone):
    r"""Three late fusions of the modalities' own scores.

    With :math:`z_{ik} = W_k t_{ik} + b_k`:

    .. math::
        \text{mean}: z_i &= \textstyle\sum^m_k a_k z_{ik} / \sum^m_k a_k, \quad a_k = \mathrm{softplus}(\alpha_k) \\
        \text{sum}: z_i &= z_0 + \textstyle\sum^m_k (z_{ik} - z_0) \\
        \text{feature}: z_i &= W \, [m \odot t_i; m_i] + b

    :math:`\sum^m` goes over the modalities a patient has, :math:`z_0` are the training log-odds (of classes: the logs
    of their shares), which a patient with nothing gets. ``sum`` is naive Bayes over modalities: exact where they are
    independent given the outcome, so what another learner gains beyond it is interaction. In ``mean`` and ``sum`` the
    outcome is also fitted by every :math:`z_{ik}` alone, else weak modalities stay untrained.

    Args:
        channels: Width d.
        num_modalities: Number of modalities K.
        dropout: Dropout probability, of the tokens' channels.
        edge_drop: Probability of hiding an observation in training.
        fusion: ``"mean"``, ``"sum"`` or ``"feature"``.
        unimodal: Weight of each modality's own loss (not with ``"feature"``, which has no scores of modalities).

    Shapes:
        - tokens: [E, d]; pooled: [B, d], the mean of the patient's tokens; logits: [B, C]

    References:
        [code] ``feature`` is CareBench's LateFusion with flags, ``mean`` at equal weights the "late average" beside
        MMTM. [ours] weights, ``sum``, and that absent modalities drop out.
    """

    streams_on = "pooled"
    own_logits = True
    card = Card("CareBench's LateFusion; ours", "ours", "its term drops out", interaction=False)

    def __init__(
        self,
        channels: int,
        num_modalities: int,
        dropout: float = 0.25,
        edge_drop: Annotated[float, Number(0, 1, below=True)] = 0.0,
        fusion: Literal["mean", "sum", "feature"] = "mean",
        unimodal: Annotated[float, Number(0, 1000)] = 1.0,
    ) -> None:
        super().__init__(channels, num_modalities, dropout, edge_drop)
        self.fusion, self.parts_weight = fusion, unimodal
        self.drop = Dropout(dropout)

    def set_task(self, task: Task) -> None:
        """Makes the heads."""
        super().set_task(task)
        if self.fusion == "feature":
            self.head = nn.Linear(self.num_modalities * (self.channels + 1), task.outputs)
            return
        self.heads = ModalityLinear(self.num_modalities, self.channels, task.outputs)
        self.register_buffer("prior", torch.zeros(task.outputs))
        if self.fusion == "mean":
            self.share = nn.Parameter(torch.zeros(self.num_modalities))

    def start_from(self, bias: Tensor) -> None:
        """Every score starts at the training shares."""
        if self.fusion == "feature":
            self.head.bias.copy_(bias)
            return
        assert self.heads.bias is not None
        self.heads.bias.copy_(bias.expand_as(self.heads.bias))
        self.get_buffer("prior").copy_(bias)

    def fuse(self, grid: Tensor, there: Tensor, y: Tensor | None) -> Fused:
        """Embeds patients; see :class:`FusionBackbone`."""
        pooled, seen = masked_mean(grid, there), self.drop(grid)
        if self.fusion == "feature":
            return Fused(pooled, self.head(torch.cat([seen.flatten(1), there], 1)))
        scores, prior = self.heads(seen), self.get_buffer("prior")
        apart = (scores - prior) * there.unsqueeze(2)
        if self.fusion == "mean":
            share = F.softplus(self.share) * there
            weight = share / share.sum(1, keepdim=True).clamp(min=torch.finfo(share.dtype).tiny)
            logits = prior + (apart * weight.unsqueeze(2)).sum(1)
        else:
            logits = prior + apart.sum(1)
        return Fused(pooled, logits, self.of_each(scores, there))
