"""The output of a backbone: patient embeddings, tokens, presence, auxiliary loss, and what heads of its own say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor

__all__ = ["Embeddings", "Part"]


@dataclass(eq=False)
class Part:
    """A prediction beside the main one: of one modality, of a subset of them, of a code that is shared.

    Exactly one of ``logits`` and ``code`` is given.

    Args:
        rows: Whom it speaks of, the others take no part in its loss; bool [B]. Or weights of its loss, as the labels,
            0 for the others; float [B] or [B, outcomes].
        logits: Of a head of the backbone's own; float [B, outputs].
        code: What the predictor's head scores in place of ``Embeddings.pooled``; float [B, d].
    """

    rows: Tensor
    logits: Tensor | None = None
    code: Tensor | None = None


@dataclass(eq=False)
class Embeddings:
    """Patient embeddings of a batch.

    Args:
        pooled: One vector per patient; float [B, d].
        tokens: One vector per edge of the layout, or None when the backbone has none; float [E, d].
        presence: True where a patient has a modality; bool [B, K].
        aux_loss: The backbone's own loss (contrastive, reconstruction), a scalar; None when it has none.
        logits: The scores, of a backbone that has a head of its own (``Backbone.own_logits``); float [B, outputs].
        parts: Predictions beside the main one by name; each is fitted to the outcome, too (``Backbone.parts_weight``).
    """

    pooled: Tensor
    tokens: Tensor | None
    presence: Tensor
    aux_loss: Tensor | None = None
    logits: Tensor | None = None
    parts: Mapping[str, Part] = field(default_factory=dict)

    def tensors(self) -> dict[str, Tensor]:
        """All but the presence, as flat names and tensors: the form in which :func:`torch.vmap` gives them back."""
        found = {"pooled": self.pooled, "tokens": self.tokens, "loss": self.aux_loss, "logits": self.logits}
        for name, part in self.parts.items():
            found |= {f"rows of {name}": part.rows, f"logits of {name}": part.logits, f"code of {name}": part.code}
        return {name: value for name, value in found.items() if value is not None}

    @classmethod
    def of(cls, tensors: Mapping[str, Tensor], presence: Tensor) -> Embeddings:
        """The embeddings that :meth:`tensors` was asked of; other names are passed over."""
        names = [name.removeprefix("rows of ") for name in tensors if name.startswith("rows of ")]
        parts = {
            name: Part(tensors[f"rows of {name}"], tensors.get(f"logits of {name}"), tensors.get(f"code of {name}"))
            for name in names
        }
        known = [tensors.get(name) for name in ("tokens", "loss", "logits")]
        return cls(tensors["pooled"], known[0], presence, known[1], known[2], parts)
