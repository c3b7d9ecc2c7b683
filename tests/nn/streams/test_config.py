"""Settings of a debiasing mode: what is refused, what goes with what, and what follows from them."""

from __future__ import annotations

from typing import Any

import pytest

from gdsfd.errors import InputError, RetiredError
from gdsfd.nn.streams import PRESETS, StreamConfig


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"mask_level": "node"}, "mask_level"),
        ({"q": 0.0}, "setting 'q': expected a number"),
        ({"weight": "lff"}, "weight"),
        ({"swap": -1.0}, "setting 'swap': expected a number"),
        ({"streams": False, "swap": 1.0}, "need streams=True"),
        ({"mask": "learnt"}, "unknown mask 'learnt'.*Did you mean 'learned'"),
        ({"mask_options": {"hiden": 3}}, "unknown option of the mask 'learned'.*'hidden'"),
        ({"weight_options": {"rate": 1}}, "unknown option of the loss weight 'uniform'"),
        ({"adjustment": "strata"}, "unknown adjustment 'strata'"),
        ({"adjustment_options": {"a": 1}}, "adjustment='none' takes none"),
        ({"stage_one": 2}, "a number from 0 to 1, got 2"),
    ],
)
def test_wrong_settings_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        StreamConfig(**settings)  # type: ignore[arg-type]


def test_unknown_mode_and_setting_name_near_ones() -> None:
    with pytest.raises(InputError, match="full"):
        StreamConfig.read("ful")
    with pytest.raises(InputError, match="margin"):
        StreamConfig.read({"margins": True})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"prototypes": {}, "adjustment": "prototypes"}, r"give one of prototypes and adjustment"),
        ({"prototypes": {}, "head": "joint"}, r"need head='causal'"),
        ({"prototypes": {}, "streams": False}, r"need streams=True"),
        ({"intervention": 1.0, "streams": False}, r"need streams=True"),
        ({"intervention": -1.0}, r"'intervention': expected a number from 0 to 1,000, got -1.0"),
        ({"prototypes": 8}, r"'prototypes': expected a mapping"),
        ({"prototypes": {"least": 0}}, r"prototypes setting 'least'"),
    ],
)
def test_settings_that_do_not_go_together(given: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        StreamConfig.read({"head": "causal", **given})


@pytest.mark.parametrize("name", ["relative_difficulty", "batch"])
def test_weights_that_were_taken_out_say_so(name: str) -> None:
    with pytest.raises(RetiredError, match=rf"'{name}' was taken out: .* inverted"):
        StreamConfig.read({"weight": name})


def test_prototypes_by_the_name_of_their_adjustment() -> None:
    inner = {"strata": ("pattern", "cluster"), "least": 8}
    named = StreamConfig.read({"head": "causal", "adjustment": "prototypes", "adjustment_options": inner})
    assert named == StreamConfig.read({"head": "causal", "prototypes": inner})


@pytest.mark.parametrize("mode", [name for name, preset in PRESETS.items() if preset is not None])
def test_presets_are_read_back_as_they_are(mode: str) -> None:
    preset = StreamConfig.read(mode)
    assert preset is PRESETS[mode]
    assert preset is not None
    assert StreamConfig.read(preset.to_dict()) == preset


@pytest.mark.parametrize(
    ("given", "uses", "weighted"),
    [
        ({}, False, False),
        ({"weight": "stratum"}, True, True),
        ({"weight": "propensity"}, False, True),
        ({"margin": True}, True, False),
        ({"suspect_weight": 0.1}, True, False),
        ({"information": "grl"}, True, False),
        ({"information": "xcov"}, False, False),
        ({"head": "causal", "prototypes": {}}, True, False),
    ],
)
def test_what_depends_on_declared_suspects(given: dict[str, Any], uses: bool, weighted: bool) -> None:
    config = StreamConfig.read(given)
    assert config is not None
    assert (config.uses_suspects, config.weighted) == (uses, weighted)


def test_what_strata_are_crossed_from_is_adjusted_for() -> None:
    config = StreamConfig.read({"head": "causal", "prototypes": {"strata": ("pattern", "cluster")}})
    assert config is not None
    assert (config.adjusts, config.adjusts_by, config.crossed) == (True, "prototypes", ("pattern",))
    assert config.adjustment_arguments["strata"] == ("pattern", "cluster")
    assert StreamConfig().crossed == ()
    assert not StreamConfig().adjusts
