"""Test patients whose modalities are there, but with holes: single cells gone, or a stretch of time."""

from __future__ import annotations

import copy

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch_geometric.data import HeteroData

from gdsfd.cohort.schema import SUMMARY_COLUMNS, ModalityFields
from gdsfd.graph.from_cohort import edge_type
from gdsfd.graph.modality_ablation import hide_observations

__all__ = ["has_time", "without_cells", "without_window"]

Flags = NDArray[np.bool_]


def has_time(graph: HeteroData) -> bool:
    """Whether some modality is recorded over several steps of time."""
    return any(fields.kind == "events" and fields.steps > 1 for fields in graph.schema.modalities)


def without_cells(
    graph: HeteroData, rate: float, rng: np.random.Generator, rows: Tensor | None = None, name: str = ""
) -> HeteroData:
    """A copy whose cells are deleted at random: numbers and levels of tables, items of events at all times, codes.

    Embeddings stay. A patient left without any cell of a modality loses the modality.

    Args:
        graph: The graph.
        rate: Probability with which each cell goes.
        rng: Of the draws.
        rows: Patients who lose cells; default: all.
        name: The modality that loses cells; default: every one.
    """
    made, hidden, mine = copy.copy(graph), _nobody(graph), _concerned(graph, rows)
    for number, fields in enumerate(graph.schema.modalities):
        edges = made[edge_type(fields.name)]
        owner = edges.edge_index[0]
        if not owner.numel() or (name and fields.name != name):
            continue
        own = mine[owner]
        if fields.kind == "table":
            values = {key: edges[key].clone() for key in ("numeric", "categorical")}
            values["numeric"][_drawn(values["numeric"].shape, rate, rng) & own[:, None]] = float("nan")
            values["categorical"][_drawn(values["categorical"].shape, rate, rng) & own[:, None]] = 0
            left = values["numeric"].isfinite().any(1) | (values["categorical"] > 0).any(1)
            for key, value in values.items():
                edges[key] = value
        elif fields.kind == "events":
            gone = _drawn((owner.numel(), len(fields.items)), rate, rng) & own[:, None]
            left = _keep_events(edges, ~gone)
        elif fields.kind == "codes":
            run = torch.repeat_interleave(torch.arange(owner.numel()), edges.run_ptr.diff())
            kept = ~(_drawn((run.numel(),), rate, rng) & own[run])
            left = _keep_runs(edges, "run_ptr", ("code",), run, kept)
        else:
            continue
        hidden[owner[~left & own], number] = True
    return hide_observations(made, hidden)


def without_window(
    graph: HeteroData, share: float, rng: np.random.Generator, rows: Tensor | None = None, name: str = ""
) -> HeteroData:
    """A copy in which each patient's events of a stretch of time are deleted, the same stretch in all modalities.

    Summaries of the items that lost something are worked out anew from the steps that remain: counts in proportion, the
    others from the steps' means. A patient left without any event of a modality loses it.

    Args:
        graph: The graph.
        share: Length of the stretch as a share of the time that each modality is recorded over.
        rng: Of where it begins.
        rows: Patients who lose events; default: all.
        name: The modality that loses events; default: every one.
    """
    made, hidden, mine = copy.copy(graph), _nobody(graph), _concerned(graph, rows)
    begin = torch.from_numpy(rng.random(int(graph["patient"].num_nodes)) * (1 - share))
    for number, fields in enumerate(graph.schema.modalities):
        if fields.kind != "events" or fields.steps < 2 or (name and fields.name != name):
            continue
        edges = made[edge_type(fields.name)]
        owner = edges.edge_index[0]
        run = torch.repeat_interleave(torch.arange(owner.numel()), edges.run_ptr.diff())
        place = (edges.step.to(torch.float64) + 0.5) / fields.steps
        first = begin[owner][run]
        kept = (place < first) | (place >= first + share) | ~mine[owner][run]
        left = _keep_steps(edges, fields, run, kept)
        hidden[owner[~left & mine[owner]], number] = True
    return hide_observations(made, hidden)


def _nobody(graph: HeteroData) -> Tensor:
    return torch.zeros((int(graph["patient"].num_nodes), len(graph.schema.names)), dtype=torch.bool)


def _concerned(graph: HeteroData, rows: Tensor | None) -> Tensor:
    mine = torch.full((int(graph["patient"].num_nodes),), rows is None)
    if rows is not None:
        mine[rows] = True
    return mine


def _drawn(shape: tuple[int, ...] | torch.Size, rate: float, rng: np.random.Generator) -> Tensor:
    return torch.from_numpy(rng.random(tuple(shape)) < rate)


def _keep_runs(edges: object, pointer: str, keys: tuple[str, ...], run: Tensor, kept: Tensor) -> Tensor:
    """Takes out packed values that are not kept; which runs still hold any."""
    store: dict[str, Tensor] = edges  # type: ignore[assignment]
    total = store[pointer].numel() - 1
    counts = torch.bincount(run[kept], minlength=total)
    store[pointer] = torch.cat([counts.new_zeros(1), counts.cumsum(0)]).to(store[pointer].dtype)
    for key in keys:
        store[key] = store[key][kept]
    return counts > 0


def _keep_events(edges: object, item_kept: Tensor) -> Tensor:
    """Takes out all times of some items of some patients; ``item_kept`` bool [E, items]."""
    store: dict[str, Tensor] = edges  # type: ignore[assignment]
    rows = torch.arange(item_kept.shape[0])
    run = torch.repeat_interleave(rows, store["run_ptr"].diff())
    _keep_runs(edges, "run_ptr", ("step", "item", "value"), run, item_kept[run, store["item"].long()])
    run = torch.repeat_interleave(rows, store["summary_ptr"].diff())
    kept = item_kept[run, store["summary_item"].long()]
    return _keep_runs(edges, "summary_ptr", ("summary_item", "summary"), run, kept)


def _keep_steps(edges: object, fields: ModalityFields, run: Tensor, kept: Tensor) -> Tensor:
    """Takes out single steps and works out the summaries of what lost some."""
    store: dict[str, Tensor] = edges  # type: ignore[assignment]
    items = len(fields.items)
    total = store["run_ptr"].numel() - 1
    series = run * items + store["item"].long()  # [M]: number of patient and item
    before = torch.bincount(series, minlength=total * items)
    after = torch.bincount(series[kept], minlength=total * items)
    rows = torch.repeat_interleave(torch.arange(total), store["summary_ptr"].diff())
    own = rows * items + store["summary_item"].long()  # [S]
    summary = store["summary"].clone()
    changed = (after[own] < before[own]) & (after[own] > 0)
    if changed.any():
        where, value = series[kept], store["value"][kept].to(torch.float64)
        order = torch.argsort(where * fields.steps + store["step"][kept].long(), stable=True)
        where, value = where[order], value[order]
        ends = after.cumsum(0)
        zero = torch.zeros(total * items, dtype=torch.float64)
        mean = zero.scatter_add(0, where, value) / after.clamp(min=1)
        low = zero.scatter_reduce(0, where, value, "amin", include_self=False)
        high = zero.scatter_reduce(0, where, value, "amax", include_self=False)
        some = own[changed]
        count = summary[changed, SUMMARY_COLUMNS.index("count")] * after[some] / before[some]
        columns = {"count": count.round().clamp(min=1), "mean": mean[some], "min": low[some], "max": high[some]}
        columns |= {"first": value[ends[some] - after[some]], "last": value[ends[some] - 1]}
        for name, column in columns.items():
            summary[changed, SUMMARY_COLUMNS.index(name)] = column.to(summary.dtype)
    store["summary"] = summary
    _keep_runs(edges, "summary_ptr", ("summary_item", "summary"), rows, after[own] > 0)
    return _keep_runs(edges, "run_ptr", ("step", "item", "value"), run, kept)
