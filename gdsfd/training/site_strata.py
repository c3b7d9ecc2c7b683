"""Strata at another site: their masses worked out without labels, and what these do to predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file
from torch import Tensor

from gdsfd.cohort.schema import CohortSchema
from gdsfd.errors import InputError
from gdsfd.graph.flatten import flat_width
from gdsfd.latent.back_door import BackDoor
from gdsfd.nn.ensemble import Ensemble
from gdsfd.training.stratum_assignment import assign_strata, member_groups, stream_members

__all__ = ["FILE", "moved", "read_strata", "reweighted", "target_prototypes", "write_strata"]

#: Where a model's folder keeps the mixtures that its strata are known by.
FILE = "strata.safetensors"

Floats = NDArray[np.float64]


def target_prototypes(network: Ensemble, graph: Any, rows: Tensor) -> list[list[float]]:
    """Gives every member's prototypes the masses they have among some patients.

    Environments of the site are unknown to the model: its patients count to the strata of their patterns alone.

    Args:
        network: With prototypes, in evaluation mode.
        graph: The site's graph.
        rows: Its patients; int64 [n].

    Returns:
        The masses of each member.
    """
    groups = member_groups(network, graph, torch.zeros(0, dtype=torch.int64))
    masses = []
    for member, stratum in zip(stream_members(network), assign_strata(network, graph, rows, groups), strict=True):
        assert member.deconfounder is not None
        table = member.deconfounder.prototypes
        table.target(torch.bincount(torch.from_numpy(stratum), minlength=table.num_strata).float())
        masses.append([float(each) for each in table.mass])
    return masses


def moved(strata: Mapping[str, BackDoor]) -> bool:
    """Whether the masses of any outcome's strata are not those of the training patients."""
    return any(not np.array_equal(each.masses, each.mixture.marginal) for each in strata.values())


def reweighted(
    probability: Floats, strata: Mapping[str, BackDoor], schema: CohortSchema, features: NDArray[np.float32]
) -> Floats:
    r"""Probabilities under other masses of found strata.

    .. math:: P'(y \mid do(x)) \propto P(y \mid do(x)) \,
        \frac{\sum_u P'(u)\, p(x \mid y, u)}{\sum_u P(u)\, p(x \mid y, u)}

    with the network's prediction on the right and the mixture's densities beside it. Where strata and outcome show in
    different places, or a patient's stratum is plain to see, the ratio is the same for every outcome and nothing moves.

    Args:
        probability: As :meth:`~gdsfd.training.debiaser.Debiaser.predict_proba` gives them; [n, classes].
        strata: Outcome -> its strata.
        schema: The model's.
        features: The patients' rows of the flattened table; [n, F].

    References:
        Our formulation.
    """
    names = [each.name for each in schema.outcomes]
    if len(names) == 1:
        (own,) = strata.values()
        weighed = probability * np.exp(_centred(own.log_ratio(features)))
        return np.asarray(weighed / weighed.sum(1, keepdims=True), dtype=np.float64)
    found = probability.copy()
    for name, own in strata.items():
        column, ratio = names.index(name), np.exp(_centred(own.log_ratio(features)))
        yes, no = found[:, column] * ratio[:, 1], (1.0 - found[:, column]) * ratio[:, 0]
        found[:, column] = yes / (yes + no)
    return found


def _centred(log_ratio: Floats) -> Floats:
    """The same up to a factor that all outcomes share; at most 1."""
    return np.asarray(log_ratio - log_ratio.max(1, keepdims=True), dtype=np.float64)


def write_strata(folder: Path, strata: Mapping[str, BackDoor]) -> list[str]:
    """Writes found strata into a model's folder.

    Returns:
        The outcomes they are of, in the order of the file's numbers.
    """
    if strata:
        arrays = {
            f"{number}.{name}": np.ascontiguousarray(array)
            for number, each in enumerate(strata.values())
            for name, array in each.arrays().items()
        }
        save_file(arrays, folder / FILE)
    return list(strata)


def read_strata(folder: Path, outcomes: Sequence[str], schema: CohortSchema) -> dict[str, BackDoor]:
    """Reads what :func:`write_strata` wrote.

    Args:
        folder: The model's.
        outcomes: What that function gave.
        schema: The model's.

    Raises:
        InputError: The file is missing or damaged, or an outcome is none of the model's.
    """
    if not outcomes:
        return {}
    path, known = folder / FILE, [each.name for each in schema.outcomes]
    unknown = [name for name in outcomes if name not in known]
    if unknown:
        raise InputError(
            f"{folder / 'model.json'}: strata: expected outcomes of {', '.join(known)}, got {unknown[0]!r}"
        )
    try:
        arrays = load_file(path)
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path}: missing or damaged ({str(error).splitlines()[0]}); copy the folder again") from None
    parts: list[dict[str, NDArray[Any]]] = [{} for _ in outcomes]
    for name, array in arrays.items():
        number, _, part = name.partition(".")
        if number.isdigit() and int(number) < len(parts):
            parts[int(number)][part] = array
    width = flat_width(schema)
    return {name: BackDoor.from_arrays(own, str(path), width) for name, own in zip(outcomes, parts, strict=True)}
