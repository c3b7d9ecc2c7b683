"""The graphs of a comparison: which patients train and which are judged, for every seed and held-out environment."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import TypeAlias

import numpy as np
from torch_geometric.data import HeteroData

from gdsfd.cohort.spec import CohortSpec, load_spec
from gdsfd.comparison.leave_one_environment_out import (
    LEAST_PER_CLASS,
    environments_to_leave_out,
    spec_without,
    with_seed,
    without_environment,
)
from gdsfd.errors import InputError, shown
from gdsfd.evaluation.metrics.formulas import Floats
from gdsfd.graph.build import build_graph
from gdsfd.graph.serialization import load_graph
from gdsfd.simulation.truth import TRUTH_FILE, load_truth

__all__ = ["Case", "Source", "cases_of", "confounder_of", "named_sources", "oracle_of"]

#: What may be compared on: a graph, its folder, a spec, or a spec's path.
Source: TypeAlias = HeteroData | CohortSpec | str | Path


@dataclass(frozen=True)
class Case:
    """One graph with its split.

    Args:
        design: The name its lines go by; cases of one design are averaged.
        seed: Of the networks; and of the split where a spec is given.
        holdout: The environment that is the test split, if one is left out.
        make: Builds or loads the graph.
        truth: Folder of a simulated cohort's exports, if known.
    """

    design: str
    seed: int
    holdout: str | None
    make: Callable[[], HeteroData]
    truth: Path | None = None


def named_sources(graphs: Source | Sequence[Source]) -> dict[str, Source]:
    """Names by which several sources are told apart: the folder's or spec's name, with its parent where two are equal.

    Raises:
        InputError: There is nothing, or the same twice.
    """
    listed: list[Source] = list(graphs) if isinstance(graphs, (list, tuple)) else [graphs]
    if not listed:
        raise InputError("compare: expected at least one graph, got none")
    paths = [Path(one).resolve() if isinstance(one, (str, Path)) else None for one in listed]
    names = [path.stem if path is not None and path.suffix == ".toml" else path.name if path else "" for path in paths]
    for number, path in enumerate(paths):
        if path is None:
            names[number] = "graph" if len(listed) == 1 else f"graph {number}"
        elif names.count(names[number]) > 1 or names[number] in ("graph", "spec"):
            names[number] = f"{path.parent.name}/{path.name}"
    if len(set(names)) < len(names):
        raise InputError(f"compare: two of the graphs have the same name: {', '.join(names)}; give each once")
    return dict(zip(names, listed))


def cases_of(
    sources: dict[str, Source],
    seeds: Sequence[int],
    leave_one_environment_out: bool = False,
    graph_per_seed: bool = False,
    truth: Path | None = None,
) -> Iterator[Case]:
    """The cases, seed by seed, so that an interrupted comparison has whole seeds.

    Args:
        sources: Name -> graph, folder, spec or its path. A spec is read anew for every seed, which is then also its
            split's; of a graph only the networks' seed changes.
        seeds: The seeds.
        leave_one_environment_out: Whether each environment is the test split in turn.
        graph_per_seed: Whether the sources are draws of one design: the first has the first seed, and so on.
        truth: Folder of a simulated cohort's exports; default: looked for beside each source.

    Raises:
        InputError: As many graphs as seeds are needed; environments cannot be left out.
    """
    if graph_per_seed and len(sources) != len(seeds):
        raise InputError(f"compare: with one graph per seed there are {len(sources)} graphs but {len(seeds)} seeds")
    design = _shared_name(list(sources)) if graph_per_seed else ""
    opened = {name: _opened(source) for name, source in sources.items()}
    environments: dict[str, list[str | None]] = {}
    for number, seed in enumerate(seeds):
        for position, (name, source) in enumerate(opened.items()):
            if graph_per_seed and position != number:
                continue
            if name not in environments:
                environments[name] = [None]
                if leave_one_environment_out:
                    graph = source if isinstance(source, HeteroData) else build_graph(source, progress=False)
                    environments[name] = [*environments_to_leave_out(graph)]
                    _tell_of_others(name, graph, environments[name])
            place = truth or _truth_beside(sources[name])
            for holdout in environments[name]:
                yield Case(design or name, seed, holdout, partial(_made, source, seed, holdout), place)


def _tell_of_others(name: str, graph: HeteroData, taken: Sequence[str | None]) -> None:
    """Warns of environments that cannot be judged on and so are never left out."""
    others = sorted({str(each) for each in graph["patient"].environment}.difference(map(str, taken)))
    if others:
        warnings.warn(
            f"{name}: {len(others)} environments are never left out, as they have fewer than {LEAST_PER_CLASS} "
            f"labelled patients of two classes (or with and without the event): {shown(others)}",
            stacklevel=3,
        )


def oracle_of(case: Case, graph: HeteroData) -> Floats | None:
    """The true probability of each patient given the causal content on file; None where the truth is not known.

    Raises:
        InputError: The truth is of other patients.
    """
    return _truth_of(case, graph, "oracle")


def confounder_of(case: Case, graph: HeteroData) -> Floats | None:
    """The true confounder U of each patient, as in ``truth.parquet``; None where the truth is not known.

    Raises:
        InputError: The truth is of other patients.
    """
    return _truth_of(case, graph, "u")


def _truth_of(case: Case, graph: HeteroData, column: str) -> Floats | None:
    if case.truth is None:
        return None
    scores = load_truth(case.truth).patients[column].reindex(graph["patient"].id).to_numpy(dtype=np.float64)
    if np.isnan(scores).any():
        raise InputError(
            f"{case.truth}: the truth has no row for {int(np.isnan(scores).sum())} of the graph's patients; it is of "
            "another cohort"
        )
    return scores


def _shared_name(names: list[str]) -> str:
    """What the names begin with, without a number: ``s-0/graph`` and ``s-1/graph`` make ``s``."""
    shared = "".join(letters[0] for letters in takewhile(lambda letters: len(set(letters)) == 1, zip(*names)))
    return shared.rstrip("-_/0123456789") or "graphs"


def _opened(source: Source) -> HeteroData | CohortSpec:
    if isinstance(source, (HeteroData, CohortSpec)):
        return source
    path = Path(source)
    return load_spec(path) if path.suffix == ".toml" else load_graph(path)


def _made(source: HeteroData | CohortSpec, seed: int, holdout: str | None) -> HeteroData:
    if isinstance(source, HeteroData):
        return source if holdout is None else without_environment(source, holdout, seed)
    spec = with_seed(source, seed) if holdout is None else spec_without(source, holdout, seed)
    return build_graph(spec, progress=False)


def _truth_beside(source: Source) -> Path | None:
    """The exports of a simulated cohort in the spec's folder, or beside the graph (as ``gdsfd demo`` puts them)."""
    if isinstance(source, HeteroData):
        return None
    place = source.base_dir if isinstance(source, CohortSpec) else Path(source).resolve().parent
    folders = (place, place / "exports")
    return next((folder for folder in folders if (folder / TRUTH_FILE).is_file()), None)
