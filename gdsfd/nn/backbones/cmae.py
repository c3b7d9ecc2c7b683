"""cmae: an autoencoder that is to tell every modality from any one of them."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor, nn

from gdsfd.graph.grid_layout import Layout
from gdsfd.nn.backbones.backbone import Task
from gdsfd.nn.backbones.card import Card
from gdsfd.nn.backbones.fusion_backbone import Fused, FusionBackbone
from gdsfd.nn.backbones.registry import register_backbone
from gdsfd.nn.dropout import Dropout
from gdsfd.nn.embeddings import Embeddings
from gdsfd.nn.encoders.feature_layout import FeatureLayout
from gdsfd.nn.fusion.modality_linear import ModalityLinear
from gdsfd.setting_checks import Number

__all__ = ["CmaeBackbone"]


@register_backbone("cmae")
class CmaeBackbone(FusionBackbone):
    r"""A cross-modal autoencoder trained beside the outcome.

    .. math::
        h_i &= \mathrm{gelu}(\textstyle\sum^m_k W_k t_{ik} + F m_i + b), \qquad
        \hat x_{ik} = V_k h_i + c_k \\
        L &= \ell + \lambda \textstyle\sum_{ik} m_{ik} \|\hat x_{ik} - x_{ik}\|^2 / \sum_{ik} m_{ik} f_k

    x are the encoders' standardised features, f their number: fixed targets, as learned ones would collapse to 0, and a
    loss per feature, so that a modality of 300 columns does not drown one of 5. In training half the patients' inputs
    are thinned to one modality drawn from theirs; targets are all they have, and nothing else.

    Args:
        channels: Width d.
        num_modalities: Number of modalities K.
        dropout: Dropout probability, of the code.
        edge_drop: Probability of hiding an observation from the input in training, besides the thinning.
        reconstruction: Weight lambda.
        thinned: Share of patients whose input is one modality.

    Shapes:
        - tokens: [E, d]; pooled: [B, d]

    References:
        [paper] Ngiam et al., ICML 2011: inputs with one modality zeroed, both reconstructed. [ours] K modalities,
        flags, tokens for raw inputs, both losses from the start. Lost: layer-wise restricted Boltzmann machines, and a
        first stage of reconstruction alone.
    """

    takes_grid = False
    reads_features = True
    card = Card(
        "Ngiam et al., ICML 2011",
        "paper",
        "left out of the sum, with a flag; no target",
        "restricted Boltzmann machines layer by layer; a stage of reconstruction alone",
    )

    def __init__(
        self,
        channels: int,
        num_modalities: int,
        dropout: float = 0.25,
        edge_drop: Annotated[float, Number(0, 1, below=True)] = 0.0,
        reconstruction: Annotated[float, Number(0, 1000)] = 1.0,
        thinned: Annotated[float, Number(0, 1)] = 0.5,
    ) -> None:
        super().__init__(channels, num_modalities, dropout, edge_drop)
        self.reconstruction, self.thinned = reconstruction, thinned
        self.into = ModalityLinear(num_modalities, channels, channels, bias=False)
        self.flags = nn.Linear(num_modalities, channels)
        self.activation = nn.GELU()
        self.drop = Dropout(dropout)
        self.sizes: tuple[int, ...] = ()

    def set_task(self, task: Task) -> None:
        """Makes the decoder, of the features that there are."""
        super().set_task(task)
        self.sizes = task.features
        if self.reconstruction and sum(task.features):
            self.decoder = nn.Linear(self.channels, sum(task.features))

    def why_no_grid(self) -> str:
        """It reads the features themselves."""
        return f"{type(self).__name__} reconstructs features, which stand in lists"

    def fuse(self, grid: Tensor, there: Tensor, y: Tensor | None) -> Fused:
        """Embeds patients; see :class:`FusionBackbone`."""
        if self.training and self.thinned:
            there = self.thin(there)
            grid = grid * there.unsqueeze(2)
        code = self.activation(self.into(grid).sum(1) + self.flags(there))
        return Fused(self.drop(code))

    def thin(self, there: Tensor) -> Tensor:
        """Leaves a share of the patients one of their modalities; [B, K]."""
        drawn = torch.rand_like(there) * there
        one = there * (drawn == drawn.amax(1, keepdim=True))
        return torch.where(torch.rand_like(there[:, :1]) < self.thinned, one, there)

    def forward(self, tokens: Tensor, layout: Layout, y: Tensor | None = None) -> Embeddings:
        """Embeds a batch of patients; in training with the loss of reconstruction, where the layout has features."""
        found = super().forward(tokens, layout, y)
        if self.training and self.reconstruction and isinstance(layout, FeatureLayout):
            found.aux_loss = self.reconstruction * self.error(found.pooled, layout)
        return found

    def error(self, code: Tensor, layout: FeatureLayout) -> Tensor:
        """Mean squared error per feature of all present modalities, 0 where there is none; ``code`` [B, d]."""
        told, ptr = self.decoder(code).split(self.sizes, dim=1), layout.modality_ptr.tolist()
        total, count = code.new_zeros(()), 0
        for each, mine, start, end in zip(told, layout.features, ptr, ptr[1:]):
            total = total + (each[layout.patient[start:end]] - mine).square().sum()
            count += mine.numel()
        return total / max(count, 1)
