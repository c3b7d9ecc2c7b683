"""Encoder of code sets."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from gdsfd.cohort.fields import ModalityFields
from gdsfd.ops import segment_sum

__all__ = ["CodesEncoder"]


class CodesEncoder(nn.Module):
    r"""An embedding bag over a patient's set of codes.

    .. math:: h = \frac{1}{\sqrt{n}} \sum_{j \in S} E_j + w \log(1 + n)

    with :math:`n = |S|` the number of codes: a plain sum grows with the length of the record, a mean forgets it. Whole
    codes are dropped at random in training. Our formulation.

    Args:
        fields: The modality's fitted description (kind ``codes``).
        out_channels: Width d of the token.
        dropout: Probability of dropping a code, and of zeroing a hidden unit.

    Shapes:
        - observations: ``ptr`` [E + 1], ``code`` [M]
        - output: [E, d]
    """

    def __init__(self, fields: ModalityFields, out_channels: int, dropout: float = 0.25) -> None:
        super().__init__()
        self.dropout = dropout
        self.table = nn.Embedding(len(fields.codes) + 2, out_channels)
        self.count = nn.Linear(1, out_channels)
        self.out = nn.Sequential(nn.GELU(), nn.Dropout(dropout), nn.Linear(out_channels, out_channels))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Small embeddings, so that rare codes start near 0."""
        nn.init.normal_(self.table.weight, std=0.1)

    def forward(self, observations: Mapping[str, Tensor]) -> Tensor:
        """Encodes each observation into one token."""
        ptr, code = observations["ptr"], observations["code"]
        size = ptr[1:] - ptr[:-1]
        num_observations = size.numel()
        owner = torch.repeat_interleave(
            torch.arange(num_observations, device=code.device), size, output_size=code.numel()
        )
        rows = self.table(code)
        if self.training and self.dropout:
            kept = torch.rand(code.numel(), 1, device=code.device) >= self.dropout
            rows = rows * kept / (1 - self.dropout)
        amount = size.to(rows.dtype).unsqueeze(-1)
        bag = segment_sum(rows, owner, num_observations) / amount.clamp(min=1).sqrt()
        return self.out(bag + self.count(torch.log1p(amount)))
