"""Named simulations: the confounded default, controls where debiasing has nothing to win, and harder confounders.

Every one of the harder designs has its null, ``<name>_null``: practices write where they did and say nothing of the
outcome.
"""

from __future__ import annotations

from typing import Any

from gdsfd.errors import InputError, near_names
from gdsfd.simulation.config import SimulationConfig, option_names

__all__ = ["PRESETS", "configured"]

#: Designs in which the declared suspects say less of the confounder, or linear models less of the causes.
_HARDER: dict[str, dict[str, Any]] = {
    "latent": {"site_fidelity": 0.5},  # half of the patients are in any hospital
    "latent_faint": {"site_fidelity": 0.2},  # four fifths are: the hospital tells next to nothing of the practice
    "nonlinear": {"interactions": True},  # causes by products, bands and an exclusive-or
    "latent_nonlinear": {"site_fidelity": 0.5, "interactions": True},
    "graded": {"site_fidelity": 0.5, "graded": True},  # U is a number
    "three_practices": {"site_fidelity": 0.5, "practices": 3, "sites": 9},
    "no_environment": {"environment": False},  # the hospital is not on file
    "coded_practice": {  # the practice shows in no number: in which code is written, and which word
        "site_fidelity": 0.5,
        "coded": True,
        "modalities": ("labs", "imaging", "history", "demographics", "medications"),
        "bias_modalities": ("history", "demographics", "medications"),
    },
}

_NO_BIAS: dict[str, Any] = {"confounding": 0.5, "mechanism": "mcar", "bias_modalities": ()}

#: Preset -> the knobs it turns. The number of the control in the documentation stands behind each.
PRESETS: dict[str, dict[str, Any]] = {
    "confounded": {},
    "label_noise": {**_NO_BIAS, "label_noise": 0.25},  # N1: no bias, a quarter of the training labels is wrong
    "sensor_offset": {**_NO_BIAS, "sensor_offset": 1.0},  # N2: analysers disagree, independently of the outcome
    "no_bias": _NO_BIAS,  # N3: nothing to remove
    "causal_bias": {"bias_causal": True},  # N4: what looks like bias is a cause, removing it costs
    "collider": {"confounding": 0.5, "mechanism": "collider"},  # N5: M follows U and C, U and Y are independent
    "harder_bias": {"bias_strength": 0.4},  # N6: the bias is harder to read than the causes
    "placebo_strata": {"site_fidelity": 0.0, "mechanism": "mcar"},  # N7: site and pattern say nothing of U
    **_HARDER,
    **{f"{name}_null": {**knobs, "confounding": 0.5} for name, knobs in _HARDER.items()},
}


def configured(preset: str = "confounded", **options: Any) -> SimulationConfig:
    """A preset with some knobs turned.

    Args:
        preset: A name of :data:`PRESETS`.
        options: Fields of :class:`~gdsfd.simulation.config.SimulationConfig`; they win over the preset.

    Raises:
        InputError: An unknown preset or field, or a value out of range.

    Example:
        >>> configured("label_noise", seed=3).label_noise
        0.25
    """
    if preset not in PRESETS:
        raise InputError(f"simulation: unknown preset {preset!r}.{near_names(preset, PRESETS)}")
    for name in options:
        if name not in option_names():
            raise InputError(f"simulation: unknown option {name!r}.{near_names(name, option_names())}")
    return SimulationConfig(**{**PRESETS[preset], **options})
