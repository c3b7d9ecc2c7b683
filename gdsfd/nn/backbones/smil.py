"""smil: absent tokens as mixtures of centres, and a fusion network that is trained to adapt to missing modalities."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from gdsfd.graph.grid_layout import Layout
from gdsfd.nn.adjustment.kmeans import kmeans
from gdsfd.nn.backbones.backbone import Criterion, Task, TokenBatches
from gdsfd.nn.backbones.card import Card
from gdsfd.nn.backbones.fusion_backbone import Fused, FusionBackbone
from gdsfd.nn.backbones.registry import register_backbone
from gdsfd.nn.dropout import Dropout
from gdsfd.nn.embeddings import Embeddings
from gdsfd.nn.fusion.bank import patient_bank
from gdsfd.nn.fusion.masked import masked_mean
from gdsfd.nn.fusion.modality_linear import ModalityLinear
from gdsfd.nn.fusion.subsets import proper_subset
from gdsfd.setting_checks import Number, Whole

__all__ = ["SmilBackbone"]


class _Fusion(nn.Module):
    """The two layers that are adapted."""

    def __init__(self, inputs: int, channels: int, outputs: int, dropout: float) -> None:
        super().__init__()
        self.first = nn.Linear(inputs, channels)
        self.drop = Dropout(dropout)
        self.head = nn.Linear(channels, outputs)

    def forward(self, input: Tensor, lift: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        plain = torch.relu(self.first(input))
        code = plain + lift
        return plain, code, self.head(self.drop(code))


@register_backbone("smil")
class SmilBackbone(FusionBackbone):
    r"""Meta-learning across what is missing.

    .. math::
        q_i &= \operatorname{mean}^m_k (t_{ik} + e_k), \qquad \omega_{ikr} = \mathrm{softplus}(W_k q_i)_r, \qquad
        \check t_{ik} = \textstyle\sum_r \omega_{ikr} c_{kr} / \sum_r \omega_{ikr} \text{ (absent k)} \\
        x_i &= [t \text{ or } \check t] + \mathrm{softplus}(r_1(q_i) + \epsilon), \qquad
        h_i = \mathrm{relu}(A x_i) + \mathrm{softplus}(r_2(x_i) + \epsilon), \qquad z_i = \text{linear}(h_i)

    with noise :math:`\epsilon` in training and 0 in evaluation, and k-means centres c of the training tokens. A batch
    falls into halves a and b. With :math:`\theta` the fusion network (A and the last map):

    .. math::
        \theta' &= \theta - \eta \nabla_\theta \, \ell_a(\theta; \text{thinned}) \\
        L &= \ell_a(\theta) + w \, \ell_b(\theta'; \text{thinned})
        + \alpha \, \|x_{\text{thin}} - x_{\text{full}}\|^2 + \beta \, \|h_{\text{thin}} - h_{\text{full}}\|^2

    Thinned: a random proper part of what each patient has; b are those with two modalities or more. The last two terms
    are means over b and over elements, before noise, without gradient to the full ones. The gradient of L goes through
    :math:`\theta'` to everything, second derivatives included.

    Args:
        channels: Width d.
        num_modalities: Number of modalities K.
        dropout: Dropout probability, of h before the last map.
        edge_drop: Probability of hiding an observation in training, before anything is thinned.
        centres: Most centres of a modality.
        noise: Factor on both softplus terms; 0 leaves them out.
        inner_rate: The rate eta.
        meta: Weight w; 0 with all that is thinned leaves plain training.
        inputs: Weight alpha.
        codes: Weight beta.
        first_order: Whether theta' counts as a constant step away from theta. So it does under autocast.

    Shapes:
        - tokens: [E, d]; pooled: [B, d]; logits: [B, C]

    References:
        [code] SMIL (Ma et al., AAAI 2021): ten centres, alpha = beta = .01, eta = .001, additive noise. [ours] K
        modalities, halves of a batch, centres refitted after every epoch, eta constant. Lost: pre-training on images of
        the complete patients.
    """

    streams_on = "pooled"
    own_logits = True
    memory_in_training = True
    card = Card(
        *("Ma et al., AAAI 2021", "code", "its token is a mixture of centres, weighed by the others"),
        lost="pre-training on images of complete patients",
        bank=True,
    )
    bank: Tensor
    is_centre: Tensor

    def __init__(
        self,
        channels: int,
        num_modalities: int,
        dropout: float = 0.25,
        edge_drop: Annotated[float, Number(0, 1, below=True)] = 0.0,
        centres: Annotated[int, Whole(1, 1000)] = 10,
        noise: Annotated[float, Number(0, 1)] = 1.0,
        inner_rate: Annotated[float, Number(0, 10)] = 1e-3,
        meta: Annotated[float, Number(0, 1000)] = 1.0,
        inputs: Annotated[float, Number(0, 1000)] = 0.01,
        codes: Annotated[float, Number(0, 1000)] = 0.01,
        first_order: bool = False,
    ) -> None:
        super().__init__(channels, num_modalities, dropout, edge_drop)
        self.noise, self.inner_rate, self.first_order = noise, inner_rate, first_order
        self.meta, self.inputs, self.codes = meta, inputs, codes
        self.kind = nn.Parameter(torch.randn(num_modalities, channels) / channels**0.5)
        self.weigh = ModalityLinear(num_modalities, channels, centres)
        self.lift_inputs = nn.Linear(channels, num_modalities * channels)
        self.lift_codes = nn.Linear(num_modalities * channels, channels)
        self.register_buffer("bank", torch.zeros(num_modalities, centres, channels))
        self.register_buffer("is_centre", torch.zeros(num_modalities, centres))

    def set_task(self, task: Task) -> None:
        """Makes the fusion network."""
        super().set_task(task)
        self.fusion = _Fusion(self.num_modalities * self.channels, self.channels, task.outputs, self.dropout)

    def start_from(self, bias: Tensor) -> None:
        """The head starts at the training shares."""
        self.fusion.head.bias.copy_(bias)

    def fuse(self, grid: Tensor, there: Tensor, y: Tensor | None) -> Fused:
        """Embeds patients; see :class:`FusionBackbone`."""
        _, code, logits = self.fusion(*self.completed(grid, there)[1:])
        return Fused(code, logits)

    def completed(self, grid: Tensor, there: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The tokens with what stands for absent ones, [B, K d]; the same with noise; and the code's lift, [B, d]."""
        context = masked_mean(grid + self.kind, there)
        weight = F.softplus(self.weigh(context.unsqueeze(1).expand(-1, self.num_modalities, -1))) * self.is_centre
        share = weight / weight.sum(2, keepdim=True).clamp(min=torch.finfo(weight.dtype).tiny)
        found = torch.einsum("bkr,krd->bkd", share, self.bank)
        plain = torch.where(there.unsqueeze(2) > 0, grid, found).flatten(1)
        noisy = plain + self.lifted(self.lift_inputs(context))
        return plain, noisy, self.lifted(self.lift_codes(noisy))

    def lifted(self, value: Tensor) -> Tensor:
        """softplus of the value, with noise in training."""
        return self.noise * F.softplus(value + torch.randn_like(value) if self.training else value)

    def training_loss(self, tokens: Tensor, layout: Layout, y: Tensor | None, criterion: Criterion) -> Tensor:
        """The loss across the two halves; see :class:`~gdsfd.nn.backbones.Backbone`."""
        if not self.meta and not self.inputs and not self.codes:
            return criterion(self(tokens, layout, y))
        grid, there = self.shown(tokens, layout)
        order = torch.randperm(len(grid), device=grid.device)
        first, second = order[: -(-len(order) // 2)], order[-(-len(order) // 2) :]
        second = second[there[second].sum(1) > 1]

        def embed(rows: Tensor, code: Tensor, logits: Tensor) -> Embeddings:
            return Embeddings(code, None, there[rows] > 0, logits=logits)

        _, *whole = self.completed(grid[first], there[first])
        loss = criterion(embed(first, *self.fusion(*whole)[1:]), first)
        _, *thin = self.thinned(grid[first], there[first])
        adapted = self.adapted(criterion(embed(first, *self.fusion(*thin)[1:]), first))
        plain, *thin = self.thinned(grid[second], there[second])
        _, code, logits = functional_call(self.fusion, adapted, tuple(thin))
        loss = loss + self.meta * criterion(embed(second, code, logits), second)
        if self.inputs or self.codes:
            with torch.no_grad():
                full = self.completed(grid[second], there[second])[0]
            codes = [functional_call(self.fusion, adapted, (each, each.new_zeros(())))[0] for each in (plain, full)]
            for weight, one, other in ((self.inputs, plain, full), (self.codes, codes[0], codes[1].detach())):
                loss = loss + weight * (one - other).square().sum() / max(one.numel(), 1)
        return loss

    def thinned(self, grid: Tensor, there: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """:meth:`completed`, of a random proper part of what each patient has."""
        kept = proper_subset(there)
        return self.completed(grid * kept.unsqueeze(2), kept)

    def adapted(self, loss: Tensor) -> dict[str, Tensor]:
        """The fusion network's weights after a step down a loss."""
        weights = dict(self.fusion.named_parameters())
        moves = not (self.first_order or torch.is_autocast_enabled(loss.device.type))
        gradients = torch.autograd.grad(loss, list(weights.values()), create_graph=moves, retain_graph=True)
        return {name: weights[name] - self.inner_rate * gradient for name, gradient in zip(weights, gradients)}

    @torch.no_grad()
    def fit_memory(self, batches: TokenBatches) -> None:
        """Finds centres of each modality's tokens of training patients, none where nobody has it."""
        tokens, there = patient_bank(batches, 4096, self.bank[:, 0].unsqueeze(0)[:0])
        per = torch.full((self.num_modalities,), self.bank.size(1), device=tokens.device)
        group = (there > 0).nonzero()[:, 1]
        centres, whose = kmeans(tokens[there > 0], group, per, generator=torch.Generator().manual_seed(0))
        place = torch.arange(len(whose), device=whose.device) - torch.searchsorted(whose, whose)
        self.bank, self.is_centre = torch.zeros_like(self.bank), torch.zeros_like(self.is_centre)
        self.bank[whose, place], self.is_centre[whose, place] = centres.to(self.bank), 1.0
