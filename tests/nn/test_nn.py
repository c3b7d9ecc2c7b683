"""What the folder offers under its own name."""

from __future__ import annotations

import pytest

from gdsfd import nn


def test_every_public_name_is_there() -> None:
    for name in nn.__all__:
        own = getattr(nn, name).__name__
        assert own == name or (name.startswith("register_") and own == "register")  # of a registry
    assert set(nn._HOME) == set(nn.__all__)
    with pytest.raises(AttributeError, match=r"'gdsfd.nn' has no attribute 'Nothing'"):
        nn.Nothing  # noqa: B018
