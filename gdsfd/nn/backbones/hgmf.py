"""hgmf: products of pairs of modalities, and messages between patients who are typed by what they lack."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor, nn

from gdsfd.nn.adjustment.fitted_buffers import FittedBuffers
from gdsfd.nn.backbones.backbone import TokenBatches
from gdsfd.nn.backbones.card import Card
from gdsfd.nn.backbones.fusion_backbone import Fused, FusionBackbone
from gdsfd.nn.backbones.registry import register_backbone
from gdsfd.nn.dropout import Dropout
from gdsfd.nn.fusion.bank import patient_bank
from gdsfd.nn.fusion.masked import masked_softmax
from gdsfd.nn.fusion.modality_linear import ModalityLinear
from gdsfd.nn.fusion.patterns import frequent_patterns, nearest_pattern
from gdsfd.nn.fusion.row_linear import RowLinear
from gdsfd.setting_checks import Number, Whole

__all__ = ["HgmfBackbone"]

#: A score counts at least as if it were this far from the highest: patterns of distant neighbours keep their weights.
_FARTHEST = -30.0


@register_backbone("hgmf")
class HgmfBackbone(FittedBuffers, FusionBackbone):
    r"""Patients as hypernodes of a graph with a type per pattern of presence.

    .. math::
        \phi_k &= U_k t_{ik} + u_k, \qquad
        \phi_{kl} = W \tfrac12 [(A_k t_{ik}) \odot (B_l t_{il}) + (A_l t_{il}) \odot (B_k t_{ik})] \\
        g_i &= \textstyle\sum_S \alpha_{iS} \phi_S, \qquad
        \alpha = \mathrm{softmax}_S(v \cdot \phi_S + a_S) \text{ over single modalities and pairs that i has} \\
        h_i &= U g_i + b + \textstyle\sum_q \beta_{iq} \sum_c r_{pqc} V_c \bar g_{iq}, \qquad
        \bar g_{iq} = \textstyle\sum_{j \in N_q(i)} \gamma_{ij} g_j \\
        \gamma_{ij} &= \mathrm{softmax}_{j \in N_q(i)} (Q g_i \cdot K g_j / \sqrt d), \qquad
        \beta_{iq} = \mathrm{softmax}_q (Q g_i \cdot K \bar g_{iq} / \sqrt d + \rho_{pq})

    p is i's pattern, q that of neighbours, both the nearest of the frequent patterns of training patients
    (:func:`~gdsfd.nn.fusion.patterns.nearest_pattern`); :math:`N_q(i)` are those of pattern q among i's nearest by the
    cosine of :math:`\phi_k` over shared modalities. In training j runs over the batch without i itself; in evaluation
    over a bank of training patients, fitted before, so that a score depends on nobody else's presence.

    Args:
        channels: Width d.
        num_modalities: Number of modalities K.
        dropout: Dropout probability, of g and of what neighbours say.
        edge_drop: Probability of hiding an observation in training.
        rank: Width of the products; 0 = d / 2.
        bank: Most training patients in the bank.
        neighbours: Neighbours of a patient.
        patterns: Most patterns.
        least: Training patients that a pattern of its own needs.
        bases: Number of maps V that the relations of patterns share.

    Shapes:
        - tokens: [E, d]; pooled: [B, d]

    References:
        HGMF (Chen and Zhang, KDD 2020) states hypernodes typed by what is missing and no imputation; the formulas are
        our reconstruction: an inductive form with a bank, relations from bases. Lost: products of three modalities and
        more, transductive training.
    """

    memory_in_training = True
    card = Card(
        "Chen and Zhang, KDD 2020",
        "reconstruction",
        "its terms drop out; the pattern is the patient's type",
        "products of three modalities and more; transductive training",
        bank=True,
    )
    sized_by_data = ("bank_codes", "bank_terms", "bank_there")
    known: Tensor
    bank_codes: Tensor
    bank_terms: Tensor
    bank_there: Tensor
    pairs: Tensor

    def __init__(
        self,
        channels: int,
        num_modalities: int,
        dropout: float = 0.25,
        edge_drop: Annotated[float, Number(0, 1, below=True)] = 0.15,
        rank: Annotated[int, Whole(0, 4096)] = 0,
        bank: Annotated[int, Whole(1, 4096)] = 1024,
        neighbours: Annotated[int, Whole(1, 4096)] = 8,
        patterns: Annotated[int, Whole(1, 64)] = 8,
        least: Annotated[int, Whole(1, 1_000_000)] = 50,
        bases: Annotated[int, Whole(1, 64)] = 4,
    ) -> None:
        super().__init__(channels, num_modalities, dropout, edge_drop)
        self.bank, self.neighbours, self.least = bank, neighbours, least
        k, d, rank = num_modalities, channels, rank or -(-channels // 2)
        self.single = ModalityLinear(k, d, d)
        self.left, self.right = (ModalityLinear(k, d, rank, bias=False) for _ in range(2))
        self.product = RowLinear(rank, d, bias=False)
        self.score = nn.Parameter(torch.randn(d) / d)
        self.score_single = nn.Parameter(torch.zeros(k))
        self.score_pair = nn.Parameter(torch.zeros(k, k))
        self.own = nn.Linear(d, d)
        self.query, self.key = RowLinear(d, d, bias=False), RowLinear(d, d, bias=False)
        self.types = nn.Parameter(torch.zeros(patterns, patterns))
        self.relation = nn.Parameter(1 / bases + torch.randn(patterns, patterns, bases) / bases)
        self.basis = ModalityLinear(bases, d, d, bias=False)
        self.drop = Dropout(dropout)
        self.register_buffer("pairs", torch.triu_indices(k, k, 1), persistent=False)
        self.register_buffer("known", torch.full((patterns, k), -1.0))
        self.register_buffer("bank_codes", torch.zeros(0, d))
        self.register_buffer("bank_terms", torch.zeros(0, k, d))
        self.register_buffer("bank_there", torch.zeros(0, k))

    def fuse(self, grid: Tensor, there: Tensor, y: Tensor | None) -> Fused:
        """Embeds patients; see :class:`FusionBackbone`."""
        terms, code = self.code(grid, there)
        others = (code, terms, there) if self.training else (self.bank_codes, self.bank_terms, self.bank_there)
        near = self.near(terms, there, *others[1:], itself=self.training)
        told = self.told(code, there, others[0], others[2], near)
        return Fused(self.own(self.drop(code)) + self.drop(told))

    def code(self, grid: Tensor, there: Tensor) -> tuple[Tensor, Tensor]:
        """The terms of single modalities, 0 where absent, [B, K, d], and g, [B, d]."""
        single, (first, second) = self.single(grid) * there.unsqueeze(2), self.pairs
        products, weight = self.products(grid), self.product.weight
        pair = products @ (self.score @ weight) + (self.score_pair + self.score_pair.t())[first, second]
        takes_part = torch.cat([there, there[:, first] * there[:, second]], 1) > 0
        share = masked_softmax(torch.cat([single @ self.score + self.score_single, pair], 1), takes_part).unsqueeze(2)
        ones, twos = share[:, : there.size(1)], share[:, there.size(1) :]
        return single, (ones * single).sum(1) + self.product((twos * products).sum(1))  # the last map once, of the sum

    def products(self, grid: Tensor) -> Tensor:
        """Products of all pairs of modalities before their last map, [B, K (K - 1) / 2, rank]."""
        left, right, (first, second) = self.left(grid), self.right(grid), self.pairs
        return (left[:, first] * right[:, second] + left[:, second] * right[:, first]) / 2

    @torch.no_grad()
    def near(self, terms: Tensor, there: Tensor, others: Tensor, others_there: Tensor, itself: bool = False) -> Tensor:
        """Who are each patient's neighbours; ``itself``: the others are the patients, and nobody is its own.

        Args:
            terms: Of single modalities, 0 where absent; [B, K, d].
            there: [B, K].
            others: [N, K, d].
            others_there: [N, K].

        Returns:
            bool [B, N]; False for all with whom a patient shares nothing.
        """
        length, other_length = terms.square().sum(2), others.square().sum(2)
        over = ((length @ others_there.t()) * (there @ other_length.t())).sqrt()
        cosine = terms.flatten(1) @ others.flatten(1).t() / over.clamp(min=torch.finfo(over.dtype).tiny)
        can = there @ others_there.t() > 0
        if itself:
            can = can & ~torch.eye(len(terms), dtype=torch.bool, device=terms.device)
        cosine = torch.where(can, cosine, -torch.inf)
        most = min(self.neighbours, cosine.size(1))
        return can & (cosine >= cosine.topk(most, 1).values[:, -1:]) if most else can

    def told(self, code: Tensor, there: Tensor, others: Tensor, others_there: Tensor, near: Tensor) -> Tensor:
        """What neighbours tell of each patient, 0 without any; [B, d]."""
        mine, theirs = nearest_pattern(there, self.known), nearest_pattern(others_there, self.known)
        asked = self.query(code) @ self.key.weight * self.channels**-0.5  # K is put on the patient's side, once
        scores = (asked @ others.t()).masked_fill(~near, -torch.inf)
        highest = scores.detach().amax(1, keepdim=True) if scores.size(1) else asked[:, :1].detach()
        apart = (scores - highest.clamp(min=torch.finfo(scores.dtype).min)).clamp(min=_FARTHEST)
        weight = torch.exp(apart) * near
        total = weight @ theirs  # [B, Q]
        by_type = (theirs.unsqueeze(2) * others.unsqueeze(1)).flatten(1)  # [N, Q d]
        summary = (weight @ by_type).unflatten(1, (theirs.size(1), -1))
        summary = summary / total.clamp(min=torch.finfo(total.dtype).tiny).unsqueeze(2)  # [B, Q, d]
        scores = (summary @ asked.unsqueeze(2)).squeeze(2) + mine @ self.types
        share = masked_softmax(scores, total > 0).unsqueeze(2)
        relation = (mine @ self.relation.flatten(1)).unflatten(1, self.relation.shape[1:])  # [B, Q, bases]
        mixed = (share * relation).transpose(1, 2) @ summary  # [B, bases, d]
        return self.basis(mixed).sum(1)

    @torch.no_grad()
    def fit_memory(self, batches: TokenBatches) -> None:
        """Finds the frequent patterns, and fills the bank with training patients."""
        tokens, there = patient_bank(batches, self.bank, self.bank_terms[:0])
        self.known = frequent_patterns(there > 0, len(self.known), self.least).to(self.known)
        self.bank_terms, self.bank_codes = self.code(tokens, there)
        self.bank_there = there
