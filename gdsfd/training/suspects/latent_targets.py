"""Found strata as networks are trained with them: responsibilities and margins of all the graph's patients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch_geometric.data import HeteroData

from gdsfd.latent.back_door import BackDoor
from gdsfd.latent.choice import StrataChoice, choose_strata
from gdsfd.latent.found_strata import SUSPECTS, FoundStrata
from gdsfd.latent.gaussian_block import Floats, Ints

__all__ = ["MOST_OUTCOMES", "LatentTargets", "latent_targets"]

#: The most outcomes that strata are looked for, each having its own.
MOST_OUTCOMES = 8


@dataclass(frozen=True)
class LatentTargets:
    """What training is told of found strata.

    Args:
        choices: Outcome -> what was found for it and whether it is used.
        share: ``P(u | x, v, y)`` of labelled patients of ``train`` and ``tuning``, ``P(u)`` of all others; float
            [N, K], of several outcomes [N, K, outcomes]. None where strata are used for no outcome.
        margin: ``log P(y | u) - log P(y)`` per output, the same for all patients; where an outcome has no strata that
            are used the margin of the declared suspects; float [N, K, outputs].
    """

    choices: Mapping[str, StrataChoice]
    share: Tensor | None = None
    margin: Tensor | None = None

    def back_doors(self) -> dict[str, BackDoor]:
        """Outcome -> the strata that are averaged out for it."""
        used = {name: each.found for name, each in self.choices.items() if each.used}
        return {name: BackDoor.of(found) for name, found in used.items() if found is not None}

    def to_dict(self) -> dict[str, Any]:
        """What was found and whether it is used, JSON-able; of several outcomes by outcome."""
        told = {name: each.to_dict() for name, each in self.choices.items()}
        if len(told) == 1:
            return next(iter(told.values()))
        used = [name for name, each in told.items() if each["used"]]
        words = f"Averaged out for {', '.join(used)}" if used else "Averaged out for none"
        return {"used": bool(used), "sentence": f"{words} of {len(told)} outcomes.", "by_outcome": told}


def latent_targets(
    graph: HeteroData,
    rows: Mapping[str, Tensor],
    suspects: Sequence[str],
    seed: int,
    force: bool = False,
    declared: Tensor | None = None,
) -> LatentTargets:
    """Finds strata of each outcome on training patients and works out every patient's share of each.

    The mixture is fitted on labelled training patients alone. Labels of tuning patients choose the number of classes,
    and enter their own responsibilities, which the tuning loss is expected over; nobody else's label is read. Of more
    than :data:`MOST_OUTCOMES` outcomes none is looked at.

    Args:
        graph: The graph.
        rows: Rows of ``train`` and ``tuning``.
        suspects: The declared suspects; strata can be tied to ``pattern`` and ``environment``.
        seed: Of EM's starts.
        force: Whether at least two classes are used whatever the evidence says.
        declared: Margins of the declared suspects, float [N, outputs]; None = 0. What outcomes without strata get
            beside others that have some.
    """
    names = [each.name for each in graph.schema.outcomes]
    if len(names) > MOST_OUTCOMES:
        words = f"No strata were looked for: {len(names)} outcomes would each have their own (at most {MOST_OUTCOMES})."
        return LatentTargets({name: StrataChoice(None, False, words) for name in names})
    told = tuple(word for word in SUSPECTS if word in suspects)
    parts = {split: each.numpy() for split, each in rows.items()}
    choices = {
        name: choose_strata(graph, number, told, seed, force, parts, fit_tuning=False)
        for number, name in enumerate(names)
    }
    used = {number: each.found for number, each in enumerate(choices.values()) if each.used and each.found is not None}
    if not used:
        return LatentTargets(choices)
    patients, strata = len(graph["patient"].id), max(each.mixture.classes for each in used.values())
    known = np.concatenate([parts["train"], parts["tuning"]])
    share, margin = np.zeros((patients, strata, len(names))), np.zeros((patients, strata, graph.schema.num_outputs))
    if declared is not None:
        margin += declared.numpy()[:, None]
    share[:, 0] = 1.0  # of an outcome without strata
    for number, found in used.items():
        _fill(graph, number, found, known, share[:, :, number], margin)
    if len(names) == 1:
        share = share[:, :, 0]
    return LatentTargets(choices, torch.from_numpy(share).float(), torch.from_numpy(margin).float())


def _fill(graph: HeteroData, number: int, found: FoundStrata, known: Ints, share: Floats, margin: Floats) -> None:
    """Writes one outcome's shares [N, K] and margins [N, K, outputs]; strata beyond its own stay without a share."""
    y, own = graph["patient"].y.numpy(), found.mixture.classes
    if graph.schema.multiclass:
        label = y
    else:
        label = np.where(np.isnan(y[:, number]), -1, np.nan_to_num(y[:, number])).astype(np.int64)
    known = known[label[known] >= 0]
    share[:] = 0.0
    share[:, :own] = found.mixture.marginal
    share[known, :own] = found.responsibilities(graph, known, label[known])
    if graph.schema.multiclass:
        margin[:, :own] = found.margins()
    else:
        margin[:, :own, number] = found.margins()[:, 1] - found.margins()[:, 0]
