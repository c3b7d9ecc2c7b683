"""Pattern map: against a loop over pairs, its ties, and what it does with patterns nobody had."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from gdsfd.errors import InputError, NotFittedError, SchemaError
from gdsfd.nn.adjustment.pattern_map import PatternMap


def rows(*patterns: str) -> Tensor:
    """``"101*3"`` is three patients with the first and the last of three modalities."""
    listed = []
    for pattern in patterns:
        bits, _, times = pattern.partition("*")
        listed += [[bit == "1" for bit in bits]] * int(times or 1)
    return torch.tensor(listed)


def mapped(patterns: PatternMap, *given: str) -> list[str]:
    return ["".join(str(int(bit)) for bit in patterns.kept[place]) for place in patterns(rows(*given))]


def oracle(presence: Tensor, least: int, asked: list[tuple[bool, ...]]) -> list[tuple[bool, ...]]:
    """The rule of METHODS 2.3 written as loops: distance, then count, then modalities the patient lacks."""
    counts: dict[tuple[bool, ...], int] = {}
    for row in presence.tolist():
        counts[tuple(row)] = counts.get(tuple(row), 0) + 1
    ordered = sorted(counts, key=lambda pattern: (-counts[pattern], pattern))
    kept = [pattern for pattern in ordered if counts[pattern] >= least] or ordered[:1]

    def badness(own: tuple[bool, ...], other: tuple[bool, ...]) -> tuple[int, int, int]:
        distance = sum(a != b for a, b in zip(own, other, strict=True))
        return distance, -counts[other], sum(b and not a for a, b in zip(own, other, strict=True))

    return [min(kept, key=lambda other: badness(own, other)) for own in asked]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 60), st.integers(1, 5), st.integers(1, 12))
def test_it_is_the_rule_written_as_loops(seed: int, patients: int, modalities: int, least: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    presence = torch.rand(patients, modalities, generator=generator) < 0.6
    patterns = PatternMap()
    patterns.fit(presence, least)
    asked = list(product([False, True], repeat=modalities))
    got = [tuple(patterns.kept[place].tolist()) for place in patterns(torch.tensor(asked))]
    assert got == oracle(presence, least, asked)
    assert int(patterns.patients.sum()) == patients
    assert patterns.patients.equal(torch.bincount(patterns(presence), minlength=patterns.num_patterns))


def test_frequent_patterns_are_kept_and_are_their_own_nearest() -> None:
    patterns = PatternMap()
    patterns.fit(rows("110*5", "100*7", "011*2", "111*1"), least=2)
    assert patterns.kept.equal(rows("100", "110", "011"))
    assert patterns.count.tolist() == [7, 5, 2]
    assert patterns.patients.tolist() == [7, 6, 2]
    assert patterns(patterns.kept).tolist() == [0, 1, 2]


def test_ties_go_to_the_greatest_count_and_then_to_the_subset() -> None:
    patterns = PatternMap()
    patterns.fit(rows("100*3", "111*4", "110*1"), least=2)
    assert mapped(patterns, "110") == ["111"]  # both at distance 1, more patients
    patterns.fit(rows("111*3", "100*3", "110*1"), least=2)
    assert mapped(patterns, "110", "101") == ["100", "100"]  # as many patients each: nothing the patient lacks
    patterns.fit(rows("0111*3", "1000*3"), least=3)
    assert mapped(patterns, "1110") == ["1000"]  # both at distance 2; the first in order has one that is lacking


def test_distance_comes_before_count() -> None:
    patterns = PatternMap()
    patterns.fit(rows("1111*1000", "0001*2"), least=2)
    assert mapped(patterns, "0000", "1000") == ["0001", "0001"]


def test_the_most_frequent_pattern_is_kept_when_none_is_frequent_enough() -> None:
    patterns = PatternMap()
    patterns.fit(rows("10*2", "01*3", "11*1"), least=50)
    assert patterns.kept.equal(rows("01"))
    assert mapped(patterns, "00", "10", "11") == ["01", "01", "01"]


def test_one_patient_without_any_modality() -> None:
    patterns = PatternMap()
    patterns.fit(rows("000"), least=1)
    assert patterns(rows("000", "111")).tolist() == [0, 0]
    assert patterns(torch.zeros(0, 3, dtype=torch.bool)).shape == (0,)


def test_large_tables_are_mapped_like_small_ones() -> None:
    presence = torch.rand(20000, 6, generator=torch.Generator().manual_seed(0)) < 0.5
    patterns = PatternMap()
    patterns.fit(presence, least=300)
    assert 1 < patterns.num_patterns < 64
    assert patterns(presence).equal(torch.cat([patterns(part) for part in presence.split(999)]))


def test_errors_say_what_was_expected() -> None:
    patterns = PatternMap()
    with pytest.raises(NotFittedError, match="call fit"):
        patterns(rows("10"))
    with pytest.raises(InputError, match=r"N > 0, got \(0, 2\)"):
        patterns.fit(torch.zeros(0, 2, dtype=torch.bool), 1)
    patterns.fit(rows("10"), 1)
    with pytest.raises(SchemaError, match=r"expected presence \[patients, 2\], got \(1, 3\)"):
        patterns(rows("100"))
