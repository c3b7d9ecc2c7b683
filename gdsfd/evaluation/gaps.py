"""How far apart the slices of one kind are: the worst against the best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gdsfd.evaluation.estimate import Estimate
from gdsfd.evaluation.score import Scored, difference
from gdsfd.evaluation.slices import Slice

__all__ = ["GAP_FIGURES", "Gap", "gaps_of"]

#: Figures whose spread over slices is reported: discrimination, and the rates at the tuning-fixed threshold.
GAP_FIGURES: tuple[str, ...] = ("auroc", "tpr", "fpr")


@dataclass(frozen=True)
class Gap:
    """The spread of a figure over the slices of one kind.

    The two slices are picked because they are extreme, so a gap is larger than 0 even where nothing is wrong; the
    interval takes the two as given.

    Args:
        kind: The slices' kind.
        figure: Which figure.
        highest: Name of the slice with the highest figure.
        lowest: Name of the slice with the lowest.
        estimate: Highest less lowest.
        compared: Slices with a figure.
        left_out: Slices without one.
    """

    kind: str
    figure: str
    highest: str
    lowest: str
    estimate: Estimate
    compared: int
    left_out: int


def gaps_of(slices: Sequence[Slice], scored: Sequence[Scored], level: float = 0.95) -> list[Gap]:
    """Gaps between environments and between the values of each group.

    Args:
        slices: The slices.
        scored: Their figures.
        level: Coverage of the intervals.
    """
    gaps = []
    for kind in dict.fromkeys(one.kind for one in slices):
        if kind != "environment" and not kind.startswith("group: "):
            continue
        for figure in GAP_FIGURES:
            own = [(one.name, found) for one, found in zip(slices, scored) if one.kind == kind and not one.pooled]
            known = sorted(
                ((name, found) for name, found in own if found[figure].defined), key=lambda pair: pair[1][figure].value
            )
            left_out = len(own) - len(known)
            if len(known) < 2:
                reason = f"fewer than two of {len(own)} have a figure"
                gaps.append(Gap(kind, figure, "", "", Estimate.undefined(reason), len(known), left_out))
                continue
            (lowest, low), (highest, high) = known[0], known[-1]
            gap = difference(high, low, figure, level)
            gaps.append(Gap(kind, figure, highest, lowest, gap, len(known), left_out))
    return gaps
