"""Found strata as networks are trained with them: responsibilities and margins of all the graph's patients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch_geometric.data import HeteroData

from gdsfd.errors import InputError
from gdsfd.latent.choice import StrataChoice, choose_strata
from gdsfd.latent.found_strata import SUSPECTS

__all__ = ["LatentTargets", "check_one_outcome", "latent_targets"]


@dataclass(frozen=True)
class LatentTargets:
    """What training is told of found strata.

    Args:
        choice: What was found and whether it is used.
        share: ``P(u | x, v, y)`` of labelled patients of ``train`` and ``tuning``, ``P(u)`` of all others; float
            [N, K]. None where strata are not used.
        margin: ``log P(y | u) - log P(y)`` per output, the same for all patients; float [N, K, outputs].
    """

    choice: StrataChoice
    share: Tensor | None = None
    margin: Tensor | None = None


def check_one_outcome(graph: HeteroData) -> None:
    """Refuses a graph of several outcomes: each would have strata of its own, and a network has one loss.

    Raises:
        InputError: There are several.
    """
    names = [each.name for each in graph.schema.outcomes]
    if len(names) > 1:
        raise InputError(
            f"debias 'latent' (found_strata): strata are found inside the classes of one outcome, and this graph has "
            f"{len(names)} ({', '.join(names[:5])}{', ...' if len(names) > 5 else ''}); build it with one of them, or "
            "take debias='margin'"
        )


def latent_targets(
    graph: HeteroData, rows: Mapping[str, Tensor], suspects: Sequence[str], seed: int, force: bool = False
) -> LatentTargets:
    """Finds strata on training patients and works out every patient's share of each.

    The mixture is fitted on labelled training patients alone. Labels of tuning patients choose the number of classes,
    and enter their own responsibilities, which the tuning loss is expected over; nobody else's label is read.

    Args:
        graph: The graph, of one outcome.
        rows: Rows of ``train`` and ``tuning``.
        suspects: The declared suspects; strata can be tied to ``pattern`` and ``environment``.
        seed: Of EM's starts.
        force: Whether at least two classes are used whatever the evidence says.
    """
    check_one_outcome(graph)
    told = tuple(word for word in SUSPECTS if word in suspects)
    parts = {split: each.numpy() for split, each in rows.items()}
    choice = choose_strata(graph, 0, told, seed, force, parts, fit_tuning=False)
    if choice.found is None or not choice.used:
        return LatentTargets(choice)
    found, y = choice.found, graph["patient"].y.numpy()
    label = y if graph.schema.multiclass else np.where(np.isnan(y[:, 0]), -1, np.nan_to_num(y[:, 0])).astype(np.int64)
    known = np.concatenate([parts["train"], parts["tuning"]])
    known = known[label[known] >= 0]
    share = np.tile(found.mixture.marginal, (len(label), 1))
    share[known] = found.responsibilities(graph, known, label[known])
    margin = found.margins() if graph.schema.multiclass else found.margins()[:, 1:] - found.margins()[:, :1]
    return LatentTargets(
        choice,
        torch.from_numpy(share).float(),
        torch.from_numpy(margin).float().expand(len(label), *margin.shape).contiguous(),
    )
