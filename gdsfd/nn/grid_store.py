"""A graph's observations as scaled inputs of a network, to be gathered in fixed shapes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from gdsfd.graph.grid_batch import GridBatch
from gdsfd.graph.grid_layout import GridLayout
from gdsfd.graph.growing_tensor import GrowingTensor, take_rows
from gdsfd.graph.patient_batch import PatientBatch
from gdsfd.graph.patient_store import PatientStore
from gdsfd.nn.encoders import FeatureEncoder
from gdsfd.nn.ensemble import Ensemble
from gdsfd.nn.predictor import Predictor

__all__ = ["GridStore", "why_no_grid"]

#: Scaled inputs of all patients beyond which batches are taken as edge lists, on a CPU, where many become a file, and
#: beside a GPU.
MOST_BYTES, MOST_BYTES_PINNED = 2**35, 2**35
#: Share of a GPU's free memory that the inputs may take; more stays on the CPU, pinned, and is copied batch by batch.
LARGEST_SHARE = 0.5
#: Share of the places of a grid that are taken below which edge lists are the faster form.
LEAST_DENSITY = 0.2
#: Patients of a batch times channels from which a CPU computes rather than dispatches, and the density below which a
#: list of edges, which has no padding, is then the faster form (benchmarks/grid_or_edges.py).
LARGE_BATCH, FULL = 2**16, 0.85
#: Patients whose observations are scaled at a time.
_CHUNK = 4096


@dataclass(eq=False)
class GridStore:
    """Takes batches of patients in fixed shapes; see :class:`~gdsfd.graph.grid_batch.GridBatch`.

    What an encoder makes of an observation before its first weight stays the same while the network is trained: it is
    worked out once for all patients, and a batch is one gather.

    Args:
        inputs: Every patient's scaled inputs, the modalities side by side, 0 where there is none; float [N, F]. On the
            device, or on the CPU where a device has no room for them.
        there: 1 where a patient has a modality, else 0; float [N, K] on the device.
        y: Labels as in the graph, on the device, or None.
    """

    inputs: Tensor
    there: Tensor
    y: Tensor | None

    @classmethod
    @torch.no_grad()
    def of(cls, network: Ensemble, store: PatientStore, device: torch.device | str = "cpu") -> GridStore:
        """The store of a graph for a network whose inputs are fitted; see :func:`why_no_grid`.

        Raises:
            OSError: The inputs are so many that they become a file, and the disk has no room for it.
        """
        device = torch.device(device)
        first = network.members[0]
        assert isinstance(first, Predictor)
        encoders, names = first.grid_encoders, store.schema.names
        like = encoders[0].token.center
        there = like.new_zeros(len(store), len(names), device="cpu")
        for number, name in enumerate(names):
            there[store.patients_with(name), number] = 1
        growing = GrowingTensor()
        for rows in torch.arange(len(store)).split(_CHUNK):
            growing.append(_scaled(encoders, names, store.batch(rows), like))
        inputs = growing.finish()
        if has_room(device, inputs.nbytes):
            inputs = inputs.to(device)
        elif torch.cuda.is_available():
            inputs = inputs.pin_memory()
        return cls(inputs, there.to(device), None if store.y is None else store.y.to(device))

    def __len__(self) -> int:
        return self.there.size(0)

    @property
    def apart(self) -> bool:
        """Whether inputs are gathered on the CPU and copied."""
        return self.inputs.device != self.there.device

    def batch(self, rows: Tensor, on_cpu: Tensor | None = None) -> GridBatch:
        """The patients in ``rows``, in that order.

        Args:
            rows: int64 [B] on the store's device.
            on_cpu: The same on the CPU. Where the inputs are there, nothing then waits for the device: the next batch
                is gathered and copied while the device works on this one.
        """
        layout = GridLayout(self.there.index_select(0, rows).t().contiguous())
        y = None if self.y is None else self.y.index_select(0, rows)
        if not self.apart:
            return GridBatch(rows, take_rows(self.inputs, rows), layout, y)
        taken = rows.cpu() if on_cpu is None else on_cpu
        pinned = self.inputs.is_pinned()
        piece = torch.empty(len(taken), self.inputs.size(1), dtype=self.inputs.dtype, pin_memory=pinned)
        torch.index_select(self.inputs, 0, taken, out=piece)
        return GridBatch(rows, piece.to(rows.device, non_blocking=True), layout, y)


def _scaled(encoders: list[FeatureEncoder], names: Sequence[str], batch: PatientBatch, like: Tensor) -> Tensor:
    """The scaled inputs of a batch of patients, side by side, on the CPU; [B, F]."""
    inputs = like.new_zeros(len(batch), sum(encoder.token.in_channels for encoder in encoders), device="cpu")
    pointer, start = batch.layout.modality_ptr.tolist(), 0
    for number, (encoder, name) in enumerate(zip(encoders, names)):
        owner, end = batch.layout.patient[pointer[number] : pointer[number + 1]], start + encoder.token.in_channels
        if owner.numel():
            seen = {key: value.to(like.device) for key, value in batch.observations[name].items()}
            inputs[owner, start:end] = encoder.scaled(seen).cpu()
        start = end
    return inputs


def has_room(device: torch.device, size: int) -> bool:
    """Whether a device has room for ``size`` bytes and the training beside them."""
    if device.type != "cuda":
        return True
    free, _ = torch.cuda.mem_get_info(device)
    return size <= LARGEST_SHARE * free


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
    most = MOST_BYTES if torch.device(device).type == "cpu" else MOST_BYTES_PINNED
    if 4 * len(store) * sum(encoder.token.in_channels for encoder in first.grid_encoders) > most:
        return f"the inputs of all patients take more than {most / 2**30:.0f} GiB"
    places = len(store) * len(first.names)
    density = sum(store.patients_with(name).numel() for name in first.names) / max(places, 1)
    if density < LEAST_DENSITY:
        return "patients have few of the modalities"
    if torch.device(device).type == "cpu" and batch_size * first.channels >= LARGE_BATCH and density < FULL:
        return f"batches of {batch_size:,} patients keep a processor busy, and lists of edges have no padding"
    return ""
