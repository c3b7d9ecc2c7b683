"""Parts by name: checked against the class that will take the options, then built."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import pytest

from gdsfd.errors import InputError
from gdsfd.nn.named_part import build_part, check_part
from gdsfd.registry import REGISTRIES, Registry
from gdsfd.setting_checks import Whole


class Hat:
    def __init__(self, size: int, brims: Annotated[int, Whole(0, 2)] = 1) -> None:
        self.size, self.brims = size, brims


@pytest.fixture
def hats() -> Iterator[Registry[type[Hat]]]:
    made: Registry[type[Hat]] = Registry("hat")
    made.register("top")(Hat)
    yield made
    del REGISTRIES["hat"]


def test_checked_and_built(hats: Registry[type[Hat]]) -> None:
    assert check_part(hats, "top", {"brims": 2}, ("size",)) is Hat
    built = build_part(hats, "top", 7, brims=2)
    assert (built.size, built.brims) == (7, 2)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("tap", {}, r"^setting 'hat': unknown hat 'tap'\. Did you mean 'top'"),
        ("top", {"brim": 1}, r"unknown option of the hat 'top': 'brim'\. Did you mean 'brims'"),
        ("top", {"brims": 3}, r"option of the hat 'top': 'brims': expected a whole number from 0 to 2, got 3"),
        ("top", {"size": 3}, r"unknown option of the hat 'top': 'size'"),
        ("top", {"self": 3}, r"unknown option of the hat 'top': 'self'"),
    ],
)
def test_what_is_refused(hats: Registry[type[Hat]], name: str, options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_part(hats, name, options, ("size",), "setting 'hat'")


def test_options_that_its_class_does_not_take(hats: Registry[type[Hat]]) -> None:
    with pytest.raises(InputError, match=r"the hat 'top' does not take these options: .*'colour'"):
        build_part(hats, "top", 7, colour="black")
