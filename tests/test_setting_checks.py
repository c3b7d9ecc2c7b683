"""Every setting takes what it says, and refuses everything else in the same words."""

from __future__ import annotations

import json
import math
from dataclasses import fields
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import numpy as np
import pytest
import torch

from gdsfd.errors import InputError
from gdsfd.nn.adjustment.config import PrototypeConfig
from gdsfd.nn.backbones import Backbone, register_backbone
from gdsfd.nn.backbones.registry import BACKBONES
from gdsfd.nn.dependence import known_dependence
from gdsfd.nn.streams import StreamConfig
from gdsfd.setting_checks import Number, Whole, check_options, checked
from gdsfd.training import Debiaser, TrainConfig

CLASSES = (TrainConfig, StreamConfig, PrototypeConfig)
FIELDS = [(each, field.name) for each in CLASSES for field in fields(each)]

#: What no setting takes.
NEVER: list[Any] = [
    math.nan,
    math.inf,
    -math.inf,
    -1,
    10**400,
    "",
    "1e-3",
    b"1",
    1j,
    [],
    [1],
    {1},
    object(),
    lambda: 1,
    np.zeros(2),
    torch.zeros(()),
    Decimal("0.1"),
    np.float64("nan"),
    {"of": object()},
    {3: 4},
]


@pytest.mark.parametrize(("cls", "name"), FIELDS, ids=[f"{cls.__name__}.{name}" for cls, name in FIELDS])
def test_what_no_setting_takes(cls: Any, name: str) -> None:
    text = get_type_hints(cls)[name] is str
    for value in NEVER:
        if text and isinstance(value, str):
            continue
        with pytest.raises(InputError, match=r"expected|unknown|needs") as caught:
            cls(**{name: value})
        assert name in str(caught.value)
        assert len(str(caught.value)) < 400
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("cls", "name"), FIELDS, ids=[f"{cls.__name__}.{name}" for cls, name in FIELDS])
def test_bounds_are_closed_and_written_down(cls: Any, name: str) -> None:
    hint = get_type_hints(cls, include_extras=True)[name]
    if get_origin(hint) is not Annotated:
        numeric = {int, float, int | None, float | None}
        assert hint not in numeric, f"{name} is a number without bounds"
        return
    bounds = get_args(hint)[1]
    for value in (True, False, None if type(None) not in get_args(get_args(hint)[0]) else math.nan):
        with pytest.raises(InputError, match=f"'{name}': expected {bounds}"):
            cls(**{name: value})
    step = 1 if isinstance(bounds, Whole) else 1e-6
    for value in (bounds.low - step, bounds.high + step):
        with pytest.raises(InputError, match=f"'{name}': expected {bounds}"):
            cls(**{name: value})
    if isinstance(bounds, Whole):
        assert getattr(cls(**{name: np.int32(bounds.low)}), name) == bounds.low
        assert type(getattr(cls(**{name: np.int64(bounds.low)}), name)) is int
        with pytest.raises(InputError):
            cls(**{name: float(bounds.low)})


def test_numbers_of_other_libraries_become_plain_ones() -> None:
    config = TrainConfig(learning_rate=np.float32(0.5), weight_decay=Fraction(1, 4), channels=np.int64(8))  # type: ignore[arg-type]
    assert (config.learning_rate, config.weight_decay, config.channels) == (0.5, 0.25, 8)
    assert [type(each) for each in (config.learning_rate, config.weight_decay, config.channels)] == [float, float, int]
    json.dumps(config.to_dict())


@pytest.mark.parametrize("backbone", ["concat", "muse", "grape"])
def test_options_of_backbones(backbone: str) -> None:
    for options, message in (
        ({"layer": 2}, "unknown option of the backbone"),
        ({"dropout": 0.1}, "unknown option of the backbone"),  # a setting of its own
        ({"channels": 8}, "unknown option of the backbone"),
        ({"self": 1}, "unknown option of the backbone"),
        ({"edge_drop": 1.0}, r"'edge_drop': expected a number of at least 0 and below 1, got 1\.0"),
        ({"edge_drop": "0.1"}, "'edge_drop': expected a number"),
        ({"edge_drop": True}, "'edge_drop': expected a number"),
    ):
        with pytest.raises(InputError, match=message):
            Debiaser(backbone, backbone_options=options)
    Debiaser(backbone, backbone_options={"edge_drop": 0.0})
    if backbone != "concat":
        for layers in (0, 17, 2.0, 10**9):
            with pytest.raises(InputError, match="'layers': expected a whole number from 1 to 16"):
                Debiaser(backbone, backbone_options={"layers": layers})


@pytest.mark.parametrize("name", known_dependence())
def test_options_of_estimators(name: str) -> None:
    for options in ({"hiddn": 3}, {"hidden": 0}, {"hidden": "64"}, {"floor": 1e9}, {"num_suspects": [2]}):
        with pytest.raises(InputError, match=f"option of the dependence measure '{name}'"):
            Debiaser("concat", {"information": name, "information_options": options})


def test_options_pass_through_keyword_arguments() -> None:
    Debiaser("concat", {"information": "mine", "information_options": {"momentum": 0.5, "hidden": 8, "rank": 4}})
    for options in ({"momentum": 1.0}, {"rank": 0}, {"ranks": 4}):
        with pytest.raises(InputError, match="option of the dependence measure 'mine'"):
            Debiaser("concat", {"information": "mine", "information_options": options})


def test_a_backbone_of_ones_own_says_what_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BACKBONES, "_parts", {name: BACKBONES.find(name) for name in BACKBONES.names()})

    @register_backbone("own")
    class Own(Backbone):
        def __init__(
            self,
            channels: int,
            num_modalities: int,
            dropout: float = 0.1,
            *,
            heads: int = 2,
            kind="plain",
            fast: bool = False,
        ) -> None:
            super().__init__(channels, num_modalities, dropout)

        def forward(self, tokens, layout, y=None):  # type: ignore[no-untyped-def]
            raise NotImplementedError

    Debiaser("own", backbone_options={"heads": 4, "kind": ["anything"], "fast": True})
    for options, message in (
        ({"head": 4}, "Did you mean 'heads'"),
        ({"heads": 4.5}, "'heads': expected a whole number"),
        ({"fast": 1}, "'fast': expected true or false, got 1"),
    ):
        with pytest.raises(InputError, match=message):
            Debiaser("own", backbone_options=options)


def test_annotations_that_cannot_be_looked_up_are_left() -> None:
    def takes(size: Missing, more: int = 1) -> None:  # type: ignore[name-defined]  # noqa: F821
        raise NotImplementedError

    check_options({"size": "x"}, takes, (), "option")
    with pytest.raises(InputError, match="unknown option 'seize'"):
        check_options({"seize": 1}, takes, (), "option")


@pytest.mark.parametrize(
    ("hint", "value", "words"),
    [
        (Annotated[int, Whole(1, 4096)], 0, "x: expected a whole number from 1 to 4,096, got 0"),
        (Annotated[int | None, Whole(1, 2)], "1", "x: expected a whole number from 1 to 2 or none, got '1'"),
        (Annotated[float, Number(0, 1, above=True, below=True)], 1, "x: expected a number above 0 and below 1, got 1"),
        (Literal["a", "b"], "c", r"x: expected one of \('a', 'b'\), got 'c'"),
        (Literal["a", "b"], ["a"], r"x: expected one of"),
        (bool, 1, "x: expected true or false, got 1"),
        (str, 1, "x: expected a text, got 1"),
        (dict[str, Any], 3, "x: expected a mapping of names to values, got 3"),
        (dict[str, Any], {"a": math.nan}, "x: expected values that JSON can hold"),
    ],
)
def test_words(hint: Any, value: Any, words: str) -> None:
    with pytest.raises(InputError, match=f"^{words}"):
        checked(value, hint, "x")


@pytest.mark.parametrize(
    "debias", [3, None, ["full"], {"q": "x"}, {"q": 0}, {"streams": 1}, {1: 2}, {"prototypes": 3}, b"full"]
)
def test_modes_of_other_types(debias: Any) -> None:
    with pytest.raises(InputError, match="debias"):
        Debiaser("concat", debias)


@pytest.mark.parametrize("backbone", [3, None, ["muse"], b"muse", ""])
def test_backbones_of_other_types(backbone: Any) -> None:
    with pytest.raises(InputError, match="backbone"):
        Debiaser(backbone)


@pytest.mark.parametrize("seed", ["0", 1.0, True, -1, 2**32, None, math.nan])
def test_seeds_of_other_types(seed: Any) -> None:
    with pytest.raises(InputError, match=r"seed: expected a whole number from 0 to 4,294,967,295"):
        Debiaser(seed=seed)
