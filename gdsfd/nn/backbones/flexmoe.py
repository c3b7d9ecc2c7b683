"""flexmoe: tokens of all modalities, absent ones from a bank of patterns, through experts that patterns are sent to."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gdsfd.errors import InputError
from gdsfd.nn.backbones.backbone import TokenBatches
from gdsfd.nn.backbones.card import Card
from gdsfd.nn.backbones.fusion_backbone import Fused, FusionBackbone
from gdsfd.nn.backbones.registry import register_backbone
from gdsfd.nn.dropout import Dropout
from gdsfd.nn.fusion.attention import TransformerBlock
from gdsfd.nn.fusion.experts import Experts, Routing, variation
from gdsfd.nn.fusion.patterns import frequent_patterns, nearest_pattern, presence_of
from gdsfd.nn.fusion.token_expander import TokenExpander
from gdsfd.setting_checks import Number, Whole

__all__ = ["FlexMoeBackbone"]


@register_backbone("flexmoe")
class FlexMoeBackbone(FusionBackbone):
    r"""Experts that patterns of presence are routed to; complete patients train all of them evenly.

    .. math::
        X_{ik} &= T_{ik} \text{ (present)}, \quad
        X_{ik} = R_{\pi(i), k} = \operatorname{mean}_{j \in \pi(i)} Q_{jk} \text{ (absent)} \\
        X &\leftarrow X + \mathrm{Att}(LN\,X), \quad
        X \leftarrow X + \mathrm{MoE}(LN\,X), \quad
        p_i = \mathrm{gelu}(W \, LN[\operatorname{mean}_P X_{i1}; ..; \operatorname{mean}_P X_{iK}] + b) \\
        L &= \ell + \lambda \, [\mathrm{cv}^2(\text{gates}) + \mathrm{cv}^2(\text{load}) \text{ of complete patients}]
        + \lambda \, [CE(r, e_{\pi(i)}) + \mathrm{cv}^2(\text{gates of experts other than } e_{\pi(i)})
        \text{ of the others}]

    for every row of X, with the mixture MoE and its scores r as in :class:`~gdsfd.nn.fusion.experts.Experts`. The
    complete pattern is expert 0's, the generalist, and no cross-entropy sends its patients anywhere; experts 1 to E - 1
    belong to the most frequent incomplete patterns of the training patients, and any other pattern to the nearest of
    these (:func:`~gdsfd.nn.fusion.patterns.nearest_pattern`).

    Args:
        channels: Width d.
        num_modalities: Number of modalities K.
        dropout: Dropout probability.
        edge_drop: Probability of hiding an observation in training.
        experts: Number of experts E, at least 2.
        top: Experts that a row takes.
        tokens_per_modality: Sub-tokens P of each modality (:class:`~gdsfd.nn.fusion.TokenExpander`). All are
            attended to together, so one is no degenerate case.
        layers: Number of blocks.
        heads: Most attention heads.
        routing: Weight lambda.
        warm_up: Epochs in which patients with the most modalities come first.

    Shapes:
        - tokens: [E, d]; pooled: [B, d]

    Raises:
        InputError: ``top`` is more than there are experts.

    References:
        [code] Flex-MoE (Yun et al., NeurIPS 2024): 16 experts, top 4, P = 16, one layer, lambda .01, warm-up 5. [ours]
        8 experts, top 2, P = 1, as a step costs 2.5 of ``muse`` even so; the attention keeps its input; a bank of K^2
        tokens in place of one per pattern, so that no pattern is unknown; every expert is worked out; a norm before the
        last map. Lost: a bank entry of each pattern's own.
    """

    memory_in_training = True
    card = Card(
        "Yun et al., NeurIPS 2024",
        "code",
        "tokens from a bank, by the pattern; its experts are the pattern's",
        "a bank entry of each pattern's own",
        bank=True,
    )
    patterns: Tensor

    def __init__(
        self,
        channels: int,
        num_modalities: int,
        dropout: float = 0.25,
        edge_drop: Annotated[float, Number(0, 1, below=True)] = 0.0,
        experts: Annotated[int, Whole(2, 64)] = 8,
        top: Annotated[int, Whole(1, 64)] = 2,
        tokens_per_modality: Annotated[int, Whole(1, 64)] = 1,
        layers: Annotated[int, Whole(1, 16)] = 1,
        heads: Annotated[int, Whole(1, 64)] = 4,
        routing: Annotated[float, Number(0, 1000)] = 0.01,
        warm_up: Annotated[int, Whole(0, 10_000)] = 5,
    ) -> None:
        super().__init__(channels, num_modalities, dropout, edge_drop)
        if top > experts:
            raise InputError(f"options of the backbone 'flexmoe': expected top at most experts = {experts}, got {top}")
        self.routing, self.complete_first = routing, warm_up
        k, p, d = num_modalities, tokens_per_modality, channels
        self.expander = TokenExpander(k, d, p)
        self.kind = nn.Parameter(torch.randn(k, 1, d) / d**0.5)
        self.missing = nn.Parameter(torch.randn(k, k, p, d))
        self.nothing = nn.Parameter(torch.randn(k, p, d))
        self.attention = nn.ModuleList(TransformerBlock(d, heads, dropout, expansion=0) for _ in range(layers))
        self.norms = nn.ModuleList(nn.LayerNorm(d) for _ in range(layers))
        self.experts = nn.ModuleList(Experts(d, experts, top) for _ in range(layers))
        self.norm = nn.LayerNorm(d)
        self.drop = Dropout(dropout)
        self.out = nn.Sequential(nn.Linear(k * d, d), nn.GELU())
        self.register_buffer("patterns", torch.full((experts - 1, k), -1.0))

    def fuse(self, grid: Tensor, there: Tensor, y: Tensor | None) -> Fused:
        """Embeds patients; see :class:`FusionBackbone`."""
        own, has = self.expander(grid), there.view(*there.shape, 1, 1) > 0
        rows = (torch.where(has, own, self.absent(there)) + self.kind).flatten(1, 2)  # [B, K P, d]
        every = torch.ones(1, 1, dtype=torch.bool, device=grid.device)
        loss = grid.new_zeros(())
        for attend, norm, experts in zip(self.attention, self.norms, self.experts):
            rows = attend(rows, every)
            found, routing = experts(norm(rows))
            rows = rows + self.drop(found)
            if self.training and self.routing:
                loss = loss + self.routing * self.routing_loss(routing, there)
        mean = rows.unflatten(1, own.shape[1:3]).mean(2)
        return Fused(self.out(self.norm(mean).flatten(1)), aux_loss=loss if self.training and self.routing else None)

    def absent(self, there: Tensor) -> Tensor:
        """What stands for each modality in a patient who does not have it, by what the patient has; [B, K, P, d]."""
        count = there.sum(1, keepdim=True)
        share = torch.cat([there / count.clamp(min=1), (count == 0).to(there.dtype)], 1)
        bank = torch.cat([self.missing, self.nothing.unsqueeze(0)])
        return (share @ bank.flatten(1)).unflatten(1, bank.shape[1:])

    def expert_of(self, there: Tensor) -> Tensor:
        """1 at the expert of each patient's pattern, 0 of them complete; all 0 before patterns are known; [B, E]."""
        complete = there.all(1, keepdim=True).to(there.dtype)
        return torch.cat([complete, (1 - complete) * nearest_pattern(there, self.patterns)], 1)

    def routing_loss(self, routing: Routing, there: Tensor) -> Tensor:
        """The losses of where rows went, without their weight; those of a kind of patients not in the batch are 0."""
        expert = self.expert_of(there)
        complete = expert[:, 0].view(-1, 1, 1)
        even = variation((routing.gates * complete).sum((0, 1))) + variation((routing.taken * complete).sum((0, 1)))
        theirs = torch.cat([torch.zeros_like(expert[:, :1]), expert[:, 1:]], 1).unsqueeze(1)  # [B, 1, E]
        sent = theirs.sum(-1, keepdim=True)
        missed = -(F.log_softmax(routing.scores, -1) * theirs).sum((1, 2)) / routing.scores.size(1)
        others = variation((routing.gates * (sent - theirs)).sum((0, 1)))
        return even + missed.sum() / sent.sum().clamp(min=1) + others

    @torch.no_grad()
    def fit_memory(self, batches: TokenBatches) -> None:
        """Finds the frequent incomplete patterns of training patients, one per expert but the first."""
        presence = presence_of(batches)
        self.patterns = frequent_patterns(presence[~presence.all(1)], len(self.patterns)).to(self.patterns)
