"""What each stream's code knows: cross-fitted probes with a band of what chance gives."""

from __future__ import annotations

import logging
import math
from copy import copy
from dataclasses import asdict, astuple, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gdsfd.baselines.lightgbm_trees import load_lightgbm
from gdsfd.errors import InputError, NotFittedError
from gdsfd.evaluation.diagnostics.probe_fits import (
    Components,
    Floats,
    areas_within_folds,
    boosted_scores,
    linear_scores,
)
from gdsfd.evaluation.diagnostics.probe_folds import Numbers, permuted_rows, subject_folds
from gdsfd.evaluation.diagnostics.probe_targets import ProbeTarget, outcome_classes, probe_targets
from gdsfd.graph.loader import rows_of
from gdsfd.simulation.truth import Truth

if TYPE_CHECKING:
    from gdsfd.training.debiaser import Debiaser

__all__ = ["Probe", "ProbeScore", "Probes", "probe_codes", "probe_streams"]

_log = logging.getLogger(__name__)

FOLDS = 5
#: Standard deviations of the permuted figures on each side of their mean: a 95 % band.
BAND = 1.96


@dataclass(frozen=True)
class ProbeScore:
    """An area under the ROC curve beside what chance gives.

    Args:
        auc: Of the linear probe, out of fold; NaN where it is not defined.
        chance: Mean of the same figure with labels permuted.
        low: Lower end of its 95 % band: mean less 1.96 standard deviations.
        high: Upper end.
    """

    auc: float
    chance: float = math.nan
    low: float = math.nan
    high: float = math.nan

    @property
    def beyond_chance(self) -> bool:
        """Whether the figure lies above the band."""
        return self.auc > self.high


@dataclass(frozen=True)
class Probe:
    """What one code knows of one target.

    Args:
        stream: ``causal``, ``biased``, ``reference`` (the network without debiasing), ``debiased`` (a debiased network
            without streams) or ``pooled`` (a model trained without debiasing).
        target: See :class:`~gdsfd.evaluation.diagnostics.probe_targets.ProbeTarget`.
        kind: Likewise.
        levels: Levels told apart; with more than two the figures are means over levels, each against the rest.
        patients: Patients whose level is known.
        all: Among all patients.
        same_outcome: Among patients with the same outcome: probes fitted and judged within each outcome class, averaged
            by pairs. NaN for the outcome itself.
        boosted: Among all patients, by the boosted probe: sees what is not linear. NaN where it was not asked for.
    """

    stream: str
    target: str
    kind: str
    levels: int
    patients: int
    all: ProbeScore
    same_outcome: ProbeScore
    boosted: float


@dataclass(frozen=True)
class Probes:
    """Probes of all streams.

    A causal code must know the outcome, and what goes with the outcome can then be read from it too: its figure for a
    suspect *among all patients* is above chance however well the streams are kept apart. What it knows of the suspect
    *beyond* the outcome shows among patients with the same outcome.

    Args:
        probes: One per stream and target.
        split: Whose patients.
        patients: How many were probed.
    """

    probes: tuple[Probe, ...]
    split: str
    patients: int

    @property
    def streams(self) -> tuple[str, ...]:
        """The streams probed."""
        return tuple(dict.fromkeys(one.stream for one in self.probes))

    def find(self, stream: str, target: str) -> Probe | None:
        """One stream's probe for a target, or None."""
        return next((one for one in self.probes if (one.stream, one.target) == (stream, target)), None)

    def to_frame(self) -> pd.DataFrame:
        """One row per stream and target; ``same_outcome_`` columns are among patients with the same outcome."""
        columns = ["stream", "target", "kind", "levels", "patients"]
        readings = [f"{prefix}{name}" for prefix in ("", "same_outcome_") for name in ("auc", "chance", "low", "high")]
        rows = [
            [*(getattr(one, name) for name in columns), *astuple(one.all), *astuple(one.same_outcome), one.boosted]
            for one in self.probes
        ]
        return pd.DataFrame(rows, columns=[*columns, *readings, "boosted"])

    def to_dict(self) -> dict[str, Any]:
        """A JSON-able copy; figures that are not defined are NaN."""
        return {"split": self.split, "patients": self.patients, "probes": [asdict(one) for one in self.probes]}


def probe_streams(
    model: Debiaser,
    graph: Any,
    split: str = "test",
    truth: Truth | None = None,
    permutations: int = 20,
    boosting: bool = True,
    most: int = 3000,
    seed: int = 0,
) -> Probes:
    """Asks each code of a model what it knows.

    Five folds of subjects; a ridge logistic regression and, where asked for, a small gradient boosting on its leading
    components, fitted on four and judged on the fifth. Nothing of this is used to choose a model.

    Args:
        model: A trained model. With two streams their codes, with other debiasing the debiased network's, and beside
            them the code of the network without debiasing.
        graph: A graph with the model's schema.
        split: The split whose patients are probed.
        truth: Of a simulated cohort (:func:`gdsfd.simulation.truth.load_truth`): adds true U, and the evidence of true
            causal and biased content, cut at its median.
        permutations: Permutations of the labels for the band; at least 2.
        boosting: Whether to fit the boosted probe too.
        most: Patients beyond this many are sampled.
        seed: Of folds, permutations and sampling.

    Raises:
        NotFittedError: The model was not trained.
        InputError: No patient in the split, or ``truth`` of another cohort.
    """
    if not model.networks:
        raise NotFittedError("this Debiaser is not trained: call fit(graph), or Debiaser.load(folder)")
    generator = np.random.default_rng(seed)
    rows = rows_of(graph, split).numpy()
    if len(rows) > most:
        rows = np.sort(generator.choice(rows, most, replace=False))
    targets = probe_targets(graph, rows, model.suspects_ if model.streams is not None else (), truth)
    codes = _codes(model, graph, [graph["patient"].id[int(row)] for row in rows])
    subject = np.unique(np.asarray(graph["patient"].subject, dtype=str)[rows], return_inverse=True)[1]
    probes = probe_codes(
        codes, targets, outcome_classes(graph, rows), subject, permutations, boosting, int(generator.integers(2**31))
    )
    return Probes(tuple(probes), split, len(rows))


def probe_codes(
    codes: dict[str, NDArray[np.floating]],
    targets: list[ProbeTarget],
    outcome: Numbers,
    subject: Numbers,
    permutations: int = 20,
    boosting: bool = True,
    seed: int = 0,
) -> list[Probe]:
    """Probes of any codes.

    Args:
        codes: Name -> one row per patient; each [n, d].
        targets: What they are asked for.
        outcome: Outcome class of each patient, -1 = not known; [n].
        subject: Person of each patient; [n].
        permutations: See :func:`probe_streams`; so are the rest.
        boosting: Whether to fit the boosted probe; it is left out where LightGBM cannot be loaded.
        seed: Of folds and permutations.

    Returns:
        One per code and target, in that order.
    """
    if permutations < 2:
        raise InputError(f"permutations: a band needs at least 2, got {permutations}")
    if boosting:
        try:
            load_lightgbm()
        except InputError as error:
            _log.warning("no boosted probe: %s", error)
            boosting = False
    generator = np.random.default_rng(seed)
    folds = subject_folds(subject, FOLDS, generator)
    everyone = np.arange(len(subject))
    groups = [np.flatnonzero(outcome == value) for value in np.unique(outcome[outcome >= 0])]
    whole = _Columns(targets, everyone, folds, permuted_rows(subject, permutations, generator))
    within = [
        _Columns(targets, rows, folds, permuted_rows(subject[rows], permutations, generator))
        for rows in groups
        if len(rows) >= 4 * FOLDS
    ]
    made = []
    for stream, code in codes.items():
        readings = _readings([whole], code.astype(np.float64), targets)
        conditional = _readings(within, code.astype(np.float64), targets)
        rotated: dict[bytes, Components] = {}
        for number, target in enumerate(targets):
            same = ProbeScore(math.nan) if target.kind == "outcome" else conditional[number]
            boosted = _boosted(code.astype(np.float64), target, folds, seed, rotated) if boosting else math.nan
            known = int((target.label >= 0).sum())
            made.append(
                Probe(
                    stream, target.name, target.kind, target.levels, known, readings[number], same, boosted
                )
            )  # fmt: skip
    return made


class _Columns:
    """All targets' levels as columns of 0/1 labels of some patients, then the same permuted.

    Args:
        targets: The targets.
        rows: The patients.
        folds: Of all patients.
        permuted: Permutations of ``rows``, [P, m].
    """

    def __init__(self, targets: list[ProbeTarget], rows: Numbers, folds: Numbers, permuted: Numbers) -> None:
        self.rows, self.folds, self.permutations = rows, folds[rows], len(permuted)
        columns: list[NDArray[np.int8]] = []
        self.target: list[int] = []
        for number, target in enumerate(targets):
            label = target.label[rows]
            for level in range(1, 2) if target.levels == 2 else range(target.levels):
                columns.append(np.where(label < 0, -1, label == level).astype(np.int8))
                self.target.append(number)
        self.size = len(columns)
        single = np.stack(columns, axis=1) if columns else np.zeros((len(rows), 0), np.int8)
        self.labels = np.concatenate([single, *(single[order] for order in permuted)], axis=1)

    def areas(self, code: Floats) -> tuple[Floats, Floats]:
        """Areas and pairs, each [1 + permutations, columns]."""
        scores = linear_scores(code[self.rows], self.labels, self.folds)
        area, pairs = areas_within_folds(scores, self.labels, self.folds)
        shape = (1 + self.permutations, self.size)
        return area.reshape(shape), pairs.reshape(shape)


def _readings(parts: list[_Columns], code: Floats, targets: list[ProbeTarget]) -> list[ProbeScore]:
    """Each target's area with its band, over groups of patients by their pairs."""
    if not parts:
        return [ProbeScore(math.nan)] * len(targets)
    found = [part.areas(code) for part in parts]
    pairs = sum(pair for _, pair in found)
    won = sum(np.nan_to_num(area) * pair for area, pair in found)
    area = np.divide(won, pairs, out=np.full_like(pairs, np.nan), where=pairs > 0)
    of = np.asarray(parts[0].target)
    made = []
    for number in range(len(targets)):
        mine = area[:, of == number]
        mine = mine[:, np.isfinite(mine[0])]
        if not mine.shape[1]:
            made.append(ProbeScore(math.nan))
            continue
        value = mine.mean(1)
        permuted = value[1:][np.isfinite(value[1:])]  # a permutation may leave every fold with one label only
        if len(permuted) < 2:
            made.append(ProbeScore(float(value[0])))
            continue
        chance, spread = float(permuted.mean()), float(permuted.std(ddof=1))
        made.append(ProbeScore(float(value[0]), chance, chance - BAND * spread, chance + BAND * spread))
    return made


def _boosted(code: Floats, target: ProbeTarget, folds: Numbers, seed: int, rotated: dict[bytes, Components]) -> float:
    if target.levels < 2:
        return math.nan
    scores = boosted_scores(code, target.label, folds, seed, rotated)
    levels = range(1, 2) if target.levels == 2 else range(target.levels)
    labels = np.stack([np.where(target.label < 0, -1, target.label == level) for level in levels], axis=1)
    area, _ = areas_within_folds(scores[:, list(levels)], labels.astype(np.int8), folds)
    defined = area[np.isfinite(area)]
    return float(defined.mean()) if len(defined) else math.nan


def _codes(model: Debiaser, graph: Any, ids: list[str]) -> dict[str, NDArray[np.float32]]:
    """Codes of the debiased network, and of the one without debiasing beside it; the model's choice stays."""
    if "debiased" not in model.networks:
        return model.embed(graph, ids=ids)
    codes = copy(model).use("debiased").embed(graph, ids=ids)
    if "pooled" in codes:
        codes = {"debiased": codes["pooled"]}
    plain = copy(model).use("reference")
    plain.streams = plain.biased_ = None  # a copy: embed() then gives the chosen network's code
    return {**codes, "reference": plain.embed(graph, ids=ids)["pooled"]}
