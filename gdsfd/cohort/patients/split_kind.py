"""SplitKind: a way of sharing patients out to train, tuning and test, and the registry of ways.

>>> from gdsfd.cohort.patients.split_kind import SPLIT_KINDS
>>> SPLIT_KINDS.find("time").needs_column, "latest" in SPLIT_KINDS
(True, False)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gdsfd.registry import REGISTRIES, Registry

if TYPE_CHECKING:
    from gdsfd.cohort.spec import SplitSpec

__all__ = ["LEFT_OUT", "SPLIT_KINDS", "TAKES_NO_PART", "SplitAssignment", "SplitKind", "SplitRequest", "quotas"]

LEFT_OUT = ""  #: the patient belongs to no split and leaves the cohort
TAKES_NO_PART = "left out"  #: the patient stays in a graph and is in none of its splits


@dataclass
class SplitAssignment:
    """Result of :func:`~gdsfd.cohort.patients.split.assign_split`.

    Args:
        split: Split name per patient; :data:`LEFT_OUT` where it has none.
        left_out: Why patients were left out.
        notes: What the user should know.
        warnings: What is probably not meant.
    """

    split: list[str]
    left_out: str = ""
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class SplitRequest:
    """What a split is made from.

    Args:
        spec: The spec's ``[split]``.
        subject: The person each patient belongs to; [N].
        names: The subjects, each once; [S].
        owner: For each patient its subject, a place in ``names``; int64 [N].
        stratum: What random kinds balance, usually the label, by subject; int64 [S].
        order: The subjects by stratum, then at random: by a hash of ``spec.seed`` and name; int64 [S].
        environment: Each patient's environment; [N], or None.
        column: The values of ``spec.column``, None = blank; [N], or None.
    """

    spec: SplitSpec
    subject: Sequence[str]
    names: NDArray[np.str_]
    owner: NDArray[np.int64]
    stratum: NDArray[np.int64]
    order: NDArray[np.int64]
    environment: Sequence[str] | None = None
    column: Sequence[str | None] | None = None


@dataclass(frozen=True)
class SplitKind:
    """A kind of split. All patients of a subject must come out in one split, or left out.

    Args:
        assign: Shares out the patients.
        needs_column: Whether the spec must name ``split.column``.
        needs_environment: Whether the spec must declare ``cohort.environment``.
        needs_holdout: Whether the spec must name ``split.holdout``, environments that patients have.
        takes_folds: Whether ``split.folds`` goes with it.
        by_name: Whether the column's values are names of splits; new patients then keep them.
    """

    assign: Callable[[SplitRequest], SplitAssignment]
    needs_column: bool = False
    needs_environment: bool = False
    needs_holdout: bool = False
    takes_folds: bool = False
    by_name: bool = False

    @property
    def declared_in(self) -> str:
        """The module that declares the kind."""
        return self.assign.__module__


#: Every kind of split, by name. As with kinds of modality, there is one registry however often this is imported.
SPLIT_KINDS: Registry[SplitKind] = REGISTRIES.get("split kind") or Registry(
    "split kind", ["gdsfd.cohort.patients.split"]
)


def quotas(
    order: NDArray[np.int64], stratum: NDArray[np.int64], shares: Sequence[float], labels: Sequence[str]
) -> NDArray[np.object_]:
    """Shares out each stratum in turn; what rounding leaves over is carried to the next stratum.

    Args:
        order: Subjects in the order in which they are dealt; int64.
        stratum: Stratum of every subject; int64 [S].
        shares: Share of each split.
        labels: Name of each split.

    Returns:
        A split name per subject; :data:`LEFT_OUT` for those not in ``order``; [S].
    """
    result = np.full(len(stratum), LEFT_OUT, dtype=object)
    total = float(sum(shares))
    carried = np.zeros(len(shares))
    for value in np.unique(stratum[order]):
        members = order[stratum[order] == value]
        wanted = np.asarray(shares) / total * len(members) + carried
        counts = np.maximum(np.floor(wanted + 1e-9), 0).astype(int)
        while counts.sum() > len(members):
            counts[np.argmax(counts - wanted)] -= 1
        for _ in range(len(members) - int(counts.sum())):
            counts[np.argmax(wanted - counts)] += 1
        carried = wanted - counts
        result[members] = np.repeat(np.array(labels, dtype=object), counts)
    return result
