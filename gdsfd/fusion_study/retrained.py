"""What question 1 retrains beside single modalities and all but one: other sets, fewer patients, placebos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gdsfd.fusion_study.contenders import Contender, restricted, trained_under
from gdsfd.shapley import drawn_orders, sets_in, subsets

__all__ = [
    "MOST_RETRAINED",
    "ORDERS",
    "SHARES",
    "hidden_sets",
    "more_sets",
    "on_shares",
    "placebo_fits",
    "subset_model",
]

#: Up to so many modalities gradient boosting is retrained on every set of them.
MOST_RETRAINED = 4
#: Shares of training patients of the learning curve, beside all of them.
SHARES = (0.1, 0.25, 0.5)
#: Orders in which modalities are added where there are too many sets.
ORDERS = 8

_BOOSTING = Contender("boosting", "boosting", False)


def more_sets(modalities: Sequence[str]) -> list[Contender]:
    """Gradient boosting on the sets that :func:`~gdsfd.fusion_study.contenders.restricted` leaves out; none above 4."""
    if len(modalities) > MOST_RETRAINED:
        return []
    have = {frozenset(each.modalities or ()) for each in restricted(modalities)} | {frozenset(modalities)}
    found = []
    for each in subsets(modalities):
        if each not in have:
            names = tuple(name for name in modalities if name in each)
            found.append(replace(_BOOSTING, name=f"boosting, only {' + '.join(names)}", modalities=names))
    return found


def on_shares(modalities: Sequence[str], shares: Sequence[float]) -> list[Contender]:
    """Boosting on all modalities and on each alone, and concatenation, with fewer training patients."""
    whole = [_BOOSTING, *(each for each in restricted(modalities) if len(each.modalities or ()) == 1)]
    whole.append(Contender("concat", "concat", True))
    return [
        replace(each, name=f"{each.name}, {100 * share:g} %", training=f"share {share:g}")
        for each in whole
        for share in shares
    ]


def placebo_fits(names: Sequence[str]) -> list[Contender]:
    """Boosting on all modalities, one of them dealt out anew between patients."""
    return [replace(_BOOSTING, name=f"boosting, {name} permuted", training=f"permuted {name}") for name in names]


def subset_model() -> Contender:
    """One network trained to predict from whatever is left: half of the observations are hidden in every step."""
    made = trained_under(Contender("concat", "concat", True), "dropout 0.5")
    assert made is not None
    return made


def hidden_sets(modalities: Sequence[str]) -> dict[frozenset[str], str]:
    """Set of modalities -> the condition in which test patients keep no others; the empty set is not asked for.

    All sets of up to six modalities, else those on the way along a few orders.
    """
    sets = subsets(modalities) if len(modalities) <= 6 else sets_in(drawn_orders(modalities, ORDERS))
    full = frozenset(modalities)
    return {
        each: "natural" if each == full else f"only {' + '.join(name for name in modalities if name in each)}"
        for each in sets
    }
