r"""The back-door average over found strata as a fitted classifier, stored as plain arrays.

.. math:: P(y \mid do, x) \propto P(y) \sum_u P(u)\, p(x \mid y, u)

against :math:`P(y) \sum_u P(u \mid y)\, p(x \mid y, u)`, which is what was observed. Our formulation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from gdsfd.errors import InputError
from gdsfd.latent.content import ContentReader
from gdsfd.latent.found_strata import FoundStrata
from gdsfd.latent.gaussian_block import Floats, GaussianBlock
from gdsfd.latent.mixture import Mixture, Observed

__all__ = ["BackDoor"]

#: Parts of the mixture that a prediction needs, and their dimensions.
_PARTS = {"share": 2, "marginal": 1, "outcome": 2, "stratum": 2, "covariance": 2, "masses": 1, "prevalence": 1}
#: Parts of the reader; what was stored before codes were content has no ``presence``.
_READER = {"columns": 1, "source": 1, "centre": 1, "scale": 1, "mixing": 2, "block": 1, "presence": 1}
_ADDED = ("presence",)


@dataclass(frozen=True)
class BackDoor:
    """Averages the classes of a mixture out.

    Args:
        reader: Reads content off the flattened table.
        mixture: The mixture.
        masses: Weights of the classes; [K].
        prevalence: ``P(y)``; [L].
    """

    reader: ContentReader
    mixture: Mixture
    masses: Floats
    prevalence: Floats

    @classmethod
    def of(cls, found: FoundStrata) -> BackDoor:
        """Averages found strata out by their masses among the patients fitted on."""
        prevalence = np.bincount(found.y, minlength=len(found.mixture.share)) / len(found.y)
        return cls(found.reader, found.mixture, found.mixture.marginal, prevalence)

    def predict_proba(self, features: NDArray[np.float32]) -> Floats:
        """Probabilities of all outcomes; [n, L].

        Args:
            features: Rows of the flattened table, NaN = not measured; [n, F].
        """
        if not len(features):
            return np.zeros((0, len(self.prevalence)))
        seen = Observed(self.reader(features), self.reader.block, {})
        density = self.mixture.outcome_log_density(seen, np.tile(self.masses, (len(self.prevalence), 1)))
        return softmax(density + np.log(self.prevalence), axis=1)

    def adapted(self, features: NDArray[np.float32], rounds: int = 20) -> BackDoor:
        """With the masses of other patients, worked out without their labels.

        Args:
            features: Rows of the flattened table; [n, F].
            rounds: Of EM.
        """
        seen = Observed(self.reader(features), self.reader.block, {})
        return replace(self, masses=self.mixture.target_masses(seen, self.prevalence, rounds))

    def log_ratio(self, features: NDArray[np.float32]) -> Floats:
        r"""What other masses of the classes do to each outcome's back-door density, in nats; [n, L].

        .. math:: \log \sum_u P'(u)\, p(x \mid y, u) - \log \sum_u P(u)\, p(x \mid y, u)

        with the masses :math:`P'` and those of the patients fitted on, :math:`P`.

        Args:
            features: Rows of the flattened table, NaN = not measured; [n, F].
        """
        seen, outcomes = Observed(self.reader(features), self.reader.block, {}), len(self.prevalence)
        now, before = (
            self.mixture.outcome_log_density(seen, np.tile(masses, (outcomes, 1)))
            for masses in (self.masses, self.mixture.marginal)
        )
        return np.asarray(now - before, dtype=np.float64)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What is stored."""
        blocks, width = self.mixture.blocks, len(self.mixture.block)
        covariance = np.zeros((width, width))
        for number, each in enumerate(blocks):
            own = np.flatnonzero(self.mixture.block == number)
            covariance[np.ix_(own, own)] = each.covariance
        return {
            **self.reader.arrays(),
            "share": self.mixture.share,
            "marginal": self.mixture.marginal,
            "outcome": np.concatenate([each.outcome for each in blocks], axis=1),
            "stratum": np.concatenate([each.stratum for each in blocks], axis=1),
            "covariance": covariance,
            "masses": self.masses,
            "prevalence": self.prevalence,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], where: str, width: int) -> BackDoor:
        """Reads what :meth:`arrays` gave.

        Args:
            arrays: Name -> array.
            where: The file, for messages.
            width: Columns of the flattened table.

        Raises:
            InputError: An array is missing, or of another type or size.
        """
        wrong = _what_is_wrong(arrays, width)
        if wrong:
            raise InputError(f"{where}: damaged ({wrong}); copy the folder again, or train the model anew")
        block = arrays["block"]
        blocks = []
        for number in range(int(block.max()) + 1):
            own = np.flatnonzero(block == number)
            covariance = arrays["covariance"][np.ix_(own, own)]
            blocks.append(GaussianBlock(arrays["outcome"][:, own], arrays["stratum"][:, own], covariance))
        mixture = Mixture(arrays["share"], {}, tuple(blocks), block, arrays["marginal"])
        return cls(ContentReader.from_arrays(arrays), mixture, arrays["masses"], arrays["prevalence"])


def _what_is_wrong(arrays: Mapping[str, NDArray[Any]], width: int) -> str:
    """Why arrays are not a mixture and its reader, or nothing."""
    for name, dimensions in {**_PARTS, **_READER}.items():
        if name not in arrays and name in _ADDED:
            continue
        if name not in arrays:
            return f"no array {name!r}"
        kind = "i" if name in ("columns", "source", "block", "presence") else "f"
        if arrays[name].dtype.kind != kind or arrays[name].ndim != dimensions:
            return f"array {name!r}: got {arrays[name].dtype} {arrays[name].shape}"
        if kind == "f" and not np.isfinite(arrays[name]).all():
            return f"array {name!r} is not finite"
    (outcomes, classes), size, columns = arrays["share"].shape, len(arrays["block"]), arrays["columns"]
    wanted = {
        "marginal": (classes,),
        "masses": (classes,),
        "prevalence": (outcomes,),
        "outcome": (outcomes, size),
        "stratum": (classes, size),
        "covariance": (size, size),
        "mixing": (len(columns), size),
        "source": (len(columns),),
        "centre": (len(columns),),
        "scale": (len(columns),),
    }
    for name, shape in wanted.items():
        if arrays[name].shape != shape:
            return f"array {name!r}: expected {shape}, got {arrays[name].shape}"
    if outcomes < 2 or not classes or not size:
        return "it has no outcomes, classes or numbers"
    positive = ("share", "marginal", "masses", "prevalence", "scale")
    if any((arrays[name] <= 0).any() for name in positive):
        return "a share or a scale is not above 0"
    if columns.min() < 0 or columns.max() >= width:
        return "a column is out of range"
    if set(np.unique(arrays["block"])) != set(range(int(arrays["block"].max()) + 1)):
        return "its modalities do not fit together"
    presence = arrays.get("presence", np.full(int(arrays["block"].max()) + 1, -1))
    if len(presence) != int(arrays["block"].max()) + 1 or presence.min() < -1 or presence.max() >= width:
        return "its modalities do not fit together"
    if np.linalg.eigvalsh(arrays["covariance"]).min() <= 0:
        return "a covariance is not positive"
    return ""
