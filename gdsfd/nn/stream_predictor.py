"""The dual-stream predictor: a backbone split into a causal and a biased stream."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from gdsfd.cohort.schema import CohortSchema
from gdsfd.errors import InputError
from gdsfd.graph.grid_layout import Layout
from gdsfd.nn.adjustment.adjustment import Adjustment, build_adjustment
from gdsfd.nn.adjustment.stratified_adjustment import StratifiedAdjustment
from gdsfd.nn.backbones import Backbone, build_backbone
from gdsfd.nn.embeddings import Embeddings
from gdsfd.nn.encoders.event_sequence import SequenceName
from gdsfd.nn.predictor import Batch, Prediction, Predictor
from gdsfd.nn.streams.config import StreamConfig
from gdsfd.nn.streams.dual_streams import DualStreams
from gdsfd.nn.streams.mask import build_mask
from gdsfd.nn.streams.pattern_intervention import PatternIntervention
from gdsfd.ops.over_ranks import sum_over_ranks

__all__ = ["StreamPrediction", "StreamPredictor"]


@dataclass(eq=False)
class StreamPrediction(Prediction):
    """Scores of a batch by both heads.

    Args:
        logits: Of the causal head, which is what is predicted; float [B, outputs].
        embeddings: What the causal backbone returned.
        biased_logits: Of the biased head; float [B, outputs].
        causal: Codes of the causal stream, [B, d].
        biased: Codes of the biased stream, [B, d].
        mask: The causal stream's share of each edge, [E, d] or [E, 1].
        source: What an adjustment is fitted on, the biased codes without gradient, [B, d]; None without one.
        reduced: Codes of the causal stream under a re-drawn pattern, [B, d] (training with ``intervention`` only).
    """

    biased_logits: Tensor
    causal: Tensor
    biased: Tensor
    mask: Tensor
    source: Tensor | None = None
    reduced: Tensor | None = None


class StreamPredictor(Predictor):
    """Encoders shared by two streams, each with a backbone and a head of its own.

    With a joint head each head also reads the other stream's code without gradient, so that it trains its own encoder
    only. The first (and only) layer of a head is a sum of one map per code: no concatenation is formed.

    Args:
        schema: The cohort's fitted description.
        backbone: Name of the backbone; each stream gets one.
        channels: Width d.
        dropout: Dropout probability.
        sequence: Whether events are also read by a recurrence over time.
        options: The backbone's own options.
        streams: The parts of the debiasing mode; default: ``StreamConfig()``.
        num_suspects: Number of codes of each declared suspect.
        encoder_options: Kind of modality -> its encoder's own options.
    """

    mean_biased: Tensor

    def __init__(
        self,
        schema: CohortSchema,
        backbone: str = "muse",
        channels: int = 128,
        dropout: float = 0.25,
        sequence: SequenceName = "none",
        options: Mapping[str, Any] | None = None,
        streams: StreamConfig | None = None,
        num_suspects: Sequence[int] = (),
        encoder_options: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        super().__init__(schema, backbone, channels, dropout, sequence, options, encoder_options)
        streams = streams or StreamConfig()
        first = self.backbone
        del self.backbone
        self.out.requires_grad_(True)
        self.parts_weight = first.parts_weight

        def make() -> Backbone:
            made = build_backbone(backbone, channels, first.num_modalities, dropout, **(options or {}))
            made.set_task(self.task)
            return made

        reads_tokens = first.streams_on == "tokens"
        causal = build_backbone("muse", channels, first.num_modalities, dropout) if reads_tokens else None
        biased = None
        if first.streams_on != "pooled":
            biased = build_backbone("muse", channels, first.num_modalities, dropout) if reads_tokens else make()
        mask = None
        if first.streams_on != "pooled":
            mask = build_mask(streams.mask, channels, first.num_modalities, **streams.mask_arguments)
        elif streams.mask != "learned":
            raise InputError(
                f"debias setting 'mask': the backbone {backbone!r} has its streams on one vector per patient, which "
                f"pass gates; it takes no mask, got {streams.mask!r}"
            )
        self.streams = DualStreams(first, causal, biased, mask)
        self.evaluate_with = streams.evaluate_with
        self.biased_out = nn.Linear(channels, self.num_outputs)
        joint = streams.head == "joint"
        self.out_biased = nn.Linear(channels, self.num_outputs, bias=False) if joint else None
        joint = streams.biased_head == "joint"
        self.biased_out_causal = nn.Linear(channels, self.num_outputs, bias=False) if joint else None
        kept = num_suspects if streams.suspect_weight else ()
        self.suspect_out = nn.ModuleList(nn.Linear(channels, codes) for codes in kept)
        self.register_buffer("mean_biased", torch.zeros(channels))
        self.adjustment: Adjustment | None = None
        if streams.adjusts:
            sizes = (channels, self.num_outputs, schema.multiclass, dropout)
            self.adjustment = build_adjustment(streams.adjusts_by, *sizes, **streams.adjustment_arguments)
        self.register_load_state_dict_pre_hook(_read_earlier_names)
        self.intervention = PatternIntervention(schema, self.cells is not None) if streams.intervention else None

    body_part = "streams"

    def _why_no_grid_backbone(self) -> str:
        return self.streams.why_no_grid()

    def body(self, tokens: Tensor, layout: Layout, batch: Batch) -> Mapping[str, Tensor]:
        """What the heads read of tokens and their layout; see :meth:`Predictor.body`.

        Returns:
            ``causal`` and ``biased`` [B, d], ``mask``, and where there are any ``reduced`` and what the causal backbone
            returned (:meth:`Embeddings.tensors`; the biased one's losses and parts are left out).
        """
        codes = self.streams(tokens, layout, batch.y if self.training else None)
        reduced = None
        if self.intervention is not None and self.training:
            reduced = self.streams(*self.intervention(tokens, layout, batch.layout.presence)).causal
        found = codes.embeddings.tensors()
        del found["pooled"]
        found |= {"causal": codes.causal, "biased": codes.biased, "mask": codes.mask}
        return found if reduced is None else {**found, "reduced": reduced}

    def heads(self, body: Mapping[str, Tensor], presence: Tensor) -> StreamPrediction:
        """Both heads' scores from what :meth:`body` gave; see :meth:`Predictor.heads`."""
        causal, biased = body["causal"], body["biased"]
        seen = biased
        if not self.training and self.evaluate_with == "mean":
            seen = self.mean_biased.expand_as(seen)
        logits = None
        if self.adjustment is not None and not self.training:
            logits = self.adjustment(causal)
        embeddings = Embeddings.of({**body, "pooled": causal}, presence)
        logits = self.causal_logits(causal, seen) if logits is None else logits
        # A trunk's codes are not the causal stream's; and with an adjustment, which reads strata, the objective scores.
        scored = self.streams.place == "input" and self.adjustment is None
        head = (lambda code: self.causal_logits(code, seen)) if scored else None
        return StreamPrediction(
            logits=logits,
            embeddings=embeddings,
            parts=self.parts(embeddings, head),
            parts_weight=self.parts_weight,
            biased_logits=self.biased_logits(causal, biased),
            causal=causal,
            biased=biased,
            mask=body["mask"],
            source=None if self.adjustment is None else biased.detach(),
            reduced=body.get("reduced"),
        )

    @property
    def deconfounder(self) -> StratifiedAdjustment | None:
        """The adjustment over strata; None where there is none, or one of a plug-in."""
        return self.adjustment if isinstance(self.adjustment, StratifiedAdjustment) else None

    def causal_logits(self, causal: Tensor, biased: Tensor) -> Tensor:
        """The causal head on any pair of codes; gradients reach the causal one only."""
        logits = self.out(self.dropout(causal))
        return logits if self.out_biased is None else logits + self.out_biased(self.dropout(biased.detach()))

    def biased_logits(self, causal: Tensor, biased: Tensor) -> Tensor:
        """The biased head on any pair of codes; gradients reach the biased one only."""
        logits = self.biased_out(self.dropout(biased))
        if self.biased_out_causal is None:
            return logits
        return logits + self.biased_out_causal(self.dropout(causal.detach()))

    @property
    def has_memory(self) -> bool:
        """Whether :meth:`fit_memory` has anything to fit."""
        return self.streams.has_memory or self._has_mean

    @property
    def _has_mean(self) -> bool:
        return self.out_biased is not None and self.evaluate_with == "mean"

    @torch.no_grad()
    def fit_memory(self, batches: Callable[[], Iterable[Batch]]) -> None:
        """Fits the backbones' states and the mean biased code on training patients."""
        mode = self.training
        self.eval()
        if self.streams.has_memory:
            self.streams.fit_memory(lambda: (self.inputs(batch) for batch in batches()))
        if self._has_mean:
            total, count = torch.zeros_like(self.mean_biased), 0
            for batch in batches():
                biased = self.streams(*self.inputs(batch)).biased
                total += biased.sum(0)
                count += biased.size(0)
            total, everybody = sum_over_ranks(total, total.new_tensor([count]))
            self.mean_biased.copy_(total / everybody.clamp(min=1))
        self.train(mode)

    def start_from(self, bias: Tensor) -> None:
        """Sets both heads' biases."""
        super().start_from(bias)
        if self.adjustment is not None:
            self.adjustment.start_from(bias)
        with torch.no_grad():
            self.biased_out.bias.copy_(bias)


def _read_earlier_names(module: nn.Module, state: dict[str, Any], prefix: str, *rest: Any) -> None:
    """Names of weights as models of earlier versions have them."""
    for name in [name for name in state if name.startswith(f"{prefix}deconfounder.")]:
        state[f"{prefix}adjustment.{name.removeprefix(f'{prefix}deconfounder.')}"] = state.pop(name)
