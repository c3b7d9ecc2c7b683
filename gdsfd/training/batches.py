"""Where the training loop's batches come from: a grid of scaled inputs on the device, or edge lists."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from gdsfd.graph.patient_store import PatientStore
from gdsfd.large_arrays import without_room
from gdsfd.nn.ensemble import Ensemble
from gdsfd.nn.grid_store import GridStore, why_no_grid
from gdsfd.nn.predictor import Batch

__all__ = ["TrainingBatches"]

_log = logging.getLogger(__name__)

#: Patients at a time where no gradient is asked for: a grid's arrays are to stay in the cache.
_PASS = {True: 256, False: 1024}


class TrainingBatches:
    """Batches of a graph's patients for one network, on its device.

    Args:
        network: The network; its inputs are fitted.
        store: The patients' observations.
        device: Where the network is.
        batch_size: Patients of a training batch.

    Attributes:
        in_grid: Whether batches have fixed shapes (:class:`~gdsfd.graph.grid_batch.GridBatch`).
        why_not: Why they have not, in words.
    """

    def __init__(self, network: Ensemble, store: PatientStore, device: torch.device, batch_size: int) -> None:
        self.device = device
        self.why_not = why_no_grid(network, store, batch_size, device)
        self._source: PatientStore | GridStore = store
        if not self.why_not:
            self.why_not = "the disk has no room for the inputs of all patients"
            with without_room("steps take edge lists, not inputs worked out before"):
                self._source = GridStore.of(network, store, device)
                self.why_not = ""
        self.in_grid = not self.why_not
        if not self.in_grid:
            _log.info("steps take edge lists, member by member: %s", self.why_not)

    def steps(self, rows: Tensor, batch_size: int) -> Iterator[Batch]:
        """The patients in ``rows``, int64 [n] on the CPU, in training batches; the last one may have fewer."""
        return self.of(rows, [len(some) for some in rows.split(batch_size)])

    def of(self, rows: Tensor, sizes: Sequence[int]) -> Iterator[Batch]:
        """The patients in ``rows``, int64 [n] on the CPU, in batches of such sizes, which add up to n.

        Their order is copied to the device at once: between steps nothing waits.
        """
        sizes = list(sizes)
        if not isinstance(self._source, GridStore):
            for some in rows.split(sizes):
                yield self._source.batch(some).to(self.device)
            return
        for here, some in zip(rows.split(sizes), rows.to(self.device).split(sizes)):
            yield self._source.batch(some, here)

    @property
    def apart(self) -> bool:
        """Whether inputs in fixed shapes are not where the network is."""
        return isinstance(self._source, GridStore) and self._source.apart

    def at(self, rows: Tensor) -> Batch:
        """The patients in ``rows``, int64 [n] on the device; in fixed shapes only."""
        assert isinstance(self._source, GridStore)
        return self._source.batch(rows)

    def passes(self, rows: Tensor) -> Iterator[Batch]:
        """The same in batches for a pass without gradients."""
        return self.steps(rows, _PASS[self.in_grid])
