"""Dual streams: two encoders on complementary parts of the same observations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from gdsfd.errors import InputError
from gdsfd.graph.grid_layout import GridLayout, Layout
from gdsfd.nn.backbones.backbone import Backbone, TokenBatches
from gdsfd.nn.embeddings import Embeddings
from gdsfd.nn.streams.gates import PooledGates
from gdsfd.nn.streams.mask import Mask

__all__ = ["DualStreams", "StreamCodes", "swapped"]


@dataclass(eq=False)
class StreamCodes:
    """What the streams make of a batch.

    Args:
        causal: Patient codes of the causal stream, [B, d].
        biased: Of the biased stream, [B, d].
        mask: The causal stream's share of each edge, [E, d] or [E, 1], or of each patient's code, [B, d].
        embeddings: What the causal backbone returned (or the one backbone both streams stand on).
    """

    causal: Tensor
    biased: Tensor
    mask: Tensor
    embeddings: Embeddings


def swapped(biased: Tensor) -> tuple[Tensor, Tensor]:
    """Every patient's biased code replaced by another patient's; the permutation is drawn from the global generator.

    Args:
        biased: Biased codes, [B, d].

    Returns:
        The codes in their new places, and whose they are; int64 [B]. A batch of one keeps its own.

    References:
        Counterfactual samples of DisC (NeurIPS 2022) and DisEnt (Lee et al., NeurIPS 2021).
    """
    other = torch.randperm(biased.size(0), device=biased.device)
    return biased.index_select(0, other), other


class DualStreams(nn.Module):
    """Splits observations by a mask and encodes the parts with separate weights, on any backbone.

    Where the streams stand is the backbone's to say (:attr:`Backbone.streams_on`):

    - ``"input"`` (default): the mask is put on the tokens that enter, and there are two backbones. A backbone that
      takes masks (:attr:`Backbone.takes_mask`) normalises its messages by their sum; any other gets the tokens times
      twice the mask, which starts as the tokens themselves.
    - ``"tokens"``: one backbone; the mask is put on the tokens it returns (one per edge, or [B, K, d]), and two further
      backbones read them.
    - ``"pooled"``: one backbone; its pooled vector passes two complementary gates and two small networks.

    Args:
        backbone: Encodes the causal part; with ``"tokens"`` and ``"pooled"`` the trunk of both streams.
        causal: Reads causal tokens (``"tokens"`` only).
        biased: Encodes or reads the biased part (not with ``"pooled"``).
        mask: Splits the tokens (not with ``"pooled"``).

    Raises:
        InputError: A mask is missing, or is given for streams on a pooled vector, which pass gates.
    """

    def __init__(
        self, backbone: Backbone, causal: Backbone | None, biased: Backbone | None, mask: Mask | None = None
    ) -> None:
        super().__init__()
        self.place = backbone.streams_on
        self.backbone = backbone
        self.causal = causal
        self.biased = biased
        if (mask is None) != (self.place == "pooled"):
            raise InputError(
                f"streams on {self.place!r} of {type(backbone).__name__}: expected "
                f"{'no mask, got one' if mask is not None else 'a mask, got none'}"
            )
        self.masker = PooledGates(backbone.channels, backbone.dropout) if mask is None else mask

    def forward(self, tokens: Tensor, layout: Layout, y: Tensor | None = None) -> StreamCodes:
        """Encodes a batch; the arguments are those of :meth:`Backbone.forward`."""
        if self.place == "input":
            assert isinstance(self.masker, Mask)
            assert self.biased is not None
            mask = self.masker(tokens, layout)
            embeddings = _masked(self.backbone, tokens, layout, y, mask)
            biased = _masked(self.biased, tokens, layout, None, 1 - mask)
            return StreamCodes(embeddings.pooled, biased.pooled, mask, embeddings)
        embeddings = self.backbone(tokens, layout, y)
        if self.place == "pooled":
            assert isinstance(self.masker, PooledGates)
            causal, other, gate = self.masker(embeddings.pooled)
            return StreamCodes(causal, other, gate, embeddings)
        assert isinstance(self.masker, Mask)
        assert self.causal is not None
        assert self.biased is not None
        seen = on_edges(embeddings, layout)
        mask = self.masker(seen, layout)
        parts = [
            _masked(reader, seen, layout, None, part) for reader, part in ((self.causal, mask), (self.biased, 1 - mask))
        ]
        return StreamCodes(parts[0].pooled, parts[1].pooled, mask, embeddings)

    def why_no_grid(self) -> str:
        """Why a part does not take batches in fixed shapes, in words; empty where all do."""
        for part in (self.backbone, self.causal, self.biased):
            if part is not None and (why := part.why_no_grid()):
                return why
        lists = isinstance(self.masker, Mask) and not self.masker.takes_grid
        return f"{type(self.masker).__name__} reads a list of edges" if lists else ""

    @property
    def has_memory(self) -> bool:
        """Whether any backbone inside keeps something of the training patients."""
        return any(part.has_memory for part in (self.backbone, self.causal, self.biased) if part is not None)

    @torch.no_grad()
    def fit_memory(self, batches: TokenBatches) -> None:
        """Lets the backbones inside fit what inference needs to know of training patients."""
        if self.place != "input":
            self.backbone.fit_memory(batches)
        if self.place == "pooled":
            return
        assert isinstance(self.masker, Mask)
        causal = self.backbone if self.place == "input" else self.causal
        for part, complement in ((causal, False), (self.biased, True)):
            if part is not None and part.has_memory:
                part.fit_memory(partial(self._masked_batches, batches, part, complement))

    def _masked_batches(self, batches: TokenBatches, part: Backbone, complement: bool) -> Iterator[tuple[Any, ...]]:
        assert isinstance(self.masker, Mask)
        for tokens, layout, *_ in batches():
            if self.place == "tokens":
                tokens = on_edges(self.backbone(tokens, layout), layout)
            mask = self.masker(tokens, layout)
            mask = 1 - mask if complement else mask
            yield (tokens, layout, _narrow(mask)) if part.takes_mask else (2 * mask * tokens, layout)


def on_edges(embeddings: Embeddings, layout: Layout) -> Tensor:
    """A backbone's tokens, one per edge; those of shape [B, K, d] are read at the edges."""
    tokens = embeddings.tokens
    assert tokens is not None
    if isinstance(layout, GridLayout):
        return tokens
    return tokens[layout.patient, layout.modality] if tokens.dim() == 3 else tokens


def _masked(backbone: Backbone, tokens: Tensor, layout: Layout, y: Tensor | None, mask: Tensor) -> Embeddings:
    if backbone.takes_mask:
        return backbone(tokens, layout, y, mask=_narrow(mask))
    return backbone(2 * mask * tokens, layout, y)


def _narrow(mask: Tensor) -> Tensor:
    """One number per edge as [E], or [K, B] on a grid: the form in which messages take it."""
    return mask.squeeze(-1) if mask.size(-1) == 1 else mask
