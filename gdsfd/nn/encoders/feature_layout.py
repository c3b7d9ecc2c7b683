"""The edges of a batch with the features that their tokens are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from gdsfd.graph.edge_layout import EdgeLayout

__all__ = ["FeatureLayout"]


@dataclass(eq=False)
class FeatureLayout(EdgeLayout):
    """An :class:`EdgeLayout` for backbones that read features (``Backbone.reads_features``).

    With fewer edges (:meth:`EdgeLayout.take`) it is a plain layout again.

    Args:
        features: For each modality the standardised features of its edges, in their order; float [E_k, F_k]. F_k is 0
            for an encoder that has none.
    """

    features: Sequence[Tensor]

    @classmethod
    def of(cls, layout: EdgeLayout, features: Sequence[Tensor]) -> FeatureLayout:
        """A layout's edges with features."""
        places = layout.patient, layout.modality, layout.modality_ptr
        return cls(*places, layout.num_patients, layout.num_modalities, features)
