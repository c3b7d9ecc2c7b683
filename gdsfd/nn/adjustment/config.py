"""Configuration of the adjustment over strata (mode prototypes)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Annotated, Any, Literal

from gdsfd.errors import InputError, RetiredError
from gdsfd.setting_checks import Number, Whole, brief, check_fields, check_names

__all__ = ["PrototypeConfig"]

#: Settings of earlier versions, with the value that is what holds now, and values that are no longer there. Models
#: written then name them all.
_TAKEN_OUT: dict[str, tuple[Any, ...]] = {
    "source": ("biased",),
    "fusion": ("concat",),
    "allocation": ("proportional",),
    "per_patient": (False,),
    "jitter": (0.0,),
    "update": ("refit",),
    "mass": ("train",),
    "fit": ("own", "offset", "evaluation"),
    "estimator": ("exact", "nwgm", "attention"),
    "placebo": ("none", "random"),
}
FACTORS = ("pattern", "environment", "cluster")


@dataclass(frozen=True)
class PrototypeConfig:
    r"""Stratified prototypes and the adjustment over them.

    Predictions are :math:`P(y \mid do(x)) = \sum_s P(s) f_y(z_c, c_s)` over strata ``s`` of training patients with mass
    ``P(s)`` and centre ``c_s``.

    Args:
        strata: What strata are crossed from: ``"pattern"`` of missing modalities, declared ``"environment"``,
            ``"cluster"`` of embeddings within the others.
        least: Training patients that a pattern or a pattern in an environment needs to be a stratum of its own, 1 to
            1,000,000.
        clusters: Most clusters within a pattern, 1 to 1,000.
        smoothing: Patients added to each stratum before masses are worked out, 0 to 1,000,000.
        fit: What is fitted in training. ``"own"``: the outcome given the patient's own stratum (the outcome model of
            the back-door formula, or g-formula). ``"backdoor"``: the averaged prediction itself.
        estimator: How the average is taken in training where it is what is fitted: ``"exact"`` over all strata, or
            ``"sampled"``: stratified sampling, and exact where there are no more strata than draws. Predictions are
            always the exact average.
        draws: Prototypes drawn per step with ``"sampled"``, 1 to 10,000.
        refit_every: In epochs, 1 to 100,000.
        placebo: ``"shuffled"``: strata dealt out among training patients. For comparison only.

    References:
        Our formulation (METHODS 2.3); CaD (arXiv 2509.05615) says by its abstract that back-door adjustment for
        missingness is approximated, not how.
    """

    strata: tuple[str, ...] = ("pattern",)
    least: Annotated[int, Whole(1, 1_000_000)] = 50
    clusters: Annotated[int, Whole(1, 1000)] = 8
    smoothing: Annotated[float, Number(0, 1_000_000)] = 1.0
    fit: Literal["own", "backdoor"] = "own"
    estimator: Literal["exact", "sampled"] = "exact"
    draws: Annotated[int, Whole(1, 10_000)] = 8
    refit_every: Annotated[int, Whole(1, 100_000)] = 5
    placebo: Literal["none", "shuffled"] = "none"

    def __post_init__(self) -> None:
        check_fields(self, "prototypes setting")
        strata = (self.strata,) if isinstance(self.strata, str) else self.strata
        if not isinstance(strata, (tuple, list)) or not strata or any(factor not in FACTORS for factor in strata):
            raise InputError(f"prototypes setting 'strata': expected some of {FACTORS}, got {brief(strata)}")
        object.__setattr__(self, "strata", tuple(strata))

    @classmethod
    def read(cls, given: Mapping[str, Any] | PrototypeConfig | None) -> PrototypeConfig | None:
        """The configuration given as a mapping or as it is.

        Raises:
            InputError: An unknown or impossible setting.
        """
        if given is None or isinstance(given, PrototypeConfig):
            return given
        if not isinstance(given, Mapping):
            raise InputError(f"debias setting 'prototypes': expected a mapping of settings or none, got {brief(given)}")
        own = [spec.name for spec in fields(cls)]
        check_names([name for name in given if name not in (*_TAKEN_OUT, "decay")], own, "prototypes setting")
        for name, values in _TAKEN_OUT.items():
            if name in given and given[name] != values[0] and (name not in own or given[name] in values):
                raise RetiredError(
                    f"prototypes setting {name!r}: {brief(given[name])} was an experiment that did not pay and was "
                    "taken out; read a model trained with it with the gdsfd that wrote it"
                )
        return cls(**{name: value for name, value in given.items() if name in own})

    def to_dict(self) -> dict[str, Any]:
        """A JSON-able copy."""
        return {**asdict(self), "strata": list(self.strata)}
