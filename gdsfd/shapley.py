r"""What each modality is worth over all orders in which modalities could be added.

With V(S) the figure of the best that is made of a set S of K modalities,

.. math:: \phi_k = \sum_{S \not\ni k} \frac{|S|! \, (K - |S| - 1)!}{K!} \, \bigl(V(S \cup k) - V(S)\bigr)

Values of all modalities add up to V(all) less V(none); two that are worth the same in every set have the same
value; one that adds nothing to any set has 0.

References:
    Shapley, A value for n-person games (1953).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from gdsfd.errors import InputError

__all__ = ["drawn_orders", "sets_in", "shapley", "shapley_by_orders", "subsets"]

Floats = NDArray[np.float64]
Set = frozenset[str]


def subsets(names: Sequence[str]) -> list[Set]:
    """All sets of names that are not empty, small ones first; 2^K - 1 of them.

    Example:
        >>> [sorted(each) for each in subsets(["a", "b"])]
        [['a'], ['b'], ['a', 'b']]
    """
    return [frozenset(each) for size in range(1, len(names) + 1) for each in combinations(names, size)]


def shapley(values: Mapping[Set, Floats | float], names: Sequence[str]) -> dict[str, Floats]:
    """Exact values from the figures of all sets.

    Args:
        values: Set -> its figure, a number or one for each fit; the empty one, too.
        names: The modalities.

    Raises:
        InputError: A set has no figure.

    Example:
        >>> found = shapley({frozenset(): 0.5, frozenset("a"): 0.7, frozenset("b"): 0.6, frozenset("ab"): 0.8}, "ab")
        >>> {name: round(float(own), 3) for name, own in found.items()}
        {'a': 0.2, 'b': 0.1}
    """
    lacking = [each for each in (Set(), *subsets(names)) if each not in values]
    if lacking:
        raise InputError(f"shapley: no figure of {sorted(lacking[0]) or 'the empty set'}")
    count, found = len(names), {}
    for name in names:
        total: Floats = np.zeros(())
        for without in (Set(), *subsets([each for each in names if each != name])):
            share = math.factorial(len(without)) * math.factorial(count - len(without) - 1) / math.factorial(count)
            total = total + share * (np.asarray(values[without | {name}]) - np.asarray(values[without]))
        found[name] = total
    return found


def drawn_orders(names: Sequence[str], orders: int, seed: int = 0) -> list[tuple[str, ...]]:
    """Orders in which modalities are added, each drawn with its reverse.

    Args:
        names: The modalities.
        orders: How many; an even number.
        seed: Of the draw.
    """
    random, found = np.random.default_rng(seed), []
    for _ in range(orders // 2):
        order = tuple(str(each) for each in random.permutation(np.array(names, dtype=object)))
        found += [order, order[::-1]]
    return found


def sets_in(orders: Sequence[Sequence[str]]) -> list[Set]:
    """Sets that are met on the way along orders, the empty one left out; each once, small ones first."""
    met = {Set(order[: size + 1]) for order in orders for size in range(len(order))}
    return sorted(met, key=lambda each: (len(each), sorted(each)))


def shapley_by_orders(values: Mapping[Set, Floats | float], orders: Sequence[Sequence[str]]) -> dict[str, Floats]:
    """What each modality adds when it comes, the mean over orders; exact over all orders, else an estimate of it.

    They add up to V(all) less V(none) for any orders.

    Args:
        values: Set -> its figure, of all :func:`sets_in` the orders and the empty one.
        orders: As :func:`drawn_orders` gives them.
    """
    found: dict[str, Floats] = {}
    for order in orders:
        for place, name in enumerate(order):
            gain = np.asarray(values[Set(order[: place + 1])]) - np.asarray(values[Set(order[:place])])
            found[name] = found.get(name, np.zeros(())) + gain / len(orders)
    return found
