"""Random bits as an operation that a compiler leaves alone, and whether anything is being written down."""

from __future__ import annotations

import torch

from gdsfd.ops.dropout import kept
from gdsfd.ops.traced import is_traced, random_bits, traced


def test_the_bits_are_those_of_the_generator() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(3)
        expected = torch.empty(5, dtype=torch.int64).random_(-(2**63), None)
        torch.manual_seed(3)
        torch.testing.assert_close(random_bits(5), expected, rtol=0, atol=0)
        assert len(set(random_bits(5).tolist()) | set(expected.tolist())) == 10


def test_inside_and_outside_also_after_an_error() -> None:
    assert not is_traced()
    with traced():
        with traced():
            assert is_traced()
        assert is_traced()
    try:
        with traced():
            raise ValueError
    except ValueError:
        pass
    assert not is_traced()


def test_dropout_written_down_drops_the_same_numbers() -> None:
    like = torch.zeros(3, 7)
    for probability in (0.25, 0.1):
        with torch.random.fork_rng():
            torch.manual_seed(1)
            expected = kept(like, probability)
            torch.manual_seed(1)
            with traced():
                found = kept(like, probability)
        torch.testing.assert_close(found, expected, rtol=0, atol=0)
        assert 0 < int((found > 0).sum()) < 21
