"""Tokens on the edges between patients and feature nodes, all modalities together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from gdsfd.errors import InputError
from gdsfd.graph.patient_batch import PatientBatch
from gdsfd.graph.patient_store import PatientStore
from gdsfd.large_arrays import without_room
from gdsfd.nn.encoders.cells import CellLayout
from gdsfd.nn.encoders.encoder import Encoder
from gdsfd.nn.encoders.feature_encoder import FeatureEncoder
from gdsfd.nn.encoders.value_token import LEAST_INDICATOR_SPREAD, ValueToken

__all__ = ["CellTokens"]

_START_STD = 0.3  # of gains and indicator vectors
_PATIENT_STD = 0.5  # of a patient's mean token before training, in each channel


@dataclass(eq=False)
class _Arranged:
    """A batch's cells in the order of their layout (whose values are not known yet), and the raw values by modality.

    The cells of modality ``k`` that have values are ``ends[k]:ends[k + 1]``; those without follow from ``ends[-1]``.
    """

    layout: CellLayout
    values: list[Tensor]
    ends: list[int]


#: Arrangements of the batches that are alive: the members of an ensemble see the same batch one after the other.
_ARRANGED: WeakKeyDictionary[PatientBatch, _Arranged] = WeakKeyDictionary()


class CellTokens(nn.Module):
    """Every measured value of a batch as one token, with the layout of the graph they are the edges of.

    Feature nodes are numbered: those with values, modality after modality, then those that are only there or not
    (levels, codes), modality after modality; :func:`~gdsfd.nn.encoders.cell_names.cell_names` names them.

    Args:
        names: The modalities' names.
        encoders: Their encoders, which say what their cells are. They are not trained here, and not registered: they
            belong to the caller.
        channels: Width d of the tokens.

    Raises:
        InputError: An encoder reads events over time, which single values do not tell, or has no single values.

    Shapes:
        - a batch -> tokens [M, d] and their layout with M edges
    """

    scale: Tensor
    indicator_scale: Tensor

    def __init__(self, names: Sequence[str], encoders: Sequence[Encoder], channels: int) -> None:
        super().__init__()
        learned = [name for name, encoder in zip(names, encoders) if not isinstance(encoder, FeatureEncoder)]
        if learned:
            raise InputError(
                f"the encoder of modality {learned[0]!r} has no single values, which this backbone's graph has an edge "
                "for each of; take the backbone 'muse' or 'concat'"
            )
        features = [encoder for encoder in encoders if isinstance(encoder, FeatureEncoder)]
        recurrent = [name for name, encoder in zip(names, features) if encoder.also_reads]
        if recurrent:
            raise InputError(
                f"the setting 'sequence' reads modality {recurrent[0]!r} over time, but this backbone's graph has one "
                "edge per item, with its summaries; take sequence='none', or the backbone 'muse' or 'concat'"
            )
        self.names = tuple(names)
        self._encoders = tuple(features)
        plans = [encoder.cell_plan for encoder in features]
        self._valued = [0, *accumulate(plan.valued.size(0) for plan in plans)]
        self._indicators = [0, *accumulate(plan.indicator.numel() for plan in plans)]
        self.channels = channels
        self.values = nn.ModuleList(ValueToken(plan, channels) for plan in plans)
        self.indicator = nn.Parameter(torch.randn(self._indicators[-1], channels) * _START_STD)
        self.register_buffer("indicator_scale", torch.ones(self._indicators[-1]))
        self.register_buffer("scale", torch.ones(()))
        self._count = torch.zeros(self.num_nodes, dtype=torch.float64)
        self._patients = 0

    @property
    def num_nodes(self) -> int:
        """Number of feature nodes."""
        return self._valued[-1] + self._indicators[-1]

    def forward(self, batch: PatientBatch) -> tuple[Tensor, CellLayout]:
        """Tokens of a batch's cells, float [M, d], and their layout."""
        arranged = self.arrange(batch)
        layout, ends = arranged.layout, arranged.ends
        tokens, first = [], []
        for number, (values, before) in enumerate(zip(arranged.values, self._valued)):
            if values.size(0):
                node = layout.modality[ends[number] : ends[number + 1]] - before
                token, value = self.values[number](values, node)
                tokens.append(token)
                first.append(value)
        place = layout.modality[ends[-1] :] - self._valued[-1]
        tokens.append((self.indicator * self.indicator_scale.unsqueeze(1)).index_select(0, place))
        first.append(torch.full(place.shape, torch.nan, device=place.device))
        nodes = (layout.modality_ptr, layout.num_patients, layout.num_modalities)
        return torch.cat(tokens) * self.scale, CellLayout(layout.patient, layout.modality, *nodes, torch.cat(first))

    def arrange(self, batch: PatientBatch) -> _Arranged:
        """Sorts a batch's cells by feature node, patients ascending inside each; worked out once per batch."""
        if batch not in _ARRANGED:
            _ARRANGED[batch] = self._sorted(batch)
        return _ARRANGED[batch]

    def _sorted(self, batch: PatientBatch) -> _Arranged:
        device = batch.rows.device
        pointer = batch.layout.modality_ptr.tolist()
        nodes, patients, values, sizes = [], [], [], [0]
        for number, name in enumerate(self.names):
            cells = self._encoders[number].read_cells(batch.observations[name])
            valued = self._valued[number + 1] - self._valued[number]
            shift = self._valued[-1] + self._indicators[number] - valued
            nodes.append(cells.node + torch.where(cells.node < valued, self._valued[number], shift))
            patients.append(batch.layout.patient[pointer[number] : pointer[number + 1]][cells.observation])
            values.append(cells.value)
            sizes.append(sizes[-1] + cells.node.numel())
        node, patient = torch.cat(nodes), torch.cat(patients)
        node, order = torch.sort(node, stable=True)
        degree = torch.bincount(node, minlength=self.num_nodes)
        ptr = torch.cat([degree.new_zeros(1), degree.cumsum(0)])
        ends = ptr[torch.tensor(self._valued, device=device)].tolist()
        sorted_values = [
            value[order[ends[number] : ends[number + 1]] - sizes[number]] for number, value in enumerate(values)
        ]
        value = torch.empty(0, device=device)
        layout = CellLayout(patient[order], node, ptr, len(batch), self.num_nodes, value)
        return _Arranged(layout, sorted_values, ends)

    @torch.no_grad()
    def prepare(self, store: PatientStore, most_bytes: int = 2**35) -> None:
        """Works out the cells of all patients once, so that training steps only gather them.

        Args:
            store: Its modalities get packed runs of cells beside what they have.
            most_bytes: A modality that would take more is left as it is.
        """
        for encoder, name in zip(self._encoders, self.names):
            plan = encoder.cell_plan
            size = 4 * plan.valued.numel() * len(store)  # if every patient had every cell
            if plan.valued.size(0) + plan.indicator.numel() > 1 and size <= most_bytes:
                with without_room(f"the cells of modality {name!r} are worked out again in every step"):
                    store.put_runs(name, encoder.cell_runs, "cell_ptr")

    @torch.no_grad()
    def count(self, batch: PatientBatch) -> None:
        """Counts a batch of training patients, for :meth:`fit`."""
        self._count += self.arrange(batch).layout.modality_degree.cpu()
        self._patients += len(batch)

    def take_counts(self, other: CellTokens) -> None:
        """What :meth:`count` counted for another network with the same nodes."""
        self._count, self._patients = other._count.clone(), other._patients

    @torch.no_grad()
    def fit(self) -> None:
        """Takes over the encoders' fitted statistics, and scales tokens for the mean over a patient's cells.

        That mean has many terms of which few are relevant; tokens are enlarged so that its spread over patients is the
        same whatever the number of cells.
        """
        share = self._count.float().to(self.scale.device) / max(self._patients, 1)
        spread = []
        for number, encoder in enumerate(self._encoders):
            values = self.values[number]
            assert isinstance(values, ValueToken)
            values.fit(encoder.token)
            nn.init.normal_(values.linear.weight)
            nn.init.normal_(values.gain, std=_START_STD)
            spread.append(values.relevance.square().sum(1))
            columns = encoder.cell_plan.indicator.to(self.scale.device)
            scale = encoder.token.relevance[columns] / encoder.token.spread[columns].clamp(min=LEAST_INDICATOR_SPREAD)
            self.indicator_scale[self._indicators[number] : self._indicators[number + 1]] = scale
        spread.append(self.indicator_scale.square())
        total = float((share * torch.cat(spread)).sum())
        if total > 0:
            self.scale.fill_(_PATIENT_STD / _START_STD * float(share.sum()) / total**0.5)
        self._count.zero_()
        self._patients = 0
