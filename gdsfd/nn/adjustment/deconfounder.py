"""Strata, their prototypes and the head that is averaged over them, as one part of a predictor."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from gdsfd.nn.adjustment.adjustment import Adjustment
from gdsfd.nn.adjustment.config import PrototypeConfig
from gdsfd.nn.adjustment.fusion import Add, build_fusion
from gdsfd.nn.adjustment.prototypes import Prototypes
from gdsfd.nn.adjustment.strata import StratumGroups

__all__ = ["Deconfounder"]


class Deconfounder(nn.Module):
    r"""A head on pairs of a patient's code and a stratum's centre, and its average over strata.

    In training the head learns the outcome given a patient's code and the patient's own stratum,
    :math:`f_y(z_c, c_{s(i)})`; predictions are :math:`P(y \mid do(x)) = \sum_s P(s) f_y(z_c, c_s)`. Until the
    prototypes are fitted there is one stratum with centre 0.

    Args:
        channels: Width d of codes.
        outputs: Number of outputs.
        config: What strata are, and how they are used.
        multiclass: Whether the outputs are classes of one outcome.
        dropout: Of numbers of the code.

    References:
        Our formulation (METHODS 2.3).
    """

    def __init__(
        self, channels: int, outputs: int, config: PrototypeConfig, multiclass: bool = False, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.config = config
        self.groups = StratumGroups()
        self.prototypes = Prototypes(channels, config)
        self.fusion = build_fusion(config.fusion, channels, outputs, dropout=dropout)
        self.base = nn.Parameter(torch.zeros(outputs)) if config.fit == "offset" else None
        self.adjustment = Adjustment(
            config.estimator,
            channels,
            multiclass,
            config.draws,
            config.allocation,
            config.per_patient,
            config.jitter,
        )

    @torch.no_grad()
    def strata(self, source: Tensor, group: Tensor) -> Tensor:
        """The stratum of each patient; int64 [B].

        Args:
            source: Embeddings that strata are clusters of, [B, d].
            group: Groups of the patients, int64 [B].
        """
        if self.prototypes.num_strata == 0:
            return torch.zeros_like(group)
        return self.prototypes.assign(source, group)

    @property
    def centers(self) -> tuple[Tensor, Tensor]:
        """Centres [S, d] and masses [S] in the head's type; one stratum with centre 0 before a fit."""
        table = self.prototypes
        if table.num_strata == 0:
            center, mass = table.mean.new_zeros(1, table.mean.numel()), table.mean.new_ones(1)
        else:
            center, mass = table.center, table.mass
        dtype = next(self.fusion.parameters()).dtype  # prototypes are in single precision, a head may be in double
        return center.to(dtype), mass.to(dtype)

    def own(self, code: Tensor, stratum: Tensor) -> Tensor:
        """Logits given each patient's own stratum, [B, outputs]."""
        return self.fusion.own(code, self.centers[0].index_select(0, stratum))

    def offset(self, code: Tensor, stratum: Tensor) -> tuple[Tensor, Tensor]:
        """The patient's and the stratum's part of the logits (``fit="offset"``), each [B, outputs]."""
        fusion = cast(Add, self.fusion)
        center = self.centers[0].index_select(0, stratum)
        return fusion.patient_part(fusion.dropout(code)), fusion.stratum_part(center)

    def stratum_logits(self, stratum: Tensor) -> Tensor:
        """What the stratum alone says of the outcome (``fit="offset"``), [B, outputs]."""
        assert self.base is not None
        return self.base + cast(Add, self.fusion).stratum_part(self.centers[0].index_select(0, stratum))

    def start_from(self, bias: Tensor) -> None:
        """Sets the biases of the outputs, [outputs]."""
        self.fusion.start_from(bias)
        if self.base is not None:
            with torch.no_grad():
                self.base.copy_(bias)

    def forward(self, code: Tensor) -> Tensor:
        """Logits of the average over strata, [B, outputs].

        Args:
            code: Patients' codes, [B, d].
        """
        center, mass = self.centers
        table, group, spread = self.prototypes, None, None
        if table.num_strata:
            group, spread = table.group, table.spread.to(center.dtype)
        return self.adjustment(self.fusion, code, center, mass, group, spread)
