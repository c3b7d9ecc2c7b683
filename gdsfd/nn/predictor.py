"""The predictor: encoders, backbone and head as one module."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from gdsfd.cohort.schema import CohortSchema
from gdsfd.errors import InputError
from gdsfd.graph.grid_batch import GridBatch
from gdsfd.graph.grid_layout import Layout
from gdsfd.graph.patient_batch import PatientBatch
from gdsfd.graph.patient_store import PatientStore
from gdsfd.large_arrays import without_room
from gdsfd.nn.all_patients import all_patients
from gdsfd.nn.backbones import Backbone, Task, backbone_level, build_backbone
from gdsfd.nn.dropout import Dropout
from gdsfd.nn.embeddings import Embeddings
from gdsfd.nn.encoders import CellTokens, Encoder, FeatureEncoder, build_encoder
from gdsfd.nn.encoders.event_sequence import SequenceName
from gdsfd.nn.encoders.feature_layout import FeatureLayout
from gdsfd.nn.encoders.token_grid import TokenGrid
from gdsfd.nn.encoders.token_list import token_list
from gdsfd.nn.relevance import FeatureStatistics, outcome_columns
from gdsfd.ops.choose import FEW_EDGES
from gdsfd.ops.over_ranks import own_draws

__all__ = ["Batch", "Prediction", "Predictor"]

#: What a network scores: patients with their lists of observations, or in fixed shapes.
Batch = PatientBatch | GridBatch

INPUT_STD = 0.5


@dataclass(eq=False)
class Prediction:
    """Scores of a batch.

    Args:
        logits: float [B, outputs]: one per outcome (binary, multi-label), or one per class.
        embeddings: What the backbone returned.
        parts: Name of a prediction beside the main one -> its logits, [B, outputs], and whom it speaks of (``rows`` of
            :class:`~gdsfd.nn.embeddings.Part`).
        parts_weight: Weight of each part's loss.
    """

    logits: Tensor
    embeddings: Embeddings
    parts: Mapping[str, tuple[Tensor, Tensor]] = field(default_factory=dict, kw_only=True)
    parts_weight: float = field(default=0.0, kw_only=True)


class Predictor(nn.Module):
    """Encodes each modality, embeds each patient, and scores the outcomes.

    Args:
        schema: The cohort's fitted description; fixes columns, vocabularies and scales.
        backbone: Name of the backbone.
        channels: Width d.
        dropout: Dropout probability.
        sequence: The view over time by which events are also read, or ``"none"``.
        options: The backbone's own options.
        encoder_options: Kind of modality -> its encoder's own options.
    """

    def __init__(
        self,
        schema: CohortSchema,
        backbone: str = "muse",
        channels: int = 128,
        dropout: float = 0.25,
        sequence: SequenceName = "none",
        options: Mapping[str, Any] | None = None,
        encoder_options: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        super().__init__()
        self.names = schema.names
        own = encoder_options or {}
        self.encoders = nn.ModuleList(
            build_encoder(modality, channels, dropout, sequence, **own.get(modality.kind, {}))
            for modality in schema.modalities
        )
        self.num_outputs = schema.num_outputs
        self.channels = channels
        cell_level = backbone_level(backbone) == "cell"
        self.cells = CellTokens(self.names, self._encoders, channels) if cell_level else None
        self.encoders.requires_grad_(not cell_level)  # of cells only their features are used
        nodes = len(self.names) if self.cells is None else self.cells.num_nodes
        self.task = Task(schema.num_outputs)
        if not cell_level:
            sizes = [each.token.in_channels if isinstance(each, FeatureEncoder) else 0 for each in self.encoders]
            self.task = Task(schema.num_outputs, tuple(self.names), tuple(sizes))
        self.backbone = build_backbone(backbone, channels, nodes, dropout, **(options or {}))
        self.backbone.set_task(self.task)
        self.reads_features = self.backbone.reads_features
        self.dropout = Dropout(dropout)
        self.out = nn.Linear(channels, schema.num_outputs)
        self.out.requires_grad_(not self.backbone.own_logits)  # its own take the place of these

    @property
    def _encoders(self) -> list[Encoder]:
        return [encoder for encoder in self.encoders if isinstance(encoder, Encoder)]

    @property
    def _feature_encoders(self) -> list[tuple[int, str, FeatureEncoder]]:
        """Number and name of the modalities whose encoders read features without weights, and the encoders."""
        found = enumerate(zip(self.names, self.encoders))
        return [(number, name, each) for number, (name, each) in found if isinstance(each, FeatureEncoder)]

    #: Name of the part that :meth:`body` is.
    body_part: str = "backbone"

    @property
    def grid_encoders(self) -> list[FeatureEncoder]:
        """The encoders, of a network that takes batches in fixed shapes."""
        return [encoder for encoder in self.encoders if isinstance(encoder, FeatureEncoder)]

    def why_no_grid(self) -> str:
        """Why the network does not take batches in fixed shapes, in words; empty where it does."""
        for name, encoder in zip(self.names, self.encoders):
            if not isinstance(encoder, FeatureEncoder) or not encoder.in_grid:
                return f"the encoder of modality {name!r} reads its observations as a list"
        if len({encoder.out.dropout for encoder in self.grid_encoders}) != 1:
            return "the encoders differ in their dropout" if self.names else "there is no modality"
        return self._why_no_grid_backbone()

    def _why_no_grid_backbone(self) -> str:
        assert isinstance(self.backbone, Backbone)
        return self.backbone.why_no_grid()

    def tokens(self, batch: Batch) -> Tensor:
        """One token per edge of the batch's layout, float [E, d], or one per place of its grid, [K, B, d]."""
        if isinstance(batch, GridBatch):
            if batch.tokens is not None:
                return batch.tokens
            if self.training and torch.is_grad_enabled():
                raise RuntimeError("batches in fixed shapes are trained on through MemberStack, which has the weights")
            return TokenGrid([self.grid_encoders]).train(self.training)(batch.inputs)[0]
        there = [
            (encoder, batch.observations[name])
            for encoder, name, degree in zip(self._encoders, self.names, batch.layout.modality_degree.tolist())
            if degree
        ]
        if not there:
            return torch.zeros(0, self.channels, device=batch.rows.device)
        if self.training and batch.layout.num_edges <= FEW_EDGES:
            in_one = token_list(*zip(*there))
            if in_one is not None:
                return in_one
        return torch.cat([encoder(observations) for encoder, observations in there])

    def inputs(self, batch: Batch) -> tuple[Tensor, Layout]:
        """What the backbone takes: tokens [E, d] and their layout, of modalities or of cells (``Backbone.level``)."""
        if self.cells is not None:
            assert isinstance(batch, PatientBatch)
            return self.cells(batch)
        if self.reads_features and self.training:
            assert isinstance(batch, PatientBatch)
            return self.tokens(batch), FeatureLayout.of(batch.layout, self.scaled_features(batch))
        return self.tokens(batch), batch.layout

    @torch.no_grad()
    def scaled_features(self, batch: PatientBatch) -> list[Tensor]:
        """What each modality's tokens are made of, standardised and scaled by relevance; float [E_k, F_k] each."""
        found = []
        for name, encoder, degree in zip(self.names, self.encoders, batch.layout.modality_degree.tolist()):
            if not isinstance(encoder, FeatureEncoder):
                found.append(torch.zeros(degree, 0, device=batch.rows.device))
            elif degree:
                found.append(encoder.scaled(batch.observations[name]))
            else:
                found.append(torch.zeros(0, encoder.token.in_channels, device=batch.rows.device))
        return found

    def body(self, tokens: Tensor, layout: Layout, batch: Batch) -> Mapping[str, Tensor]:
        """What the heads read of tokens and their layout (:meth:`inputs`).

        Returns:
            ``pooled`` [B, d], and of the backbone's output what there is (:meth:`Embeddings.tensors`).
        """
        embeddings: Embeddings = self.backbone(tokens, layout, batch.y if self.training else None)
        return embeddings.tensors()

    def heads(self, body: Mapping[str, Tensor], presence: Tensor) -> Prediction:
        """The prediction from what :meth:`body` gave, and who has which modality; bool [B, K]."""
        return self.prediction(Embeddings.of(body, presence))

    def prediction(self, embeddings: Embeddings) -> Prediction:
        """The prediction from what the backbone returned."""
        assert isinstance(self.backbone, Backbone)
        logits = embeddings.logits
        if logits is None:
            logits = self.out(self.dropout(embeddings.pooled))
        parts = self.parts(embeddings, lambda code: self.out(self.dropout(code)))
        return Prediction(logits, embeddings, parts=parts, parts_weight=self.backbone.parts_weight)

    def parts(
        self, embeddings: Embeddings, head: Callable[[Tensor], Tensor] | None
    ) -> dict[str, tuple[Tensor, Tensor]]:
        """The predictions beside the main one; codes only with ``head``, which makes logits of them."""
        found = {}
        for name, part in embeddings.parts.items():
            if part.logits is not None:
                found[name] = part.logits, part.rows
            elif part.code is not None and head is not None:
                found[name] = head(part.code), part.rows
        return found

    def forward(self, batch: Batch) -> Prediction:
        """Scores a batch of patients, in a training by several processes all that they have."""
        with own_draws():
            body = self.body(*self.inputs(batch), batch)
        (body,), presence = all_patients([body], batch.layout.presence)
        return self.heads(body, presence)

    @property
    def has_memory(self) -> bool:
        """Whether :meth:`fit_memory` has anything to fit."""
        assert isinstance(self.backbone, Backbone)
        return self.backbone.has_memory

    @torch.no_grad()
    def fit_memory(self, batches: Callable[[], Iterable[Batch]]) -> None:
        """Lets the backbone fit what inference needs to know of training patients (see ``Backbone.fit_memory``)."""
        if not self.has_memory:
            return
        mode = self.training
        self.eval()
        self.backbone.fit_memory(lambda: map(self.inputs, batches()))
        self.train(mode)

    @torch.no_grad()
    def start_from(self, bias: Tensor) -> None:
        """Sets the heads' biases, so that an untrained network predicts the training shares; float [outputs]."""
        self.out.bias.copy_(bias)
        for part in self.modules():
            if isinstance(part, Backbone):
                part.start_from(bias)

    @torch.no_grad()
    def prepare(self, store: PatientStore, most_bytes: int = 2**35) -> None:
        """Works out the inputs of all patients once, so that training steps only gather them.

        Large ones become files (:mod:`gdsfd.large_arrays`). Without room for one, its modality is left as it is and
        its inputs are worked out again in every step, which is slower and changes no number.

        Args:
            store: Its tables and events get a row of ``features`` per observation, and lose what they came from. What
                an encoder with weights of its own reads stays as it is.
            most_bytes: A modality that would take more is left as it is.
        """
        for _, name, encoder in self._feature_encoders:
            size = 4 * encoder.token.relevance.numel() * len(store)
            if encoder.prepared and size <= most_bytes:
                with without_room(f"the inputs of modality {name!r} are worked out again in every step"):
                    store.put_features(name, encoder.features, keep=encoder.also_reads)
        if self.cells is not None:
            self.cells.prepare(store, most_bytes)

    @torch.no_grad()
    def fit_inputs(self, batches: Iterable[PatientBatch], power: float = 1.0, weight: Tensor | None = None) -> None:
        """Fits each feature's mean, spread and relevance on training patients, and starts the input maps accordingly.

        Args:
            batches: One pass over the training patients, with labels.
            power: Relevance enters as its ``power``-th power, the largest being 1; 0 = all features alike.
            weight: Weight of each of the graph's patients' labels, [N] or [N, outcomes]; default 1. With stratum
                weights a feature that only tells of the suspects is not relevant.

        Raises:
            InputError: An input that should be a number is not.
        """
        self.fit_statistics(batches, power, weight)
        self.start_inputs()

    @torch.no_grad()
    def fit_statistics(self, batches: Iterable[PatientBatch], power: float = 1.0, weight: Tensor | None = None) -> None:
        """The first half of :meth:`fit_inputs`: mean, spread and relevance of each feature."""
        encoders = self._feature_encoders
        statistics = [
            FeatureStatistics(encoder.token.relevance.numel(), self.num_outputs) for _, _, encoder in encoders
        ]
        patients = 0
        for batch in batches:
            assert batch.y is not None
            label, labelled = outcome_columns(batch.y, self.num_outputs)
            if weight is not None:
                share = weight[batch.rows].double().reshape(len(batch), -1)
                label, labelled = label * share, labelled * share
            patients += len(batch)
            if self.cells is not None:
                self.cells.count(batch)
            pointer = batch.layout.modality_ptr.tolist()
            for found, (number, name, encoder) in zip(statistics, encoders):
                mine = batch.layout.patient[pointer[number] : pointer[number + 1]]
                features = encoder.features(batch.observations[name])
                if not features.is_sparse and not bool(torch.isfinite(features).all()):
                    column = int((~torch.isfinite(features)).any(0).nonzero()[0])
                    raise InputError(
                        f"modality {name!r}: input {column} of {features.size(1)} is NaN or infinite in a training "
                        "patient although it is marked as measured; was the graph changed after it was built?"
                    )
                found.add(features, label[mine], labelled[mine])
        relevance = [each.relevance(patients) for each in statistics]
        most = max((float(each.max()) for each in relevance if each.numel()), default=0.0)
        for (_, _, encoder), each, share in zip(encoders, statistics, relevance):
            token = encoder.token
            token.center.copy_(each.center)
            token.spread.copy_(each.spread)
            token.relevance.copy_((share / most) ** power if most > 0 else torch.ones_like(share))

    @torch.no_grad()
    def take_statistics(self, other: Predictor) -> None:
        """What :meth:`fit_statistics` found for another member of the ensemble, which saw the same patients."""
        for (_, _, mine), (_, _, theirs) in zip(self._feature_encoders, other._feature_encoders):
            for name, value in theirs.token.named_buffers():
                mine.token.get_buffer(name).copy_(value)
        if self.cells is not None and other.cells is not None:
            self.cells.take_counts(other.cells)

    @torch.no_grad()
    def start_inputs(self) -> None:
        """The second half of :meth:`fit_inputs`: draws the input maps on the scale of the statistics."""
        encoders = self._feature_encoders
        for _, _, encoder in encoders:
            nn.init.zeros_(encoder.token.linear.bias)
        squares = sum(float(encoder.token.relevance.square().sum()) for _, _, encoder in encoders)
        std = INPUT_STD * (len(encoders) / max(squares, 1e-6)) ** 0.5
        for _, _, encoder in encoders:  # one scale for all: a modality without relevance starts with tokens near 0
            nn.init.normal_(encoder.token.linear.weight, std=std)
        if self.cells is not None:
            self.cells.fit()
