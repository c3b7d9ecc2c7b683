"""What learners share that fuse a grid of tokens: hiding in training, absent places masked, parts by modality."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from torch import Tensor

from gdsfd.graph.grid_layout import Layout
from gdsfd.nn.backbones.backbone import Backbone, Task
from gdsfd.nn.embeddings import Embeddings, Part
from gdsfd.nn.fusion.masked import masked_grid
from gdsfd.setting_checks import Number

__all__ = ["Fused", "FusionBackbone"]


@dataclass(eq=False)
class Fused:
    """What a learner makes of a grid; the fields are those of :class:`~gdsfd.nn.embeddings.Embeddings`."""

    pooled: Tensor
    logits: Tensor | None = None
    parts: Mapping[str, Part] = field(default_factory=dict)
    aux_loss: Tensor | None = None


class FusionBackbone(Backbone):
    """A backbone that is a function :meth:`fuse` of the grid of a patient's tokens and of which are there.

    The function has no data-dependent shape or branch, so batches may have fixed shapes and members run in one pass.

    Args:
        channels: Width d.
        num_modalities: Number of modalities K.
        dropout: Dropout probability.
        edge_drop: Probability of hiding an observation in training.
    """

    takes_grid = True

    def __init__(
        self,
        channels: int,
        num_modalities: int,
        dropout: float = 0.25,
        edge_drop: Annotated[float, Number(0, 1, below=True)] = 0.15,
    ) -> None:
        super().__init__(channels, num_modalities, dropout)
        self.edge_drop = edge_drop
        self.modality_names = tuple(f"modality {number + 1}" for number in range(num_modalities))

    @abstractmethod
    def fuse(self, grid: Tensor, there: Tensor, y: Tensor | None) -> Fused:
        """Embeds patients.

        Args:
            grid: Tokens, exactly 0 where absent; float [B, K, d].
            there: 1 where a patient has a modality, else 0; float [B, K].
            y: Labels (training only); see :meth:`Backbone.forward`.
        """

    def set_task(self, task: Task) -> None:
        """Takes the modalities' names."""
        if len(task.modalities) == self.num_modalities:
            self.modality_names = task.modalities

    def forward(self, tokens: Tensor, layout: Layout, y: Tensor | None = None) -> Embeddings:
        """Embeds a batch of patients; see :class:`Backbone`."""
        found = self.fuse(*self.shown(tokens, layout), y)
        return Embeddings(found.pooled, tokens, layout.presence, found.aux_loss, found.logits, found.parts)

    def shown(self, tokens: Tensor, layout: Layout) -> tuple[Tensor, Tensor]:
        """The grid and who has what, as :meth:`fuse` takes them; in training without what was drawn to be hidden."""
        shown, kept = layout.hide(self.edge_drop) if self.training and self.edge_drop else (layout, None)
        return masked_grid(tokens if kept is None else tokens.index_select(0, kept), shown)

    def of_each(self, logits: Tensor, there: Tensor) -> dict[str, Part]:
        """Parts of single modalities.

        Args:
            logits: float [B, K, outputs].
            there: 1 where present, else 0; [B, K].
        """
        columns = zip(self.modality_names, logits.unbind(1), (there > 0).unbind(1))
        return {name: Part(rows, mine) for name, mine, rows in columns}
