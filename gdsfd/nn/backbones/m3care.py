"""m3care: what is absent is read off similar patients; they come from the batch in training, from a bank afterwards."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

import torch
from torch import Tensor, nn

from gdsfd.nn.adjustment.fitted_buffers import FittedBuffers
from gdsfd.nn.backbones.backbone import TokenBatches
from gdsfd.nn.backbones.card import Card
from gdsfd.nn.backbones.fusion_backbone import Fused, FusionBackbone
from gdsfd.nn.backbones.registry import register_backbone
from gdsfd.nn.fusion.attention import TransformerBlock
from gdsfd.nn.fusion.bank import near_distance, patient_bank
from gdsfd.nn.fusion.modality_linear import ModalityLinear
from gdsfd.nn.fusion.row_linear import RowLinear
from gdsfd.nn.fusion.token_expander import narrow_width
from gdsfd.setting_checks import Number, Whole

__all__ = ["M3CareBackbone"]

#: Squared distance over the width at which the kernel is 1/2.
_HALF_AT = 0.6623
#: Squared distance over twice the width from which on it is taken for this one; its kernel is 2e-35. What torch works
#: out ``exp`` of must be in its normal range: outside of it takes ten times as long.
_FAR = 80.0


class _Placed(NamedTuple):
    """Patients where they are compared: in the space of their tokens and, behind that, of those projected.

    Args:
        tokens: [2 K, B, d].
        squares: Their squared lengths; [2 K, B, 1].
        there: 1 where present, else 0; [B, K].
    """

    tokens: Tensor
    squares: Tensor
    there: Tensor


class _Kernel(torch.autograd.Function):
    """``e + e^2 + e^4`` of e = exp(x) for x from -:data:`_FAR` to 0, its slope worked out on the way.

    The batch's patients by themselves are the largest arrays of a step, which torch would go over ten times.
    """

    @staticmethod
    def forward(exponent: Tensor) -> tuple[Tensor, Tensor]:
        value = exponent.clamp(-_FAR, 0).exp_()
        square = value * value
        fourth = square * square
        slope = torch.add(value, square, alpha=2).add_(fourth, alpha=4)
        return value.add_(square).add_(fourth), slope

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: tuple[Tensor, Tensor]) -> None:
        ctx.mark_non_differentiable(output[1])
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(output[1])

    @staticmethod
    def backward(ctx: Any, above: Tensor, _: Tensor) -> Tensor:
        (slope,) = ctx.saved_tensors
        return above * slope

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int], exponent: Tensor) -> tuple[tuple[Tensor, Tensor], tuple[int, int]]:
        return _Kernel.apply(exponent), (in_dims[0], in_dims[0])


@register_backbone("m3care")
class M3CareBackbone(FittedBuffers, FusionBackbone):
    r"""Similar patients by modality, two steps of messages from them, a transformer over the completed tokens.

    .. math::
        \kappa_k(i,j) &= (1 - \epsilon_k) \, \kappa(P_k t_{ik}, P_k t_{jk}) + \epsilon_k \, \kappa(t_{ik}, t_{jk}),
        \quad \kappa(a, b) = \tfrac13 \textstyle\sum_{r=-1}^{1} \exp(-\|a - b\|^2 / (2^r w_k)) \\
        S_{ij} &= \textstyle\sum_k m_{ik} m_{jk} \kappa_k(i,j) / \sum_k m_{ik} m_{jk}, \quad
        A = S \cdot 1[S > \sigma(\theta)] \\
        \hat t_k &= \mathrm{relu}(\hat A_k \, \mathrm{relu}(\hat A_k t_k W_{1k} + b_{1k}) W_{2k} + b_{2k}) \\
        x_{ik} &= g_{ik} t_{ik} + (1 - g_{ik}) \hat t_{ik} \text{ (present)}, \quad \hat t_{ik} \text{ (absent)}

    :math:`\hat A_k` is A with rows normalised over the patients who have k; :math:`\theta` learns through
    :math:`\mathrm{relu}(S - \sigma(\theta))`. In training j runs over (part of) the batch without i itself; in
    evaluation over a bank of training patients, fitted before (with what the first step makes of them inside the bank),
    so that a score depends on nobody else's presence. The loss has :math:`\lambda` times the mean of
    :math:`|\,\|P_k t_{ik}\| - \|t_{ik}\|\,|`.

    Args:
        channels: Width d.
        num_modalities: Number of modalities K.
        dropout: Dropout probability, in the transformer.
        edge_drop: Probability of hiding an observation in training.
        bank: Most training patients in the bank.
        neighbours: Most neighbours of a patient.
        among: Most patients of a batch, in its shuffled order the first, who may be neighbours in training.
        heads: Most attention heads.
        width: Width of the transformer; 0 is a quarter of d (:func:`~gdsfd.nn.fusion.narrow_width`), with a linear map
            before and after.
        expansion: Width of its feed-forward network's hidden layer over its own; 0 leaves that out.
        norms: Weight lambda of the loss on projections' lengths.

    Shapes:
        - tokens: [E, d]; pooled: [B, d]

    References:
        [code] M3Care (Zhang et al., KDD 2022), its ocular notebook: convex mixture, threshold 1/2, e = -0.3 at the
        start. [ours] bank; widths w in buffers, so that a tenth of all pairs is above 1/2 (with the mean distance none
        is where there are many channels: a graph that stays empty); row-normalised and thinned adjacency, the gate's
        form, a mean readout; half of a usual batch as possible neighbours, and one block in a quarter of the width as
        the transformer (the notebooks': 128), since a step would cost more than twice ``muse``'s otherwise. Lost:
        sequence positions of text.
    """

    card = Card(
        "Zhang et al., KDD 2022",
        "code",
        "its token is imputed from similar patients who have it",
        "sequence positions of text",
        bank=True,
    )
    sized_by_data = ("bank_tokens", "bank_there", "bank_states")
    bank_tokens: Tensor
    bank_there: Tensor
    bank_states: Tensor
    width: Tensor

    def __init__(
        self,
        channels: int,
        num_modalities: int,
        dropout: float = 0.25,
        edge_drop: Annotated[float, Number(0, 1, below=True)] = 0.15,
        bank: Annotated[int, Whole(1, 4096)] = 1024,
        neighbours: Annotated[int, Whole(1, 4096)] = 32,
        among: Annotated[int, Whole(2, 4096)] = 64,
        heads: Annotated[int, Whole(1, 64)] = 2,
        width: Annotated[int, Whole(0, 4096)] = 0,
        expansion: Annotated[int, Whole(0, 16)] = 1,
        norms: Annotated[float, Number(0, 1000)] = 1e-3,
    ) -> None:
        super().__init__(channels, num_modalities, dropout, edge_drop)
        self.bank, self.neighbours, self.among, self.norms = bank, neighbours, among, norms
        self.project = ModalityLinear(num_modalities, channels, channels, bias=False)
        with torch.no_grad():  # lengths are about kept
            self.project.weight.mul_(0.2).add_(torch.eye(channels))
        self.mixture = nn.Parameter(torch.full((num_modalities,), -0.3))
        self.threshold = nn.Parameter(torch.zeros(()))
        self.first, self.second = (ModalityLinear(num_modalities, channels, channels) for _ in range(2))
        self.gate = ModalityLinear(num_modalities, 2 * channels, 1)
        self.kind = nn.Parameter(torch.randn(num_modalities, channels) / channels**0.5)
        width = narrow_width(channels, width)
        self.into = RowLinear(channels, width) if width != channels else nn.Identity()
        self.block = TransformerBlock(width, heads, dropout, expansion=expansion)
        self.norm = nn.LayerNorm(width)
        self.out = nn.Linear(width, channels) if width != channels else nn.Identity()
        self.register_buffer("width", torch.full((num_modalities,), float(channels)))
        self.register_buffer("bank_tokens", torch.zeros(0, num_modalities, channels))
        self.register_buffer("bank_there", torch.zeros(0, num_modalities))
        self.register_buffer("bank_states", torch.zeros(0, num_modalities, channels))

    def fuse(self, grid: Tensor, there: Tensor, y: Tensor | None) -> Fused:
        """Embeds patients; see :class:`FusionBackbone`."""
        loss, mine = None, self.placed(grid, there)
        if self.training:
            few = min(self.among, len(grid))
            others = mine if few == len(grid) else _Placed(mine.tokens[:, :few], mine.squares[:, :few], there[:few])
            edges = self.edges(mine, others, itself=True)
            states = self.step(self.first, edges[:few], grid[:few], there[:few])
            if self.norms:
                plain, projected = mine.squares.clamp(min=1e-12).sqrt().squeeze(2).t().chunk(2, 1)
                apart = (projected - plain).abs()
                loss = self.norms * (apart * there).sum() / there.sum().clamp(min=1)
            imputed = self.step(self.second, edges, states, there[:few])
        else:
            edges = self.edges(mine, self.placed(self.bank_tokens, self.bank_there))
            imputed = self.step(self.second, edges, self.bank_states, self.bank_there)
        gate = torch.sigmoid(self.gate(torch.cat([grid, imputed], -1))) * there.unsqueeze(2)
        rows = torch.lerp(imputed, grid, gate.expand_as(grid)) + self.kind
        return Fused(self.out(self.norm(self.block(self.into(rows)).mean(1))), aux_loss=loss)

    def placed(self, tokens: Tensor, there: Tensor) -> _Placed:
        """Patients' tokens [B, K, d], and which there are [B, K], as they are compared."""
        both = torch.cat([tokens, self.project(tokens)], 1).transpose(0, 1)
        return _Placed(both, both.square().sum(2, keepdim=True), there)

    def similarity(self, mine: _Placed, theirs: _Placed) -> Tensor:
        """S of patients and others, 0 to 1, 0 where they share no modality; [B, N]."""
        share = torch.sigmoid(self.mixture)
        share = torch.cat([share, 1 - share])
        kernel: Tensor = _Kernel.apply(self.exponent(mine, theirs))[0]  # [2 K, B, N]
        total = (share @ kernel.flatten(1)).view(kernel.shape[1:])
        return total / (3 * (mine.there @ theirs.there.t()).clamp(min=1))

    def exponent(self, mine: _Placed, theirs: _Placed) -> Tensor:
        """Minus the squared distances over twice the widths, and minus a far one where one is absent; [2 K, B, N].

        Lengths and absence go through the product as columns of their own: on a batch of patients the product costs
        less than what would have to be done to each of its numbers.
        """
        per_width = self.width.reciprocal().repeat(2).view(-1, 1, 1)

        def length(each: _Placed) -> Tensor:
            return each.squares * (per_width / 2) + 2 * _FAR * (1 - each.there).t().repeat(2, 1).unsqueeze(2)

        first = length(mine)
        other = first if theirs is mine else length(theirs)
        left = torch.cat([mine.tokens * per_width, -first, torch.ones_like(first)], 2)
        right = torch.cat([theirs.tokens, torch.ones_like(other), -other], 2)
        return left @ right.transpose(1, 2)

    def edges(self, mine: _Placed, theirs: _Placed, itself: bool = False) -> Tensor:
        """A, with at most :attr:`neighbours` of each patient; for ``itself``, where the others are the first N, nobody
        is their own; [B, N]."""
        similarity = self.similarity(mine, theirs)
        if itself:
            diagonal = torch.eye(*similarity.shape, dtype=similarity.dtype, device=similarity.device)
            similarity = similarity * (1 - diagonal)
        least = torch.sigmoid(self.threshold)
        kept = similarity > least
        if similarity.size(1) > self.neighbours:
            kept = kept & (similarity >= similarity.detach().topk(self.neighbours, dim=1).values[:, -1:])
        return (torch.relu(similarity - least) + least.detach()) * kept

    @staticmethod
    def step(linear: ModalityLinear, edges: Tensor, values: Tensor, there: Tensor) -> Tensor:
        """What neighbours who have it say of each modality, mapped; values [N, K, d] to [B, K, d]."""
        total = torch.einsum("bn,nkd->bkd", edges, values * there.unsqueeze(2))
        weight = (edges @ there).clamp(min=1e-30)
        return torch.relu(linear(total * weight.reciprocal().unsqueeze(2)))

    @torch.no_grad()
    def fit_memory(self, batches: TokenBatches) -> None:
        """Fills the bank with training patients and works out the kernels' widths and the first step inside it."""
        tokens, there = patient_bank(batches, self.bank, self.bank_tokens[:0])
        self.width.copy_(near_distance(tokens, there, _HALF_AT * self.width) / _HALF_AT)
        mine = self.placed(tokens, there)
        edges = self.edges(mine, mine, itself=True)
        self.bank_tokens, self.bank_there = tokens, there
        self.bank_states = self.step(self.first, edges, tokens, there)
