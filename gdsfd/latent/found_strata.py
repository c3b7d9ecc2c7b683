"""Confounder strata of a graph: found, weighed, and ready to be averaged over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdsfd.cohort.schema import CohortSchema
from gdsfd.errors import InputError
from gdsfd.graph.availability import presence_of
from gdsfd.graph.flatten import flatten
from gdsfd.latent.beside_severity import likelier_than_one, practice_beside_severity
from gdsfd.latent.coded_evidence import judge_coded
from gdsfd.latent.content import ContentReader, content_readers, ranked_reader
from gdsfd.latent.evidence import TIE_P, Evidence, told_by_suspects, weigh
from gdsfd.latent.gaussian_block import Floats, Ints
from gdsfd.latent.line import fit_line, likelier
from gdsfd.latent.mixture import Mixture, Observed
from gdsfd.latent.number_of_classes import MOST_CLASSES, NumberOfClasses, number_of_classes
from gdsfd.latent.search import Search

__all__ = ["SUSPECTS", "FoundStrata", "find_strata", "observe"]

#: Suspects that strata may be tied to.
SUSPECTS = ("pattern", "environment")
#: The fewest labelled patients of each outcome to fit on, and to hold out.
LEAST_FITTED = 50
LEAST_HELD_OUT = 20
#: The most labelled patients that EM is run on, and that the number of classes is judged on: a draw of a larger cohort.
MOST_FITTED = 20_000


@dataclass(frozen=True)
class FoundStrata:
    """Strata of one outcome.

    Args:
        reader: Reads a graph's content.
        mixture: Fitted on labelled training patients and, unless asked otherwise, on tuning patients.
        number: How the number of classes came about.
        evidence: What it says.
        rows: Patients fitted on, or that those fitted on were drawn from, as rows of the graph; [n].
        y: Their outcomes; [n].
        share: ``P(u | x, v, y)`` of each of them; [n, K].
    """

    reader: ContentReader
    mixture: Mixture
    number: NumberOfClasses
    evidence: Evidence
    rows: Ints
    y: Ints
    share: Floats

    def offsets(self) -> Floats:
        """``logit P(y = 1 | u)`` of a binary outcome, what a predictor is told of the stratum; [K]."""
        prevalence = np.bincount(self.y, minlength=len(self.mixture.share)) / len(self.y)
        joint = np.log(self.mixture.share) + np.log(prevalence)[:, None]
        return joint[1] - joint[0]

    def margins(self) -> Floats:
        """``log P(y | u) - log P(y)`` of every class of the outcome, in nats; [K, L]."""
        return (np.log(self.mixture.share) - np.log(self.mixture.marginal)).T

    def outcome_by_class(self) -> Floats:
        """``P(y | u)`` among the patients fitted on; [K, L]."""
        prevalence = np.bincount(self.y, minlength=len(self.mixture.share)) / len(self.y)
        return np.asarray((prevalence[:, None] * self.mixture.share / self.mixture.marginal).T, dtype=np.float64)

    def responsibilities(self, graph: Any, rows: Ints, y: Ints) -> Floats:
        """``P(u | x, v, y)`` of further patients whose labels may be looked at; [n, K].

        Args:
            graph: The graph.
            rows: The patients, as rows of the graph.
            y: Their outcomes; [n].
        """
        seen = observe(graph, self.reader, rows, self.rows, tuple(self.mixture.views))
        return self.mixture.responsibilities(seen, y)


def observe(graph: Any, reader: ContentReader, rows: Ints, known: Ints, suspects: Sequence[str] = SUSPECTS) -> Observed:
    """What a mixture sees of a graph's patients.

    Args:
        graph: The graph.
        reader: Fitted on training patients.
        rows: Patients, as rows of the graph.
        known: Patients whose patterns and environments have codes; others' that none of them has are missing.
        suspects: Those of ``pattern`` and ``environment`` that are views. One that is the same for all is none.
    """
    return Observed(reader(flatten(graph, rows)[0]), reader.block, _codes(graph, rows, known, suspects))


def _codes(graph: Any, rows: Ints, known: Ints, suspects: Sequence[str]) -> dict[str, Ints]:
    """Name -> code of each patient, -1 = missing, of the suspects that are views."""
    words: dict[str, NDArray[np.str_]] = {}
    if "pattern" in suspects:
        words["pattern"] = np.array(["".join("01"[int(each)] for each in row) for row in presence_of(graph).numpy()])
    environment = graph["patient"].get("environment")
    if "environment" in suspects and environment is not None:
        words["environment"] = np.asarray(environment, dtype=str)
    views = {}
    for name, each in words.items():
        levels = np.unique(each[known][each[known] != ""])
        if len(levels) > 1:
            code = np.searchsorted(levels, each[rows]).clip(0, len(levels) - 1)
            views[name] = np.where(levels[code] == each[rows], code, -1)
    return views


def find_strata(
    graph: Any,
    outcome: str | int = 0,
    *,
    suspects: Sequence[str] = SUSPECTS,
    classes: int | None = None,
    most: int = MOST_CLASSES,
    seed: int = 0,
    rows: Mapping[str, Ints] | None = None,
    fit_tuning: bool = True,
) -> FoundStrata:
    """Finds strata inside the classes of an outcome and weighs whether they are a practice.

    The number of classes is chosen by fitting labelled training patients and looking at the likelihood of labelled
    tuning patients; then both are fitted together (unless ``fit_tuning`` is false). Where too few tuning patients are
    labelled, every fifth training patient is held out instead. Nobody of an evaluation split enters. Of more than
    :data:`MOST_FITTED` patients so many are drawn. Classes that are a practice become levels of a graded one where
    these describe the patients better (:mod:`gdsfd.latent.line`), unless the number of classes is given.

    Numbers are looked at first. Where they show no practice, they are looked at again by rank, for a practice beside
    severity (of a binary outcome; :mod:`gdsfd.latent.beside_severity`), then codes and categories beside them
    (:mod:`gdsfd.latent.coded_evidence`). Both count only where they show a practice; else what numbers said stands.

    Args:
        graph: The graph.
        outcome: Its name or number; a multi-class outcome is taken whole.
        suspects: Of ``pattern`` and ``environment`` what strata may be tied to.
        classes: The number of classes, if it is not to be chosen.
        most: Most classes.
        seed: Of EM's starts.
        rows: Rows of ``train`` and ``tuning``; default: the graph's splits.
        fit_tuning: Whether the mixture is fitted on tuning patients, too. Without them their labels only choose the
            number of classes.

    Raises:
        InputError: Too few labelled patients of an outcome, nothing to look at, or an unknown suspect or outcome.
    """
    unknown = [name for name in suspects if name not in SUSPECTS]
    if unknown:
        raise InputError(f"found strata: expected suspects of {', '.join(SUSPECTS)}, got {unknown[0]!r}")
    y, count, name = _outcome(graph, outcome)
    if rows is None:
        split = np.asarray(graph["patient"].split, dtype=str)
        rows = {part: np.flatnonzero(split == part) for part in ("train", "tuning")}
    train, tuning = (np.sort(rows[part][y[rows[part]] >= 0]) for part in ("train", "tuning"))
    _check_enough(np.concatenate([train, tuning]), y, count, name)
    held_out = tuning
    if _fewest(tuning, y, count) < LEAST_HELD_OUT:
        held_out, fitted = train[::5], np.setdiff1d(train, train[::5])
    else:
        fitted = train
    last = np.concatenate([train, tuning]) if fit_tuning else train

    drawn = _some(last, seed)

    def look(reader: ContentReader, or_nothing: bool = False) -> FoundStrata | None:
        """What is found; None where that counts only as a practice and surely is none."""
        search = None
        if classes is None:
            inner, outer = _some(fitted, seed), _some(held_out, seed)
            inside, outside = (observe(graph, reader, rows, fitted, suspects) for rows in (inner, outer))
            search = Search(inside, y[inner], outcomes=count, seed=seed)
            number = number_of_classes(search, outside, y[outer], most)
        else:
            number = NumberOfClasses(classes, (), ())
        settled = number.chosen < most or classes is not None
        if or_nothing and (number.chosen == 1 or not settled):
            return None
        if search is None or not np.array_equal(fitted, last):
            search = Search(observe(graph, reader, drawn, last, suspects), y[drawn], outcomes=count, seed=seed)
        mixture, _ = search.best(number.chosen)
        mixture = mixture.permuted(np.argsort(mixture.share[-1] - mixture.share[0], kind="stable"))
        seen, own = search.seen, search.y
        evidence = weigh(mixture, seen, own)
        if evidence.adjust and not reader.numbers.all():
            presence = np.array([len(part.rows) / len(own) for part in seen.cells()])
            evidence = judge_coded(evidence, mixture, presence, reader.numbers, settled)
        elif evidence.adjust and classes is None:  # sums of codes have steps, which would look like levels
            mixture, evidence = _graded(mixture, evidence, seen, own)
        if len(drawn) < len(last):
            seen, own = observe(graph, reader, last, last, suspects), y[last]
        return FoundStrata(reader, mixture, number, evidence, last, own, mixture.responsibilities(seen, own))

    def look_beside_severity() -> FoundStrata | None:
        """A practice beside classes of severity, if there is one."""
        reader = ranked_reader(graph, train)
        if reader is None:
            return None
        seen = observe(graph, reader, drawn, last, suspects)
        two = practice_beside_severity(Search(seen, y[drawn], outcomes=count, seed=seed))
        number = None if two is None else likelier_than_one(two[0], seen, y[drawn], seed)
        if two is None or number is None:
            return None
        share = two[0].responsibilities(observe(graph, reader, last, last, suspects), y[last])
        return FoundStrata(reader, two[0], number, two[1], last, y[last], share)

    readers = content_readers(graph, train, y[train])
    found = look(next(readers))
    assert found is not None  # or it would have to be a practice
    # Further looks are taken where the first shows no practice, and count only where they show one: as a practice it
    # would have to be tied to a suspect that tells of the outcome.
    told = told_by_suspects(_codes(graph, drawn, last, suspects), y[drawn])
    if classes is None and not found.evidence.adjust and min(told.values(), default=1.0) < TIE_P:
        beside = look_beside_severity() if count == 2 else None
        if beside is not None:
            return beside
    if not found.evidence.adjust and min(told.values(), default=1.0) < TIE_P:
        for reader in readers:
            coded = look(reader, or_nothing=True)
            if coded is not None and coded.evidence.adjust:
                return coded
    return found


def _graded(mixture: Mixture, evidence: Evidence, seen: Observed, y: Ints) -> tuple[Mixture, Evidence]:
    """Levels on a line where they make patients likelier than classes of a practice and are one, too; else these."""
    line, _ = fit_line(mixture, seen, y)
    if not likelier(line, mixture, seen, y):
        return mixture, evidence
    weighed = weigh(line, seen, y)
    return (line, weighed) if weighed.adjust else (mixture, evidence)


def _some(rows: Ints, seed: int) -> Ints:
    """All patients, or a draw of :data:`MOST_FITTED`, in the order of the graph."""
    if len(rows) <= MOST_FITTED:
        return rows
    return np.sort(np.random.default_rng(seed).choice(rows, MOST_FITTED, replace=False))


def _outcome(graph: Any, outcome: str | int) -> tuple[Ints, int, str]:
    """Class of each patient, -1 = unlabelled; the number of classes; the outcome's name."""
    schema: CohortSchema = graph.schema
    names = [each.name for each in schema.outcomes]
    if isinstance(outcome, str):
        if outcome not in names:
            raise InputError(f"found strata: expected an outcome of {', '.join(names)}, got {outcome!r}")
        outcome = names.index(outcome)
    y = graph["patient"].y.numpy()
    if schema.multiclass:
        return y.reshape(-1).astype(np.int64), len(schema.outcomes[0].classes), names[0]
    column = y.reshape(len(y), -1)[:, outcome]
    return np.where(np.isfinite(column), np.nan_to_num(column), -1).astype(np.int64), 2, names[outcome]


def _fewest(rows: Ints, y: Ints, count: int) -> int:
    return int(np.bincount(y[rows], minlength=count).min())


def _check_enough(rows: Ints, y: Ints, count: int, name: str) -> None:
    fewest = _fewest(rows, y, count)
    if fewest < LEAST_FITTED:
        raise InputError(
            f"outcome {name!r}: strata are found inside outcome classes, and need at least {LEAST_FITTED} labelled "
            f"training and tuning patients of each; one has {fewest}. Leave the arms with found strata out"
        )
