"""A graph's observations, indexed so that any patients can be taken out with tensor operations only."""

from __future__ import annotations

import torch
from torch import Tensor
from torch_geometric.data import HeteroData

from gdsfd.cohort.fields import CohortSchema
from gdsfd.graph.batch import PatientBatch
from gdsfd.graph.from_cohort import edge_type
from gdsfd.graph.layout import EdgeLayout

__all__ = ["PatientStore"]

#: Packed tensors of each kind: pointer key -> the keys of the tensors it points into.
_PACKED: dict[str, dict[str, tuple[str, ...]]] = {
    "table": {},
    "events": {"ptr": ("step", "item", "value"), "summary_ptr": ("summary_item", "summary")},
    "codes": {"ptr": ("code",)},
    "embedding": {},
}
#: Tensors of each kind with one row per observation.
_ROWS: dict[str, tuple[str, ...]] = {
    "table": ("numeric", "categorical"),
    "events": (),
    "codes": (),
    "embedding": ("vector",),
}


class PatientStore:
    """Takes batches of patients out of a graph.

    For each modality a map from patient to observation is kept; a batch is then a gather, and the packed runs of events
    and codes are gathered by arithmetic on their pointers. No step loops over patients.

    Args:
        graph: A graph made by :func:`gdsfd.build_graph`, :func:`gdsfd.load_graph` or
            :func:`~gdsfd.graph.from_cohort.graph_from_cohort`. Its tensors are shared, not copied.
    """

    def __init__(self, graph: HeteroData) -> None:
        self.schema: CohortSchema = graph.schema
        self.num_patients = int(graph["patient"].num_nodes)
        self.y: Tensor | None = graph["patient"].get("y")
        self._edge_of: dict[str, Tensor] = {}
        self._tensors: dict[str, dict[str, Tensor]] = {}
        for modality in self.schema.modalities:
            edges = graph[edge_type(modality.name)]
            patient = edges.edge_index[0]
            edge_of = patient.new_full((self.num_patients,), -1)
            edge_of[patient] = torch.arange(patient.numel(), device=patient.device)
            self._edge_of[modality.name] = edge_of
            packed = _PACKED[modality.kind]
            keys = (*_ROWS[modality.kind], *packed, *(key for run in packed.values() for key in run))
            self._tensors[modality.name] = {key: edges[key] for key in keys}

    def __len__(self) -> int:
        return self.num_patients

    def batch(self, rows: Tensor) -> PatientBatch:
        """The patients in ``rows``, in that order.

        Args:
            rows: Rows of the graph's patients, in any order, repeats allowed; int64 [B].

        Returns:
            The batch. Inside each modality its edges stand in ascending order of the patient's place in the batch.

        Raises:
            IndexError: A row is not one of the graph's patients.
        """
        if rows.numel() and (int(rows.min()) < 0 or int(rows.max()) >= self.num_patients):
            raise IndexError(
                f"expected rows between 0 and {self.num_patients - 1}, got {int(rows.min())} to {int(rows.max())}"
            )
        owners = []
        observations = {}
        for modality in self.schema.modalities:
            edges = self._edge_of[modality.name][rows]  # [B], -1 = absent
            owner = (edges >= 0).nonzero().squeeze(1)
            observations[modality.name] = _take(self._tensors[modality.name], modality.kind, edges[owner])
            owners.append(owner)
        return PatientBatch(
            rows=rows,
            layout=EdgeLayout.from_lists(owners, rows.numel()),
            observations=observations,
            y=None if self.y is None else self.y[rows],
        )


def _take(tensors: dict[str, Tensor], kind: str, edges: Tensor) -> dict[str, Tensor]:
    """The observations ``edges`` of one modality."""
    taken = {key: tensors[key][edges] for key in _ROWS[kind]}
    for pointer, keys in _PACKED[kind].items():
        taken[pointer], cells = _runs(tensors[pointer], edges)
        for key in keys:
            taken[key] = tensors[key][cells]
    return taken


def _runs(ptr: Tensor, edges: Tensor) -> tuple[Tensor, Tensor]:
    """Places of the packed runs ``ptr[e]:ptr[e + 1]`` for each ``e`` in ``edges``, one after the other.

    Returns:
        The runs' own pointers, int64 [len(edges) + 1], and the places, int64.
    """
    start = ptr[edges]
    length = ptr[edges + 1] - start
    taken = torch.cat([length.new_zeros(1), length.cumsum(0)])
    # Place m of the result, in run e, comes from start[e] + (m - taken[e]).
    shift = torch.repeat_interleave(start - taken[:-1], length)
    return taken, torch.arange(shift.numel(), device=shift.device) + shift
