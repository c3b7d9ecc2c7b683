"""inforeg: late fusion in which the encoder of the modality that leads is held back while it still learns fast."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

import torch
from torch import Tensor, nn

from gdsfd.nn.backbones.backbone import Task
from gdsfd.nn.backbones.card import Card
from gdsfd.nn.backbones.fusion_backbone import Fused, FusionBackbone
from gdsfd.nn.backbones.registry import register_backbone
from gdsfd.nn.dropout import Dropout
from gdsfd.nn.fusion.masked import masked_mean
from gdsfd.nn.fusion.modality_linear import ModalityLinear
from gdsfd.nn.losses.outcome_loss import element_loss
from gdsfd.setting_checks import Number, Whole

__all__ = ["InforegBackbone"]


@register_backbone("inforeg")
class InforegBackbone(FusionBackbone):
    r"""A sum of modalities' scores, with a pull on the leading one's encoder to where the epoch began.

    .. math::
        z_{ik} &= W_k t_{ik} + b, \qquad z_i = b + \textstyle\sum^m_k W_k t_{ik}, \qquad
        L = \ell(z) + \textstyle\sum_k \ell(z_k) \\
        \nabla_\theta &\mathrel{+}= \beta_k (\theta - \theta_{\text{start of the epoch}}), \qquad
        \beta_k = c \, e^{\tanh((s_k - \operatorname{mean}_{j \ne k} s_j) / s_0)} \\
        f_k(e) &= \textstyle\sum_{\text{weights } \theta} \operatorname{mean} \sum_{\text{steps}} g_\theta^2, \qquad
        v_k = (\bar f_k^{\text{last } w} - \bar f_k^{\text{previous } w}) / \bar f_k^{\text{last } w}

    for the weights of modality k's encoder, where :math:`s_k`, the mean probability that :math:`z_k` gives to the true
    labels of the batch's patients who have k, is above the others', and while :math:`v_k` is above ``until`` (the trace
    of the Fisher information still grows), or fewer than two epochs have told. The window w is 10 epochs, or half of
    those there have been. With dual streams the same encoders are held back; what is debiased is the streams' heads.

    Args:
        channels: Width d.
        num_modalities: Number of modalities K.
        dropout: Dropout probability, of tokens.
        edge_drop: Probability of hiding an observation in training.
        strength: The factor c; 0 leaves all gradients as they are.
        until: Growth of the trace below which an encoder is let go.
        scale: The difference :math:`s_0` of probabilities that counts as large.
        window: Most epochs w.
        parts: Weight of the modalities' own losses.

    Shapes:
        - tokens: [E, d]; pooled: [B, d], the mean of the patient's tokens; logits: [B, C]

    References:
        [code] InfoReg (Huang et al., CVPR 2025): c = .95 of the dominant modality and .1 of the other, w = 10. [ours]
        K modalities with one c, means in place of the batch's sums, a trace of each modality's own, one backward pass,
        the whole b in every score. Lost: the Fisher information of each convolution.
    """

    streams_on = "pooled"
    own_logits = True
    card = Card(
        "Huang et al., CVPR 2025",
        "code",
        "its term drops out",
        "the Fisher information of each convolution",
        interaction=False,
    )
    trace: Tensor
    total: Tensor
    epochs: Tensor

    def __init__(
        self,
        channels: int,
        num_modalities: int,
        dropout: float = 0.25,
        edge_drop: Annotated[float, Number(0, 1, below=True)] = 0.0,
        strength: Annotated[float, Number(0, 1000)] = 0.95,
        until: Annotated[float, Number(-1000, 1)] = 0.05,
        scale: Annotated[float, Number(0, 1, above=True)] = 0.05,
        window: Annotated[int, Whole(1, 1000)] = 10,
        parts: Annotated[float, Number(0, 1000)] = 1.0,
    ) -> None:
        super().__init__(channels, num_modalities, dropout, edge_drop)
        self.strength, self.until, self.scale, self.window = strength, until, scale, window
        self.parts_weight = parts
        self.drop = Dropout(dropout)
        self.register_buffer("trace", torch.zeros(num_modalities, 2 * window))
        self.register_buffer("total", torch.zeros(num_modalities), persistent=False)
        self.register_buffer("epochs", torch.zeros((), dtype=torch.long))
        self._start: list[list[Tensor]] = []
        self._truth: Tensor | None = None
        self._growing = self.growing()

    def set_task(self, task: Task) -> None:
        """Makes the heads."""
        super().set_task(task)
        self.heads = ModalityLinear(self.num_modalities, self.channels, task.outputs, bias=False)
        self.bias = nn.Parameter(torch.zeros(task.outputs))

    def start_from(self, bias: Tensor) -> None:
        """The head starts at the training shares."""
        self.bias.copy_(bias)

    def fuse(self, grid: Tensor, there: Tensor, y: Tensor | None) -> Fused:
        """Embeds patients; see :class:`FusionBackbone`."""
        scores = self.heads(self.drop(grid))  # 0 where absent
        parts = self.of_each(scores + self.bias, there)
        if self.training and y is not None:
            self._truth = self.truth((scores + self.bias).detach(), there, y)
        return Fused(masked_mean(grid, there), self.bias + scores.sum(1), parts)

    @staticmethod
    def truth(scores: Tensor, there: Tensor, y: Tensor) -> Tensor:
        """Mean probability of the true labels by modality, NaN where nobody labelled has it; [B, K, C] to [K]."""
        found = []
        for one, mine in zip(scores.unbind(1), there.unbind(1)):
            loss, labelled = element_loss(one.float(), y)
            counted = labelled.to(loss.dtype) * mine.view(-1, *[1] * (labelled.dim() - 1))
            found.append((torch.exp(-loss) * counted).sum() / counted.sum())
        return torch.stack(found)

    def pulls(self, truth: Tensor, growing: Tensor) -> Tensor:
        """The factors beta, 0 for those who do not lead or no longer grow.

        Args:
            truth: Of :meth:`truth`; [K].
            growing: Of :meth:`growing`; bool [K].

        Returns:
            [K].
        """
        known = ~torch.isnan(truth)
        told, count = torch.where(known, truth, 0.0), known.sum()
        lead = told - (told.sum() - told) / (count - 1).clamp(min=1)
        leads = known & (count > 1) & (lead > 0) & growing
        return torch.where(leads, self.strength * torch.exp(torch.tanh(lead / self.scale)), 0.0)

    def growing(self) -> Tensor:
        """Whether the trace of each modality still grows; bool [K]."""
        window = min(self.window, int(self.epochs) // 2)
        if not window:
            return torch.ones_like(self.total, dtype=torch.bool)
        last, previous = self.trace[:, -window:].mean(1), self.trace[:, -2 * window : -window].mean(1)
        return (last - previous) / last.clamp(min=torch.finfo(last.dtype).tiny) > self.until

    def start_epoch(self, epoch: int) -> None:
        """Forgets where the last epoch began; the first step finds where this one does."""
        self._start, self._growing = [], self.growing()
        self.total.zero_()

    def end_epoch(self, figures: Mapping[str, float]) -> None:
        """Writes down the epoch's trace."""
        self.trace.copy_(torch.cat([self.trace[:, 1:], self.total.unsqueeze(1)], 1))
        self.epochs += 1

    def after_backward(self, groups: Mapping[str, Sequence[nn.Parameter]]) -> None:
        """Adds to the trace, and pulls the encoder of a modality that leads."""
        encoders = [groups.get(f"encoder:{name}", ()) for name in self.modality_names]
        if not self._start:
            self._start = [[each.detach().clone() for each in encoder] for encoder in encoders]
        pulls = None
        if self._truth is not None and self.strength and self.num_modalities > 1:
            pulls = self.pulls(self._truth, self._growing)
        for number, (encoder, starts) in enumerate(zip(encoders, self._start, strict=True)):
            for weight, start in zip(encoder, starts, strict=True):
                if weight.grad is not None:
                    self.total[number] += weight.grad.square().mean()
                    if pulls is not None:
                        weight.grad.add_(pulls[number] * (weight - start))
