"""Refuses what would end a training, or its end, before any work."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated, Any

from torch_geometric.data import HeteroData

from gdsfd.atomic_write import check_writable
from gdsfd.errors import InputError, cell_text
from gdsfd.graph.check_graph import check_graph, check_subjects, check_values
from gdsfd.graph.loader import rows_of
from gdsfd.nn.objectives import unconditioned
from gdsfd.nn.streams.config import StreamConfig
from gdsfd.setting_checks import Whole, checked
from gdsfd.training.config import TrainConfig
from gdsfd.training.devices import check_device
from gdsfd.training.labels import check_labels, check_two_classes
from gdsfd.training.storage.model_folder import check_free

__all__ = ["check_fit_arguments", "check_place", "check_trainable", "warn_of_outcomes"]

_log = logging.getLogger(__name__)


def check_fit_arguments(out: Any, resume: bool, on_epoch: Any, jobs: Any = 1, devices: int = 1) -> None:
    """Holds the arguments of ``fit`` to their types and to each other.

    Raises:
        InputError: Names the argument.
    """
    if out is not None and not isinstance(out, (str, Path)):
        raise InputError(f"fit: out: expected the path of a folder, got {cell_text(out)}")
    if resume and out is None:
        raise InputError("resume=True needs out=: the folder of the run to go on with")
    if on_epoch is not None and not callable(on_epoch):
        raise InputError(f"fit: on_epoch: expected a function, got {cell_text(on_epoch)}")
    if checked(jobs, Annotated[int, Whole(1, 256)], "fit: jobs") > 1 and devices > 1:
        raise InputError(
            f"fit: {jobs} jobs were asked for, and {devices} devices for each fit; expected one of them to be 1: fits "
            "side by side, or one after the other by several processes"
        )


def check_trainable(graph: HeteroData) -> None:
    """Refuses a graph that nothing can be learned from, or no epoch chosen on.

    Raises:
        InputError: It is no graph of this package, one of new patients, without the split ``tuning``, without labels of
            two classes, with labels or values that cannot be, or with a subject in several splits.
    """
    check_graph(graph)
    check_values(graph)
    if "receipt" in graph and graph.receipt is not None and graph.receipt.new:
        raise InputError(
            "these patients were read with the schema of an earlier cohort (like=, --like): they are there to be "
            "predicted and judged. To train on them build the graph without it"
        )
    if "tuning" not in graph["patient"].split:
        raise InputError(
            "the graph has no split 'tuning', on which the epoch is chosen: give [split] fractions with a second "
            "share above 0, or name some patients 'tuning' in the split column"
        )
    check_subjects(graph)
    rows = {split: rows_of(graph, split) for split in ("train", "tuning")}
    check_labels(graph, rows)
    check_two_classes(graph, rows["train"])


def check_place(config: TrainConfig, out: str | Path | None) -> None:
    """Refuses a device that is not there and a folder that cannot become the run's.

    Raises:
        InputError: Says which, and what to do.
    """
    check_device(config)
    if out is not None:
        check_free(Path(out))
        check_writable(Path(out))


def warn_of_outcomes(graph: HeteroData, streams: StreamConfig | None) -> None:
    """Says so where a mode compares codes inside the classes of some of the outcomes only."""
    if streams is None or graph.schema.multiclass or not (streams.conditional or streams.objective == "mmd"):
        return
    if said := unconditioned(graph.schema.num_outputs):
        _log.warning("%s", said)
