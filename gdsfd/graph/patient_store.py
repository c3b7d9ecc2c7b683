"""A graph's observations, indexed so that any patients can be taken out with tensor operations only."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch_geometric.data import HeteroData

from gdsfd.cohort.modality_kind import kind_of
from gdsfd.cohort.schema import CohortSchema
from gdsfd.graph.check_graph import check_graph
from gdsfd.graph.edge_layout import EdgeLayout
from gdsfd.graph.flatten import FlatTable, Matrix
from gdsfd.graph.from_cohort import edge_type
from gdsfd.graph.growing_tensor import GrowingTensor, take_rows
from gdsfd.graph.patient_batch import PatientBatch
from gdsfd.graph.patient_graph import take_runs

__all__ = ["PatientStore"]


class PatientStore:
    """Takes batches of patients out of a graph.

    For each modality a map from patient to observation is kept; a batch is then a gather, and the packed runs of events
    and codes are gathered by arithmetic on their pointers. No step loops over patients.

    Args:
        graph: A graph made by :func:`gdsfd.build_graph`, :func:`gdsfd.load_graph` or
            :func:`~gdsfd.graph.from_cohort.graph_from_cohort`. Its tensors are shared, not copied.

    Raises:
        InputError: The graph's parts do not belong together (:func:`~gdsfd.graph.check_graph.check_graph`).
    """

    def __init__(self, graph: HeteroData) -> None:
        check_graph(graph)
        self.schema: CohortSchema = graph.schema
        self.num_patients = int(graph["patient"].num_nodes)
        self.y: Tensor | None = graph["patient"].get("y")
        self._edge_of: dict[str, Tensor] = {}
        self._patient: dict[str, Tensor] = {}
        self._tensors: dict[str, dict[str, Tensor]] = {}
        self._rows: dict[str, tuple[str, ...]] = {}
        self._packed: dict[str, dict[str, tuple[str, ...]]] = {}
        self._featured: set[str] = set()
        for modality in self.schema.modalities:
            edges = graph[edge_type(modality.name)]
            patient = edges.edge_index[0]
            edge_of = patient.new_full((self.num_patients,), -1)
            edge_of[patient] = torch.arange(patient.numel(), device=patient.device)
            self._edge_of[modality.name], self._patient[modality.name] = edge_of, patient
            kind = kind_of(modality)
            self._tensors[modality.name] = {key: edges[key] for key in kind.keys}
            self._rows[modality.name], self._packed[modality.name] = tuple(kind.rows), kind.packed
        self._given = dict(self._tensors)
        self._table: FlatTable | None = None

    def flat(self, rows: Tensor, kept: Tensor | None = None) -> Matrix:
        """The patients in ``rows`` as rows of the flattened table (:func:`~gdsfd.graph.flatten.flatten`); [n, F].

        Args:
            rows: Rows of the graph's patients; int64 [n].
            kept: Which modalities each is to have, of those it has; bool [n, K]. None = all.
        """
        if self._table is None:
            self._table = FlatTable(self.schema, self._given, self._edge_of)
        return self._table.rows(rows.numpy(), None if kept is None else kept.numpy())[0]

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
            edges = self._edge_of[modality.name].index_select(0, rows)  # [B], -1 = absent
            owner = (edges >= 0).nonzero().squeeze(1)
            observations[modality.name] = self._take(modality.name, edges[owner])
            owners.append(owner)
        return PatientBatch(
            rows=rows,
            layout=EdgeLayout.from_lists(owners, rows.numel()),
            observations=observations,
            y=None if self.y is None else self.y[rows],
        )

    def patients_with(self, name: str) -> Tensor:
        """The patient of each observation of a modality, in the graph's order; int64 [E]."""
        return self._patient[name]

    def observations(self, name: str, edges: Tensor) -> dict[str, Tensor]:
        """Some observations of a modality, as ``PatientBatch`` has them; ``edges`` int64, in the graph's order."""
        return self._take(name, edges)

    def put_features(
        self, name: str, make: Callable[[dict[str, Tensor]], Tensor], keep: tuple[str, ...] = (), chunk: int = 8192
    ) -> None:
        """Replaces a modality's tensors by one row of features per observation, worked out once.

        Where another network with the same encoders has done so, they stay: its features are this one's.

        Args:
            name: The modality.
            make: Features of some observations, from their tensors; [e, F] from a dict as in ``PatientBatch``.
            keep: Packed pointers whose runs stay beside the features, such as ``("run_ptr",)``.
            chunk: Observations at a time.

        Raises:
            OSError: They are so many that they become a file, and the disk has no room for it; all is as it was.
        """
        if name in self._featured:
            return
        total = int((self._edge_of[name] >= 0).sum())
        device = self._edge_of[name].device
        features = GrowingTensor()
        for edges in torch.arange(total, device=device).split(chunk):
            features.append(make(self._take(name, edges)))
        packed = {pointer: keys for pointer, keys in self._packed[name].items() if pointer in keep}
        kept = {key: self._tensors[name][key] for pointer, keys in packed.items() for key in (pointer, *keys)}
        self._tensors[name] = {"features": features.finish(), **kept}
        self._featured.add(name)
        self._rows[name], self._packed[name] = ("features",), packed

    def put_runs(
        self,
        name: str,
        make: Callable[[dict[str, Tensor]], tuple[Tensor, dict[str, Tensor]]],
        pointer: str,
        chunk: int = 8192,
    ) -> None:
        """Adds packed runs to a modality's tensors, worked out once; what is there stays, also runs of this name.

        Args:
            name: The modality.
            make: From the tensors of some observations, a dict as in ``PatientBatch``: the length of each observation's
                run, int64 [e], and the tensors that are packed, each [sum of lengths, ...].
            pointer: Key under which the runs' pointers are given out.
            chunk: Observations at a time.

        Raises:
            OSError: As of :meth:`put_features`.
        """
        if pointer in self._packed[name]:
            return
        total = int((self._edge_of[name] >= 0).sum())
        device = self._edge_of[name].device
        lengths: list[Tensor] = []
        growing: dict[str, GrowingTensor] = {}
        for edges in torch.arange(total, device=device).split(chunk):
            own, tensors = make(self._take(name, edges))
            lengths.append(own)
            for key, values in tensors.items():
                growing.setdefault(key, GrowingTensor()).append(values)
        length = torch.cat(lengths)
        packed = {key: values.finish() for key, values in growing.items()}
        self._tensors[name] |= {pointer: torch.cat([length.new_zeros(1), length.cumsum(0)]), **packed}
        self._packed[name] = {**self._packed[name], pointer: tuple(packed)}

    def _take(self, name: str, edges: Tensor) -> dict[str, Tensor]:
        """The observations ``edges`` of one modality."""
        tensors = self._tensors[name]
        taken = {key: take_rows(tensors[key], edges) for key in self._rows[name]}
        for pointer, keys in self._packed[name].items():
            taken[pointer], cells = take_runs(tensors[pointer], edges)
            for key in keys:
                taken[key] = take_rows(tensors[key], cells)
        return taken
