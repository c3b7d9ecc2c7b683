"""The back-door adjustment over strata: a head on pairs of a code and a stratum's centre, averaged over strata."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gdsfd.nn.adjustment.adjustment import Adjustment, register_adjustment
from gdsfd.nn.adjustment.averaged_logits import adjusted_logits
from gdsfd.nn.adjustment.config import PrototypeConfig
from gdsfd.nn.adjustment.prototypes import Prototypes
from gdsfd.nn.adjustment.sampling import Draws, draw, order_of_strata
from gdsfd.nn.adjustment.stratum_groups import StratumGroups
from gdsfd.nn.adjustment.stratum_head import StratumHead

__all__ = ["StratifiedAdjustment"]

#: Patients whose predictions under all strata order the strata before drawing.
_PILOT = 16


@register_adjustment("prototypes")
class StratifiedAdjustment(Adjustment):
    r"""A head on pairs of a patient's code and a stratum's centre, and its average over strata.

    In training the head learns the outcome given a patient's code and the patient's own stratum,
    :math:`f_y(z_c, c_{s(i)})`; predictions are :math:`P(y \mid do(x)) = \sum_s P(s) f_y(z_c, c_s)`. Until the
    prototypes are fitted there is one stratum with centre 0.

    Args:
        channels: Width d of codes.
        outputs: Number of outputs.
        multiclass: Whether the outputs are classes of one outcome.
        dropout: Of numbers of the code.
        **settings: Fields of :class:`~gdsfd.nn.adjustment.config.PrototypeConfig`.

    References:
        Our formulation (METHODS 2.3).
    """

    def __init__(
        self, channels: int, outputs: int, multiclass: bool = False, dropout: float = 0.0, **settings: Any
    ) -> None:
        super().__init__(channels, outputs, multiclass, dropout)
        self.config = PrototypeConfig(**settings)
        self.refit_every = self.config.refit_every
        self.groups = StratumGroups()
        self.prototypes = Prototypes(channels, self.config)
        self.fusion = StratumHead(channels, outputs, dropout=dropout)

    @torch.no_grad()
    def fit(self, source: Tensor, group: Tensor | None) -> None:
        """Works the strata out; see :meth:`Prototypes.fit`."""
        assert group is not None, "Targets.group is missing; gdsfd.training.suspects.strata.fit_strata gives it"
        self.prototypes.fit(source, group)

    @torch.no_grad()
    def training_strata(self, source: Tensor, group: Tensor | None) -> Tensor | None:
        """The nearest centre of each patient's own group, int64 [B]; None where the average itself is trained."""
        return self.strata(source, group) if self.config.fit == "own" else None

    @torch.no_grad()
    def strata(self, source: Tensor, group: Tensor | None) -> Tensor:
        """The stratum of each patient; int64 [B].

        Args:
            source: Embeddings that strata are clusters of, [B, d].
            group: Groups of the patients, int64 [B].
        """
        assert group is not None, "Targets.group is missing; gdsfd.training.suspects.strata.fit_strata gives it"
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

    def outcome_logits(self, code: Tensor, stratum: Tensor | None) -> Tensor:
        """Logits given each patient's own stratum, [B, outputs]; without strata the average."""
        return self(code) if stratum is None else self.own(code, stratum)

    def own(self, code: Tensor, stratum: Tensor) -> Tensor:
        """Logits given one stratum for each patient, [B, outputs]."""
        return self.fusion.own(code, self.centers[0].index_select(0, stratum))

    def start_from(self, bias: Tensor) -> None:
        """Sets the biases of the outputs, [outputs]."""
        self.fusion.start_from(bias)

    def forward(self, code: Tensor) -> Tensor:
        """Logits of the average over strata, [B, outputs]: over draws in training where asked for, else over all."""
        center, weight = self.centers
        draws = self.config.draws
        if self.training and self.config.estimator == "sampled" and code.size(0) and center.size(0) > draws:
            drawn = self.sample(code)
            center, weight = drawn.centers, drawn.weight
        return adjusted_logits(self.fusion(code, center), weight, self.multiclass)

    @torch.no_grad()
    def sample(self, code: Tensor, generator: torch.Generator | None = None) -> Draws:
        """The draws of one step, in the order of what the first patients are predicted under each stratum.

        Args:
            code: Patients' codes, [B, d].
            generator: Of draws; default: torch's global one.
        """
        center, mass = self.centers
        table = self.prototypes
        group = table.group if table.num_strata else torch.zeros_like(mass, dtype=torch.int64)
        logits = self.fusion.pairs(code[:_PILOT], center)  # without dropout
        outcome = logits.softmax(-1) if self.multiclass else logits.sigmoid()
        score = order_of_strata(outcome.to(mass.dtype), mass)
        return draw(center, mass, group, self.config.draws, generator, score)
