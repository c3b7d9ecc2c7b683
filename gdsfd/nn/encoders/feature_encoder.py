"""Encoders on features without weights, which are computed once for all patients."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping

from torch import Tensor

from gdsfd.cohort.schema import ModalityFields
from gdsfd.nn.encoders.cells import CellPlan, Cells
from gdsfd.nn.encoders.encoder import Encoder
from gdsfd.nn.encoders.feature_token import FeatureToken, ResidualToken

__all__ = ["FeatureEncoder"]


class FeatureEncoder(Encoder):
    """Observations to tokens, by way of features that do not depend on weights.

    Args:
        fields: The modality's fitted description.
        num_features: Features F of an observation.
        out_channels: Width d of the token.
        dropout: Probability of zeroing a hidden unit.
    """

    #: Whether the features are dense enough to be worked out once for all patients.
    prepared: bool = True

    def __init__(self, fields: ModalityFields, num_features: int, out_channels: int, dropout: float) -> None:
        super().__init__(fields, out_channels, dropout)
        self.token = FeatureToken(num_features, out_channels)
        self.out = ResidualToken(out_channels, dropout)

    @property
    def also_reads(self) -> tuple[str, ...]:
        """Pointers of the packed runs that are read beside the features; none by default."""
        return ()

    @abstractmethod
    def features(self, observations: Mapping[str, Tensor]) -> Tensor:
        """Features of each observation, [E, F]; the tensor ``"features"`` itself where it was worked out before."""

    @property
    @abstractmethod
    def cell_plan(self) -> CellPlan:
        """The feature nodes of this modality, and which features the values of their cells are.

        The kind names them in the same order (``ModalityKind.cell_names``).
        """

    @abstractmethod
    def cells(self, observations: Mapping[str, Tensor]) -> Cells:
        """Each measured value of each observation by itself."""

    def cell_runs(self, observations: Mapping[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """:meth:`cells` as packed runs: how many cells each observation has, and the tensors that are packed."""
        return self.cells(observations).runs()

    def read_cells(self, observations: Mapping[str, Tensor]) -> Cells:
        """:meth:`cells`, or what was worked out before and stands under ``"cell_ptr"``."""
        if "cell_ptr" not in observations:
            return self.cells(observations)
        return Cells.from_runs(*(observations[key] for key in ("cell_ptr", "cell_node", "cell_value")))

    def forward(self, observations: Mapping[str, Tensor]) -> Tensor:
        """Encodes each observation into one token, [E, d]."""
        return self.out(self.token(self.features(observations)))

    @property
    def maps_features(self) -> bool:
        """Whether a token is ``out(token.linear(scaled(...)))`` and nothing else, with parts of this package."""
        return type(self).forward is FeatureEncoder.forward and self._has_usual_parts

    @property
    def in_grid(self) -> bool:
        """Whether tokens can be worked out on a grid, from :meth:`scaled` with :attr:`dropped_inputs`."""
        return self.maps_features

    @property
    def _has_usual_parts(self) -> bool:
        """Whether the two maps are those of this package and not a subclass's own."""
        return type(self.token) is FeatureToken and type(self.out) is ResidualToken

    def scaled(self, observations: Mapping[str, Tensor]) -> Tensor:
        """What the map to tokens reads, worked out once for all patients; no weight has a part in it; [E, F]."""
        return self.token.scale(self.features(observations))

    @property
    def dropped_inputs(self) -> int:
        """How many of the first columns of :meth:`scaled` are zeroed at random in training, as dropout does."""
        return 0
