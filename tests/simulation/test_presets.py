from __future__ import annotations

from dataclasses import replace

import pytest

from gdsfd.errors import InputError
from gdsfd.simulation.presets import PRESETS, configured

HARDER = (
    "latent",
    "latent_faint",
    "nonlinear",
    "latent_nonlinear",
    "graded",
    "three_practices",
    "no_environment",
    "coded_practice",
)


def test_all_designs_are_there() -> None:
    assert set(PRESETS) == {
        "confounded",
        "label_noise",
        "sensor_offset",
        "no_bias",
        "causal_bias",
        "collider",
        "harder_bias",
        "placebo_strata",
        *HARDER,
        *(f"{name}_null" for name in HARDER),
    }
    for preset in PRESETS:
        configured(preset)


@pytest.mark.parametrize("name", HARDER)
def test_a_null_differs_from_its_design_by_the_confounding_alone(name: str) -> None:
    design, null = configured(name), configured(f"{name}_null")
    assert null.confounding == 0.5
    assert replace(null, confounding=design.confounding) == design


def test_options_win_over_the_preset() -> None:
    assert configured("label_noise", label_noise=0.1).label_noise == 0.1
    assert configured("no_bias", confounding=0.7).confounding == 0.7


@pytest.mark.parametrize(
    ("preset", "options", "message"),
    [
        ("label_nose", {}, r"unknown preset 'label_nose'. Did you mean 'label_noise'"),
        ("confounded", {"label_nose": 0.1}, r"unknown option 'label_nose'. Did you mean 'label_noise'"),
        ("confounded", {"names": ("labs",)}, r"unknown option 'names'"),
    ],
)
def test_unknown_names_are_refused(preset: str, options: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        configured(preset, **options)
