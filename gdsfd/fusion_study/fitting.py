"""Fits what a study lacks, here or in processes of their own, and says how long it will take."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch_geometric.data import HeteroData

from gdsfd.cohort.patients.split_kind import TAKES_NO_PART
from gdsfd.comparison.cluster import ClusterExecutor
from gdsfd.comparison.designs import Case
from gdsfd.comparison.execution import ProcessExecutor
from gdsfd.comparison.fit_log import FitLog, Record
from gdsfd.fusion_study.contenders import Contender
from gdsfd.fusion_study.figures_table import read_facts
from gdsfd.fusion_study.fits import file_of, fit_contender, losses_in_test
from gdsfd.fusion_study.plan import StudyPlan

__all__ = ["fit_missing", "limited", "seconds_left"]

Tell = Callable[[str], None]


@dataclass(frozen=True)
class StudyJob:
    """One fit, to be made in a process of its own or in this one.

    Args:
        plan: The plan.
        contender: What is fitted.
        seed: Number of the split.
        holdout: The environment that is left out, if one is.
        folder: The study's.
        lost: What test patients lose under the plan's conditions.
        words: What is told when it begins.
    """

    plan: StudyPlan
    contender: Contender
    seed: int
    holdout: str | None
    folder: Path
    lost: Mapping[str, NDArray[np.bool_]]
    words: str

    def fit(self, graph: HeteroData, log: FitLog | None, tell: Tell | None) -> list[Record]:
        """Fits; the facts go to the log when the predictions are on disk."""
        if tell is not None:
            tell(self.words)
        plan = self.plan
        conditions = ("natural",) if self.holdout is not None else plan.conditions_of(self.contender)
        settings, sensitivity = dict(plan.settings or {}), plan.sensitivity
        facts = fit_contender(
            graph, self.contender, self.seed, conditions, settings, sensitivity, self.folder, self.holdout, self.lost
        )
        return log.append([facts]) if log is not None else [facts]


def fit_missing(
    folder: Path,
    plan: StudyPlan,
    file: Path,
    cases: Sequence[Case],
    first: HeteroData,
    jobs: int,
    tell: Tell,
    cluster: str | None = None,
) -> None:
    """Fits what is not in the log, or has no predictions.

    Args:
        folder: The study's.
        plan: The plan.
        file: The log.
        cases: Splits.
        first: The graph of the first of them.
        jobs: Fits at once; each has a share of the processor's threads.
        tell: Told, in words, before each fit.
        cluster: Address of a Dask scheduler on whose workers fits are made; None = here.
    """
    log = FitLog(file, {"plan": plan.hash})
    done = {(line["learner"], line["seed"], line.get("holdout")) for line in read_facts(file)}
    waiting = [
        (case, each)
        for case in cases
        for each in _short_first(plan.fits if case.holdout is None else plan.contenders)
        if (each.name, case.seed, case.holdout) not in done
        or not file_of(folder, each, case.seed, case.holdout).is_file()
    ]
    if not waiting:
        return
    run: _Serial | _Parallel | _OnCluster
    if cluster is not None:
        run = _OnCluster(cluster, log, tell)
    else:
        run = _Parallel(jobs, log, tell) if jobs > 1 else _Serial(log, tell)
    with run:
        _submit(folder, plan, file, cases, first, waiting, run, jobs)


def _submit(
    folder: Path,
    plan: StudyPlan,
    file: Path,
    cases: Sequence[Case],
    first: HeteroData,
    waiting: Sequence[tuple[Case, Contender]],
    run: _Serial | _Parallel | _OnCluster,
    jobs: int,
) -> None:
    number = 0
    for case in cases:
        own = [each for at, each in waiting if at is case]
        if not own:
            continue
        graph = limited(first if case is cases[0] else case.make(), plan.patients, case.seed)
        wanted = plan.conditions if case.holdout is None else ("natural",)
        lost = losses_in_test(graph, wanted, case.seed)
        parts = []
        for each in own:
            number += 1
            without = f" without {case.holdout}" if case.holdout is not None else ""
            words = f"fit {number} of {len(waiting)}: {each.name}, seed {case.seed}{without}"
            parts.append(StudyJob(plan, each, case.seed, case.holdout, folder, lost, words))
        run.begin(waiting, number - len(own), file, jobs)
        run(graph, parts)


def _short_first(contenders: Sequence[Contender]) -> list[Contender]:
    """Boosting before all others, so that the time that all will take is known from the second fit on."""
    return sorted(contenders, key=lambda each: each.name != "boosting")


class _Serial:
    """One fit after another, in this process."""

    def __init__(self, log: FitLog, tell: Tell) -> None:
        self.log, self.tell = log, tell

    def __enter__(self) -> _Serial:
        return self

    def __exit__(self, *error: Any) -> None:
        pass

    def begin(self, waiting: Sequence[tuple[Case, Contender]], number: int, file: Path, jobs: int) -> None:
        """What is still to come, and where the facts of what was are."""
        self.waiting_for, self.number, self.file = [each for _, each in waiting], number, file

    def __call__(self, graph: HeteroData, parts: Sequence[StudyJob]) -> None:
        for part in parts:
            facts = read_facts(self.file)
            self.tell(part.words + _in_words(seconds_left(self.waiting_for[self.number :], facts), facts))
            part.fit(graph, self.log, None)
            self.number += 1


class _Several:
    """What is told of several fits at once."""

    def __init__(self, tell: Tell) -> None:
        self.waiting_for: list[Contender] = []
        self.told, self.number = tell, 0

    def begin(self, waiting: Sequence[tuple[Case, Contender]], number: int, file: Path, jobs: int) -> None:
        """What is still to come, and where the facts of what was are."""
        self.waiting_for, self.file = [each for _, each in waiting], file

    def _told(self, words: str) -> None:
        facts = read_facts(self.file)
        left = seconds_left(self.waiting_for[self.number :], facts) / self.at_once()
        self.number += 1
        self.told(words + _in_words(left, facts))

    def at_once(self) -> int:
        """How many."""
        raise NotImplementedError


class _Parallel(_Several, ProcessExecutor):
    """In processes of this machine."""

    def __init__(self, jobs: int, log: FitLog, tell: Tell) -> None:
        _Several.__init__(self, tell)
        ProcessExecutor.__init__(self, jobs, 1, log, self._told)

    def at_once(self) -> int:
        """As many as there are processes."""
        return self.jobs


class _OnCluster(_Several, ClusterExecutor):
    """On the workers of a cluster."""

    def __init__(self, address: str, log: FitLog, tell: Tell) -> None:
        _Several.__init__(self, tell)
        ClusterExecutor.__init__(self, address, log, self._told)

    def at_once(self) -> int:
        """As many as there are workers now."""
        return max(1, self.workers)


def seconds_left(waiting: Sequence[Contender], facts: Sequence[Mapping[str, Any]]) -> float:
    """How long fits will take, one after another; NaN as long as nothing is known of some kind of them.

    One of a name that was fitted takes what these took on average; another what those of its kind (networks, others)
    did.

    Args:
        waiting: What is still to be fitted, one per fit.
        facts: Of the fits that have ended.

    Example:
        >>> facts = [{"learner": "muse", "seconds": 9.0, "parameters": 5}]
        >>> muse, concat = (Contender(name, name, True) for name in ("muse", "concat"))
        >>> seconds_left([muse, muse, concat], facts), seconds_left([Contender("boosting", "boosting", False)], facts)
        (27.0, nan)
    """
    by_name: dict[str, list[float]] = {}
    by_kind: dict[bool, list[float]] = {True: [], False: []}
    for each in facts:
        seconds = _seconds(each)
        by_name.setdefault(str(each["learner"]), []).append(seconds)
        by_kind[each.get("parameters") is not None].append(seconds)
    left = 0.0
    for one in waiting:
        like = by_name.get(one.name) or by_kind[one.network]
        left += float(np.mean(like)) if like else math.nan
    return left


def _seconds(facts: Mapping[str, Any]) -> float:
    return float(facts.get("seconds_with_predictions", facts["seconds"]))


def _in_words(seconds: float, facts: Sequence[Mapping[str, Any]]) -> str:
    """How long a fit took so far, and how long the rest will take, as far as that is known."""
    if math.isnan(seconds):
        return ""
    each = f", {math.ceil(np.mean([_seconds(one) for one in facts]))} s each so far" if facts else ""
    left = f"{math.ceil(seconds / 60)} min" if seconds > 90 else f"{math.ceil(seconds)} s"
    return f"{each}, about {left} left"


def limited(graph: HeteroData, most: int | None, seed: int) -> HeteroData:
    """The graph with at most so many patients in its splits; whole subjects are drawn, the others take no part."""
    names = np.asarray(graph["patient"].split, dtype=object)
    used = np.isin(names, ["train", "tuning", "test"])
    if most is None or used.sum() <= most:
        return graph
    subjects = np.asarray(graph["patient"].subject, dtype=str)
    order = np.random.default_rng(seed).permutation(np.unique(subjects[used]))
    rank = dict(zip(order.tolist(), range(len(order)), strict=True))
    place = np.array([rank.get(own, len(order)) for own in subjects])
    counts = np.cumsum(np.bincount(place[used], minlength=len(order)))
    kept = used & (place < np.searchsorted(counts, most, side="right"))
    made = graph.clone()
    made["patient"].split = [str(name) if keep else TAKES_NO_PART for name, keep in zip(names, kept, strict=True)]
    return made
