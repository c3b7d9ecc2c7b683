"""Encoder of code sets."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from gdsfd.cohort.schema import ModalityFields
from gdsfd.nn.encoders.cells import CellPlan, Cells
from gdsfd.nn.encoders.encoder import register_encoder
from gdsfd.nn.encoders.feature_encoder import FeatureEncoder
from gdsfd.nn.encoders.value_token import LEAST_INDICATOR_SPREAD
from gdsfd.ops import segment_sum

__all__ = ["CodesEncoder"]


@register_encoder("codes")
class CodesEncoder(FeatureEncoder):
    r"""An embedding bag over a patient's set of codes S, with the number of codes beside it.

    .. math:: t = b + \sum_{j \in S} s_j \min(1 / \sigma_j, 5) E_j + w \log(1 + |S|)

    with :math:`s_j` the relevance and :math:`\sigma_j` the standard deviation of code :math:`j`'s indicator: the sparse
    form of :class:`~gdsfd.nn.encoders.feature_token.FeatureToken`. Whole codes are dropped at random in training.
    Our formulation.

    Args:
        fields: The modality's fitted description (kind ``codes``).
        out_channels: Width d of the token.
        dropout: Probability of dropping a code, and of zeroing a hidden unit.

    Shapes:
        - observations: ``run_ptr`` [E + 1], ``code`` [M]
        - output: [E, d]
    """

    prepared = False  # sparse

    def __init__(self, fields: ModalityFields, out_channels: int, dropout: float = 0.25) -> None:
        super().__init__(fields, len(fields.codes) + 3, out_channels, dropout)  # the last feature is the log count
        self.dropout = dropout
        self.num_codes = len(fields.codes) + 2

    def features(self, observations: Mapping[str, Tensor]) -> Tensor:
        """The codes' indicators and the log count, as a sparse matrix [E, codes + 1]."""
        owner, code = _owners(observations), observations["code"].long()
        size = observations["run_ptr"].diff()
        rows = torch.arange(size.numel(), device=code.device)
        place = torch.stack([torch.cat([owner, rows]), torch.cat([code, torch.full_like(rows, self.num_codes)])])
        dtype = self.token.center.dtype
        value = torch.cat([torch.ones(code.numel(), dtype=dtype, device=code.device), torch.log1p(size.to(dtype))])
        return torch.sparse_coo_tensor(
            place, value, (size.numel(), self.num_codes + 1), check_invariants=True
        ).coalesce()

    def forward(self, observations: Mapping[str, Tensor]) -> Tensor:
        """Encodes each observation into one token."""
        code = observations["code"].long()
        size = observations["run_ptr"].diff()
        weight = (self.token.relevance / self.token.spread.clamp(min=LEAST_INDICATOR_SPREAD))[code]
        if self.training and self.dropout:
            weight = weight * (torch.rand_like(weight) >= self.dropout) / (1 - self.dropout)
        table = self.token.linear.weight
        rows = table.t().index_select(0, code) * weight.unsqueeze(-1)
        bag = segment_sum(rows, _owners(observations), size.numel())
        count = torch.log1p(size.to(rows.dtype)) - self.token.center[-1]
        count = count / self.token.spread[-1] * self.token.relevance[-1]
        return self.out(bag + count.unsqueeze(-1) * table[:, -1] + self.token.linear.bias)

    @property
    def in_grid(self) -> bool:
        """Its indicators fit in a grid."""
        same = self.dropout == self.out.dropout  # which is that of whole codes on a grid
        return type(self).forward is CodesEncoder.forward and self._has_usual_parts and same

    def scaled(self, observations: Mapping[str, Tensor]) -> Tensor:
        """The scaled indicators of all codes and the log count, dense; [E, codes + 1]."""
        token = self.token
        scale = token.relevance / token.spread.clamp(min=LEAST_INDICATOR_SPREAD)
        scale[-1] = token.relevance[-1] / token.spread[-1]
        dense = self.features(observations).to_dense()
        dense[:, -1] -= token.center[-1]
        return dense.mul_(scale)

    @property
    def dropped_inputs(self) -> int:
        """Whole codes are dropped, the count is not."""
        return self.num_codes

    @property
    def cell_plan(self) -> CellPlan:
        """A node for the log count, and one per code that a patient has or not."""
        return CellPlan(torch.tensor([[self.num_codes]]), torch.arange(self.num_codes))

    def cells(self, observations: Mapping[str, Tensor]) -> Cells:
        """The log count and the codes of each observation; codes that are rare or new share a node."""
        size = observations["run_ptr"].diff()
        rows = torch.arange(size.numel(), device=size.device)
        count = torch.log1p(size.float())
        node = torch.cat([torch.zeros_like(rows), observations["code"].long() + 1])
        observation, order = torch.sort(torch.cat([rows, _owners(observations)]), stable=True)
        value = torch.cat([count, torch.ones(node.numel() - count.numel(), device=count.device)])
        return Cells(observation, node[order], value[order].unsqueeze(1), rows.numel())


def _owners(observations: Mapping[str, Tensor]) -> Tensor:
    ptr, total = observations["run_ptr"], observations["code"].numel()
    rows = torch.arange(ptr.numel() - 1, device=ptr.device)
    return torch.repeat_interleave(rows, ptr.diff(), output_size=total)
