"""Which strata a model averages over, and what the average does to its predictions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from gdsfd.evaluation.config import EvaluationConfig
from gdsfd.evaluation.metrics.bootstrap import SubjectBootstrap
from gdsfd.evaluation.metrics.formulas import mean_or_nan
from gdsfd.evaluation.report.sections.strata.movement import Movement, movement, subgroup_shifts
from gdsfd.evaluation.report.sections.strata.predictions import StratumPredictions, predict_strata
from gdsfd.evaluation.subgroups.slices import pattern_description
from gdsfd.evaluation.targets import Target, labels_of, rows_of_split, target_names
from gdsfd.graph.availability import presence_of
from gdsfd.nn.stream_predictor import StreamPredictor
from gdsfd.training.stratum_assignment import assign_strata, has_strata, member_groups
from gdsfd.training.suspects.strata import environment_codes

if TYPE_CHECKING:
    from gdsfd.nn.adjustment.config import PrototypeConfig
    from gdsfd.nn.adjustment.stratified_adjustment import StratifiedAdjustment
    from gdsfd.nn.ensemble import Ensemble

__all__ = ["SplitStrata", "Strata", "StrataTable", "Stratum", "StratumOnSplit", "judge_strata"]

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Stratum:
    """One stratum, as it is among training patients.

    Args:
        name: Pattern, environment and cluster in words.
        patients: Its training patients.
        exact: Share of them that have just the pattern of the name; the others have a rarer one near it. NaN where
            patterns are not told apart or there are no training patients.
        mass: Its weight in the average.
        outcome: Target -> share of positives among its labelled training patients.
        environments: Environment -> share of its training patients, the largest first; empty where none is declared.
    """

    name: str
    patients: int
    exact: float
    mass: float
    outcome: dict[str, float]
    environments: dict[str, float]


@dataclass(frozen=True)
class StrataTable:
    """The strata of some members of a network: of all of them, unless clusters differ.

    Args:
        members: Numbers of the members.
        strata: The strata, in the order of the network.
    """

    members: tuple[int, ...]
    strata: tuple[Stratum, ...]


@dataclass(frozen=True)
class StratumOnSplit:
    """One stratum on a split.

    Args:
        patients: The split's patients in it (by the first of the table's members).
        predicted: Target -> mean prediction of all the split's patients, were they in this stratum.
        moved: Target -> mean change of its own patients' predictions by averaging; NaN without patients.
    """

    patients: int
    predicted: dict[str, float]
    moved: dict[str, float]


@dataclass(frozen=True)
class SplitStrata:
    """Strata and predictions on a split.

    Args:
        split: Its name.
        patients: Its patients.
        tables: For each table of :class:`Strata` its strata here.
        movements: How predictions move, target by target.
    """

    split: str
    patients: int
    tables: tuple[tuple[StratumOnSplit, ...], ...]
    movements: tuple[Movement, ...]


@dataclass(frozen=True)
class Strata:
    """What a report says of strata.

    Args:
        config: The prototypes' settings.
        fitted: Whether prototypes were fitted before the epoch that was kept; without them nothing is adjusted for.
        predicts: Whether the report's other figures are of this network, and not of the one without debiasing.
        target: Whether masses were set to those of a target site (``Prototypes.target``).
        train: Training patients in the graph.
        tables: The strata.
        splits: What they do, split by split.
    """

    config: dict[str, Any]
    fitted: bool
    predicts: bool
    target: bool
    train: int
    tables: tuple[StrataTable, ...]
    splits: tuple[SplitStrata, ...]

    def to_dict(self) -> dict[str, Any]:
        """A JSON-able copy, for ``metrics.json``."""
        tables = [asdict(table) for table in self.tables]
        for place, table in enumerate(tables):
            for number, stratum in enumerate(table["strata"]):
                stratum["splits"] = {one.split: asdict(one.tables[place][number]) for one in self.splits}
        return {
            "settings": self.config,
            "fitted": self.fitted,
            "predicts": self.predicts,
            "target_masses": self.target,
            "train_patients": self.train,
            "tables": tables,
            "splits": {
                one.split: {
                    "patients": one.patients,
                    "targets": {each.target: each.to_dict() for each in one.movements},
                }
                for one in self.splits
            },
        }


def judge_strata(model: Any, graph: Any, splits: Sequence[str], rules: EvaluationConfig) -> Strata | None:
    """Describes a model's strata and compares its predictions given a patient's own stratum with their average.

    Args:
        model: Any model.
        graph: The graph; the make-up of strata is that of its training patients.
        splits: Splits to judge on.
        rules: How figures are made.

    Returns:
        None for a model that does not average over strata.
    """
    network = getattr(model, "networks", {}).get("debiased")
    if network is None or not has_strata(network):
        return None
    heads = _heads(network)
    names = np.asarray(graph["patient"].split, dtype=str)
    train = np.flatnonzero(names == "train")
    groups = member_groups(network, graph, torch.from_numpy(train))
    assigned = assign_strata(network, graph, torch.from_numpy(train), groups)
    alike = _alike(heads, assigned)
    tables = tuple(
        StrataTable(members, _describe(heads[members[0]], graph, train, assigned[members[0]])) for members in alike
    )
    return Strata(
        config=heads[0].config.to_dict(),
        fitted=all(bool(head.prototypes.fitted) for head in heads),
        predicts=model.choice == "debiased",
        target=any(head.prototypes.target_mass.numel() > 0 for head in heads),
        train=len(train),
        tables=tables,
        splits=tuple(_split(network, graph, split, groups, alike, rules) for split in splits),
    )


def _heads(network: Ensemble) -> list[StratifiedAdjustment]:
    found = [member.deconfounder for member in network.members if isinstance(member, StreamPredictor)]
    return [head for head in found if head is not None]


def _alike(heads: Sequence[StratifiedAdjustment], assigned: Sequence[Ints]) -> list[tuple[int, ...]]:
    """Members with the same strata, by their training patients and masses."""
    kinds: list[list[int]] = []
    for place, head in enumerate(heads):
        mass = head.centers[1]
        for kind in kinds:
            other = heads[kind[0]].centers[1]
            same = mass.shape == other.shape and torch.allclose(mass, other)
            if same and np.array_equal(assigned[place], assigned[kind[0]]):
                kind.append(place)
                break
        else:
            kinds.append([place])
    return [tuple(kind) for kind in kinds]


def _describe(head: StratifiedAdjustment, graph: Any, train: Ints, assigned: Ints) -> tuple[Stratum, ...]:
    """The strata of one member."""
    mass = head.centers[1].tolist()
    group = head.prototypes.group.tolist() if bool(head.prototypes.fitted) else [-1]
    labels, targets = labels_of(graph, train), target_names(graph.schema)
    presence = presence_of(graph).numpy()[train]
    environment = graph["patient"].get("environment")
    places = np.asarray(environment, dtype=object)[train].astype(str) if environment is not None else None
    patterns = "pattern" in head.config.strata and group != [-1]
    stored = head.prototypes.count.round().long().tolist()
    words = _names(head, graph, train, group)
    found = []
    for number, name in enumerate(words):
        inside = assigned == number
        exact = math.nan
        if patterns and inside.any():
            kept = head.groups.patterns.kept[head.groups.pattern_of[group[number]]].numpy()
            exact = float((presence[inside] == kept).all(1).mean())
        patients = int(inside.sum()) if len(train) or not stored else stored[number]
        found.append(
            Stratum(
                name=name,
                patients=patients,
                exact=exact,
                mass=mass[number],
                outcome={target: _share(labels[inside, column]) for column, target in enumerate(targets)},
                environments=_make_up(places[inside]) if places is not None else {},
            )
        )
    return tuple(found)


def _names(head: StratifiedAdjustment, graph: Any, train: Ints, group: Sequence[int]) -> list[str]:
    """Strata in words: pattern, environment, cluster."""
    config: PrototypeConfig = head.config
    if list(group) == [-1]:
        return ["all patients"]
    codes: dict[int, str] = {}
    if "environment" in config.strata and len(train):
        codes = _environments(graph, train, config.least)
    described = head.groups.describe()
    sizes = {each: list(group).count(each) for each in group}
    seen: dict[int, int] = {}
    words = []
    for each in group:
        pattern, code = described[each]
        parts = [pattern_description(pattern.tolist(), graph.schema.names)] if "pattern" in config.strata else []
        if "environment" in config.strata:
            parts.append(codes.get(code, f"environment {code}") if code is not None else "other or unknown environment")
        if sizes[each] > 1:
            seen[each] = seen.get(each, 0) + 1
            parts.append(f"cluster {seen[each]} of {sizes[each]}")
        words.append("; ".join(parts) or "all patients")
    return words


def _environments(graph: Any, train: Ints, least: int) -> dict[int, str]:
    """Code -> the environment, or the environments that share it."""
    numbers = environment_codes(graph, torch.from_numpy(train), least)
    if numbers is None:
        return {}
    words, codes = np.asarray(graph["patient"].environment, dtype=object)[train].astype(str), numbers.numpy()[train]
    shared = {int(code): np.unique(words[codes == code]) for code in np.unique(codes)}
    return {code: str(found[0]) if len(found) == 1 else f"{len(found)} rarer ones" for code, found in shared.items()}


def _share(labels: NDArray[np.float64]) -> float:
    return mean_or_nan(labels[np.isfinite(labels)])


def _make_up(places: NDArray[Any]) -> dict[str, float]:
    names, counts = np.unique(places, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return {str(names[at]): float(counts[at] / counts.sum()) for at in order}


def _split(
    network: Ensemble, graph: Any, split: str, groups: Any, alike: Sequence[tuple[int, ...]], rules: EvaluationConfig
) -> SplitStrata:
    rows = rows_of_split(graph, split)
    predictions = predict_strata(network, graph, torch.from_numpy(rows), groups)
    targets, labels = target_names(graph.schema), labels_of(graph, rows)
    bootstrap = SubjectBootstrap(
        np.asarray(graph["patient"].subject, dtype=str)[rows].tolist(), rules.resamples, rules.seed
    )
    shifts = subgroup_shifts(graph, rows, rules.min_patients)
    moves = []
    for column, name in enumerate(targets):
        labelled = np.flatnonzero(np.isfinite(labels[:, column]))
        target = Target(name, labelled, labels[labelled, column], predictions.intervened[labelled, column])
        observed, intervened = predictions.observed[:, column], predictions.intervened[:, column]
        moves.append(movement(target, observed, intervened, predictions.spread[:, column], shifts, bootstrap, rules))
    return SplitStrata(
        split=split,
        patients=len(rows),
        tables=tuple(_here(predictions, members, targets) for members in alike),
        movements=tuple(moves),
    )


def _here(found: StratumPredictions, members: Sequence[int], targets: Sequence[str]) -> tuple[StratumOnSplit, ...]:
    under = np.mean([found.under[member] for member in members], axis=0)
    own, change = found.stratum[members[0]], found.intervened - found.observed
    return tuple(
        StratumOnSplit(
            patients=int((own == number).sum()),
            predicted={target: float(row[column]) for column, target in enumerate(targets)},
            moved={target: mean_or_nan(change[own == number, column]) for column, target in enumerate(targets)},
        )
        for number, row in enumerate(under)
    )
