"""Few cases in which every possible pair of settings comes up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import combinations, product
from typing import Any

Case = dict[str, Any]
Pair = frozenset[tuple[str, Any]]


def pairs_of(case: Case) -> set[Pair]:
    """The pairs of settings in a case."""
    return {frozenset(pair) for pair in combinations(case.items(), 2)}


def covering(choices: Mapping[str, tuple[Any, ...]], possible: Callable[[Case], bool]) -> list[Case]:
    """Each case grows by the choice with most new pairs; ``possible`` says of part of a case whether it can be."""
    left = {
        frozenset(((first, one), (second, other)))
        for first, second in combinations(choices, 2)
        for one, other in product(choices[first], choices[second])
        if possible({first: one, second: other})
    }
    cases: list[Case] = []
    while left:
        case: Case = dict(sorted(min(left, key=lambda pair: sorted(map(repr, pair)))))
        for name, known in choices.items():
            options = [case | {name: choice} for choice in known if possible(case | {name: choice})]
            if name not in case:
                case = max(options, key=lambda option: len(pairs_of(option) & left))
        left -= pairs_of(case)
        cases.append(case)
    return cases
