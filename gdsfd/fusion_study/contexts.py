"""The splits a study is made on: seeds, folds, and environments left out."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from torch_geometric.data import HeteroData

from gdsfd.cohort.patients.split import assign_split
from gdsfd.cohort.spec import CohortSpec, SplitSpec, load_spec
from gdsfd.comparison.designs import Case, Source, cases_of, named_sources
from gdsfd.comparison.scores import any_label
from gdsfd.errors import InputError
from gdsfd.graph.build import build_graph
from gdsfd.graph.serialization import load_graph

__all__ = ["contexts"]


def contexts(source: Source, seeds: Sequence[int], folds: int | None = None, environments: bool = False) -> list[Case]:
    """The splits, seed by seed; those with an environment left out stand behind the one of everybody.

    Args:
        source: A graph, its folder, or a spec.
        seeds: Each draws a split of a spec; a graph keeps its own.
        folds: Of a subject-grouped, stratified cross-validation: every seed then makes so many splits, numbered
            ``seed * folds + fold``, of a graph too (whose vocabularies and scales stay).
        environments: Whether each environment is left out in turn, too; with folds once per seed.

    Raises:
        InputError: Fewer than two folds, or environments that cannot be left out.
    """
    if folds is not None and folds < 2:
        raise InputError(f"study: expected at least 2 folds, got {folds}")
    named = named_sources([source])
    plain = list(cases_of(named, seeds))
    left_out = list(cases_of(named, seeds, leave_one_environment_out=True)) if environments else []
    opened = None if folds is None else _opened(source)
    found: list[Case] = []
    for case in plain:
        rest = [each for each in left_out if each.seed == case.seed]
        if folds is None or opened is None:
            found += [case, *rest]
            continue
        number = case.seed * folds
        for fold in range(folds):
            found.append(replace(case, seed=number + fold, make=partial(_fold, opened, case.seed, fold, folds)))
        found += [replace(each, seed=number) for each in rest]
    return found


def _opened(source: Source) -> HeteroData | CohortSpec:
    if isinstance(source, (HeteroData, CohortSpec)):
        return source
    return load_spec(source) if str(source).endswith(".toml") else load_graph(source)


def _fold(source: HeteroData | CohortSpec, seed: int, fold: int, folds: int) -> HeteroData:
    if isinstance(source, CohortSpec):
        split = source.split.model_copy(update={"kind": "subject", "seed": seed, "folds": folds, "fold": fold})
        return build_graph(source.model_copy(update={"split": split}), progress=False)
    made = copy.copy(source)
    spec = SplitSpec(kind="subject", seed=seed, folds=folds, fold=fold)
    made["patient"].split = assign_split(spec, source["patient"].subject, strata=any_label(source)).split
    return made
