"""What simpler models would have given where the guard compares networks, without debiasing and told the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch_geometric.data import HeteroData

from gdsfd.baselines.baseline import BASELINES
from gdsfd.cohort.patients.split_kind import TAKES_NO_PART
from gdsfd.errors import InputError
from gdsfd.training.fits_at_once import Fits
from gdsfd.training.model_selection.compared_patients import ComparedPatients
from gdsfd.training.model_selection.concordance import Concordance
from gdsfd.training.model_selection.leave_one_environment_out import EnvironmentFold
from gdsfd.training.suspects.suspect_facts import suspect_facts

__all__ = ["SimplerModel", "compare_simpler", "drawn_places", "scores_left_out", "scores_of_folds", "simpler_words"]

Floats = NDArray[np.float64]

#: Of more patients left out so many are drawn: simple models flatten each of them.
MOST_JUDGED = 20_000


@dataclass(frozen=True)
class SimplerModel:
    """A simple model where the guard compares networks.

    Args:
        key: Of the model that is told what the debiased network is told, as baselines are registered.
        plain: Of the same model without debiasing.
        told: Concordance of the plain one, and of the one that is told.
        network: Concordance of the network that predicts, and of whichever of the two the guard would choose.
        choice: Which that is: ``debiased`` or ``reference``.
    """

    key: str
    plain: str
    told: Concordance
    network: Concordance
    choice: str

    @property
    def chosen(self) -> str:
        """Key of the model that the guard would choose."""
        return self.key if self.choice == "debiased" else self.plain

    def to_dict(self) -> dict[str, Any]:
        """A JSON-able copy."""
        return {
            "model": self.key,
            "instead_of": self.plain,
            "choice": self.choice,
            "pairs": self.told.pairs,
            "reference": self.told.reference,
            "other": self.told.other,
            "difference": self.told.difference,
            "low": self.told.low,
            "high": self.told.high,
            "above_network": self.network.difference,
            "above_network_low": self.network.low,
            "above_network_high": self.network.high,
        }


def drawn_places(sizes: Sequence[int]) -> list[NDArray[np.int64]]:
    """Places of the patients whom simple models are asked about, in each part: all, or :data:`MOST_JUDGED` drawn once.

    Args:
        sizes: How many patients each part has.
    """
    random = np.random.default_rng(0)
    every = (np.arange(size) for size in sizes)
    return [
        each if len(each) <= MOST_JUDGED else np.sort(random.choice(each, MOST_JUDGED, replace=False)) for each in every
    ]


def scores_left_out(
    graph: HeteroData,
    rows: Mapping[str, Tensor],
    left_out: Tensor,
    seed: int,
    suspects: tuple[str, ...],
    pairs: Mapping[str, str],
) -> dict[str, Floats]:
    """Fits simple models without some patients; what they say of these.

    Args:
        graph: The graph; it is not changed.
        rows: Rows of ``train`` and ``tuning`` that they are fitted on.
        left_out: Rows of the patients left out.
        seed: Of the models.
        suspects: What the debiased network is told.
        pairs: Models that are told the same -> the same model without it, by their keys
            (:func:`~gdsfd.training.run_record.rivals.told_the_same`).

    Returns:
        Key -> probabilities [n, outputs], in the order of ``left_out``; nothing where an outcome has no labelled
        training patient, which simple models cannot learn.
    """
    inside = copy(graph)
    patient = inside["patient"]
    split = [TAKES_NO_PART] * int(patient.num_nodes)
    for name, own in rows.items():
        for row in own.tolist():
            split[row] = name
    patient.split = split
    ids = [patient.id[row] for row in left_out.tolist()]
    scores = {}
    try:
        facts = suspect_facts(inside, suspects)
        for key in dict.fromkeys([*pairs.values(), *pairs]):
            kind: Any = BASELINES.find(key)  # of those that are told something fit takes facts, too
            model = kind(seed)
            fitted = model.fit(inside, facts) if key in pairs else model.fit(inside)
            scores[key] = fitted.predict_proba(inside, ids=ids)
    except InputError:
        return {}
    return scores


def scores_of_folds(
    folds: list[EnvironmentFold], fits: Fits, seed: int, suspects: tuple[str, ...], pairs: Mapping[str, str]
) -> Callable[[], dict[str, Floats]]:
    """Begins simple models' fits without each fold, or says how to.

    Args:
        folds: What is left out in turn.
        fits: What the fits are asked of.
        seed: Of the models.
        suspects: What the debiased network is told.
        pairs: Models that are told the same -> the same model without it.

    Returns:
        What gives key -> probabilities of the patients left out, fold by fold, of whom each has those at
        :func:`drawn_places`; only of models that every fold has.
    """
    places = drawn_places([len(fold.left_out) for fold in folds])
    asked = [
        fits.aside(scores_left_out, fold.rows, fold.left_out[torch.from_numpy(own)], seed, suspects, pairs)
        for fold, own in zip(folds, places)
    ]

    def gathered() -> dict[str, Floats]:
        parts = [ask() for ask in asked]
        return {key: np.concatenate([part[key] for part in parts]) for key in parts[0] if all(key in p for p in parts)}

    return gathered


def compare_simpler(
    patients: ComparedPatients, predicts: str, pairs: Mapping[str, str], chosen: Callable[[Concordance], str]
) -> Iterator[SimplerModel]:
    """Simple models that have probabilities of the patients, beside the network that predicts.

    Args:
        patients: The patients, with the simple models' probabilities.
        predicts: ``reference`` or ``debiased``: the network that predicts.
        pairs: Models that are told what the debiased network is told -> the same model without it.
        chosen: The guard's rule: which of two models it takes.
    """
    for key, plain in pairs.items():
        if key in patients.scores and plain in patients.scores:
            told = patients.gain(plain, key)
            choice = chosen(told)
            best = key if choice == "debiased" else plain
            yield SimplerModel(key, plain, told, patients.gain(predicts, best), choice)


def simpler_words(simpler: list[SimplerModel], network: str = "the network") -> str:
    """One sentence on the simple model that ranks best; nothing where there is none.

    Args:
        simpler: The simple models.
        network: What they were compared with; of an ensemble it is one member that is fitted without environments.
    """
    known = [each for each in simpler if each.network.pairs]
    if not known:
        return ""
    best = max(known, key=lambda each: each.network.other)
    found = best.network
    name = BASELINES.find(best.chosen).name
    ends = "" if (found.low, found.high) == (-1.0, 1.0) else f", 95 % interval {found.low:+.3f} to {found.high:+.3f}"
    figures = f"{found.other:.3f} there ({found.difference:+.3f} against {network}{ends})"
    if ends and found.low > 0:
        return f" A simpler model ranks better than {network}: {name}, {figures}."
    if ends and found.high < 0:
        return f" Simpler models rank worse; the best, {name}, has {figures}."
    return f" A simpler model may do as well: {name} has {figures}."
