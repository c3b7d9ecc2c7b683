"""Whether there are labels to learn from and to choose the epoch by."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch_geometric.data import HeteroData

from gdsfd.errors import InputError

__all__ = ["check_labels", "check_two_classes"]


def check_labels(graph: HeteroData, rows: Mapping[str, Tensor]) -> None:
    """Refuses splits without a labelled patient.

    Args:
        graph: The graph.
        rows: Rows of ``train`` and ``tuning``.

    Raises:
        InputError: Names the split.
    """
    y = graph["patient"].y
    labelled = ~torch.isnan(y).all(-1) if y.is_floating_point() else y >= 0
    for split, members in rows.items():
        if not bool(labelled[members].any()):
            use = "learn from" if split == "train" else "choose the epoch by"
            raise InputError(f"the split {split!r} has no labelled patient: nothing to {use}")


def check_two_classes(graph: HeteroData, rows: Tensor) -> None:
    """Refuses training patients who all have the same label: every model would predict it for everybody.

    Args:
        graph: The graph.
        rows: Rows of ``train``.

    Raises:
        InputError: No outcome has two classes among them.
    """
    y, outcomes = graph["patient"].y[rows], graph.schema.outcomes
    columns = [y[y >= 0]] if not y.is_floating_point() else [each[~torch.isnan(each)].long() for each in y.T]
    seen = [column.unique() for column in columns]
    if all(each.numel() < 2 for each in seen):
        outcome, classes = next((one, each) for one, each in zip(outcomes, seen) if each.numel())
        raise InputError(
            f"outcome {outcome.name!r}: all labelled training patients are {outcome.classes[int(classes[0])]!r}, there "
            "is nothing to learn; check the outcome in the spec, and how the split was made"
        )
