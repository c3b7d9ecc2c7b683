"""A graph's observations as scaled inputs of a network, to be gathered in fixed shapes."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gdsfd.graph.grid_batch import GridBatch
from gdsfd.graph.grid_layout import GridLayout
from gdsfd.graph.patient_store import PatientStore
from gdsfd.nn.ensemble import Ensemble
from gdsfd.nn.predictor import Predictor

__all__ = ["GridStore", "why_no_grid"]

#: Memory of the scaled inputs of all patients beyond which batches are taken as edge lists.
MOST_BYTES = 2**31
#: Share of the places of a grid that are taken below which edge lists are the faster form.
LEAST_DENSITY = 0.2
#: Patients of a batch times channels from which a CPU computes rather than dispatches, and the density below which a
#: list of edges, which has no padding, is then the faster form (benchmarks/grid_or_edges.py).
LARGE_BATCH, FULL = 2**16, 0.85
#: Observations that are scaled at a time.
_CHUNK = 4096


@dataclass(eq=False)
class GridStore:
    """Takes batches of patients in fixed shapes; see :class:`~gdsfd.graph.grid_batch.GridBatch`.

    What an encoder makes of an observation before its first weight stays the same while the network is trained: it is
    worked out once for all patients, and a batch is one gather.

    Args:
        inputs: Every patient's scaled inputs, the modalities side by side, 0 where there is none; float [N, F].
        there: 1 where a patient has a modality, else 0; float [N, K].
        y: Labels as in the graph, or None.
    """

    inputs: Tensor
    there: Tensor
    y: Tensor | None

    @classmethod
    @torch.no_grad()
    def of(cls, network: Ensemble, store: PatientStore, device: torch.device | str = "cpu") -> GridStore:
        """The store of a graph for a network whose inputs are fitted; see :func:`why_no_grid`."""
        first = network.members[0]
        assert isinstance(first, Predictor)
        encoders, names = first.grid_encoders, store.schema.names
        like = encoders[0].token.center
        inputs = like.new_zeros(len(store), sum(encoder.token.in_channels for encoder in encoders), device="cpu")
        there = inputs.new_zeros(len(store), len(names))
        start = 0
        for number, (encoder, name) in enumerate(zip(encoders, names)):
            patient, end = store.patients_with(name), start + encoder.token.in_channels
            for edges in torch.arange(patient.numel()).split(_CHUNK):
                seen = {key: value.to(like.device) for key, value in store.observations(name, edges).items()}
                inputs[patient[edges], start:end] = encoder.scaled(seen).cpu()
            there[patient, number] = 1
            start = end
        return cls(inputs.to(device), there.to(device), None if store.y is None else store.y.to(device))

    def __len__(self) -> int:
        return self.there.size(0)

    def batch(self, rows: Tensor) -> GridBatch:
        """The patients in ``rows``, in that order; int64 [B] on the store's device."""
        layout = GridLayout(self.there.index_select(0, rows).t().contiguous())
        y = None if self.y is None else self.y.index_select(0, rows)
        return GridBatch(rows, self.inputs.index_select(0, rows), layout, y)


def why_no_grid(network: Ensemble, store: PatientStore, batch_size: int = 1, device: torch.device | str = "cpu") -> str:
    """Why a network cannot, or should not, be trained on batches in fixed shapes, in words; empty where it should.

    Args:
        network: The network; its inputs are fitted.
        store: The patients' observations.
        batch_size: Patients of a batch.
        device: Where it is trained.
    """
    first = network.members[0]
    assert isinstance(first, Predictor)
    if why := first.why_no_grid():
        return why
    if 4 * len(store) * sum(encoder.token.in_channels for encoder in first.grid_encoders) > MOST_BYTES:
        return f"the inputs of all patients take more than {MOST_BYTES / 2**30:.0f} GiB"
    places = len(store) * len(first.names)
    density = sum(store.patients_with(name).numel() for name in first.names) / max(places, 1)
    if density < LEAST_DENSITY:
        return "patients have few of the modalities"
    if torch.device(device).type == "cpu" and batch_size * first.channels >= LARGE_BATCH and density < FULL:
        return f"batches of {batch_size:,} patients keep a processor busy, and lists of edges have no padding"
    return ""
