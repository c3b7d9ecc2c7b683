"""Settings of the adjustment over strata: read, stored, refused in words, and those of earlier versions."""

from __future__ import annotations

from typing import Any

import pytest

from gdsfd.errors import InputError, RetiredError
from gdsfd.nn.adjustment import PrototypeConfig


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"cluster": 4}, r"unknown prototypes setting 'cluster'.*clusters"),
        ({"estimator": "sample"}, r"'estimator': expected one of .*'sampled'"),
        ({"strata": ("site",)}, r"'strata': expected some of .*got \('site',\)"),
        ({"strata": "patterns"}, r"'strata': expected some of .*got \('patterns',\)"),
        ({"strata": ()}, r"'strata': expected some of"),
        ({"strata": 3}, r"'strata': expected some of .*got 3"),
        ({"least": 0}, r"'least': expected a whole number from 1 to 1,000,000, got 0"),
        ({"draws": 2.5}, r"'draws': expected a whole number"),
        (8, r"'prototypes': expected a mapping of settings or none, got 8"),
    ],
)
def test_wrong_settings_are_refused_in_words(given: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        PrototypeConfig.read(given)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"fusion": "film"}, r"prototypes setting 'fusion': 'film' was an experiment .* taken out"),
        ({"estimator": "nwgm"}, r"'estimator': 'nwgm' was an experiment .* with the gdsfd that wrote it"),
        ({"placebo": "random"}, r"'placebo': 'random' was an experiment"),
        ({"update": "ema", "decay": 0.9}, r"'update': 'ema' was an experiment"),
    ],
)
def test_what_was_taken_out_says_so(given: dict[str, Any], message: str) -> None:
    with pytest.raises(RetiredError, match=message):
        PrototypeConfig.read(given)


def test_settings_as_earlier_versions_stored_them_are_read() -> None:
    """Models then named every setting; those that are no longer there stood at what holds now."""
    stored = {"strata": ["pattern"], "source": "biased", "least": 50, "clusters": 8, "smoothing": 1.0, "fit": "own"}
    stored |= {"estimator": "exact", "fusion": "concat", "draws": 8, "allocation": "proportional", "placebo": "none"}
    stored |= {"per_patient": False, "jitter": 0.0, "update": "refit", "refit_every": 5, "decay": 0.99, "mass": "train"}
    assert PrototypeConfig.read(stored) == PrototypeConfig()


def test_a_configuration_is_read_back_as_it_was() -> None:
    config = PrototypeConfig(
        strata=("environment", "cluster"), least=7, smoothing=0, fit="backdoor", placebo="shuffled"
    )
    assert config.to_dict()["strata"] == ["environment", "cluster"]
    assert PrototypeConfig.read(config.to_dict()) == config
    assert PrototypeConfig.read(config) is config
    assert PrototypeConfig.read(None) is None


def test_one_factor_may_stand_alone_and_numbers_are_plain() -> None:
    config = PrototypeConfig(strata="cluster", smoothing=2)  # type: ignore[arg-type]
    assert config.strata == ("cluster",)
    assert isinstance(config.smoothing, float)
