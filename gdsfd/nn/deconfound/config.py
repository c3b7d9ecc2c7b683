"""How predictions are adjusted for confounders of missingness."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args, get_type_hints

from gdsfd.errors import InputError, near_names

__all__ = ["PrototypeConfig"]

FACTORS = ("pattern", "environment", "cluster")


@dataclass(frozen=True)
class PrototypeConfig:
    r"""Stratified prototypes and the adjustment over them.

    Predictions are :math:`P(y \mid do(x)) = \sum_s P(s) f_y(z_c, c_s)` over strata ``s`` of training patients with mass
    ``P(s)`` and centre ``c_s``.

    Args:
        strata: What strata are crossed from: ``"pattern"`` of missing modalities, declared ``"environment"``,
            ``"cluster"`` of embeddings within the others.
        source: The embedding that clusters and centres are of, without gradient: of the ``"biased"`` stream, of the
            ``"causal"`` stream (what an adjustment must not use; for comparison), or the mean ``"context"`` of the
            tokens of the patient's observations.
        least: Training patients that a pattern or a pattern in an environment needs to be a stratum of its own.
        clusters: Most clusters within a pattern.
        smoothing: Patients added to each stratum before masses are worked out.
        fit: What is fitted in training. ``"own"``: the outcome given the patient's own stratum (the outcome model of
            the back-door formula). ``"offset"``: the same with the stratum's part fitted first, by itself, and the
            patient's part beside it. ``"backdoor"``: the averaged prediction itself. ``"evaluation"``: the head only,
            as for ``"own"``; the codes are trained as without prototypes.
        estimator: How the average is taken: ``"exact"`` over all strata, ``"sampled"`` in training and exact in
            evaluation, ``"nwgm"`` (one mean centre) or ``"attention"`` (weights that depend on the patient; not an
            intervention; they are learned with ``fit="backdoor"`` only).
        fusion: How the head joins a code and a centre: ``"concat"``, ``"add"``, ``"film"``, ``"gate"`` or
            ``"cross_attention"``.
        draws: Prototypes drawn per step with ``"sampled"``.
        allocation: Of draws over patterns: ``"proportional"``, ``"neyman"`` or ``"uniform"`` with importance weights.
        per_patient: Whether every patient of a batch has draws of its own.
        jitter: Standard deviations of noise inside the stratum added to drawn centres.
        update: ``"refit"`` every ``refit_every`` epochs or ``"ema"`` in every step.
        refit_every: In epochs.
        decay: Of the running sums of ``"ema"``.
        mass: P(s): shares of ``"train"`` or ``"uniform"``.
        placebo: ``"random"``: centres drawn with the moments of the embeddings, patients belong to the nearest;
            ``"shuffled"``: strata dealt out among training patients. For comparison only.

    References:
        Our formulation (METHODS 2.3); CaD (arXiv 2509.05615) says by its abstract that back-door adjustment for
        missingness is approximated, not how.
    """

    strata: tuple[str, ...] = ("pattern",)
    source: Literal["biased", "causal", "context"] = "biased"
    least: int = 50
    clusters: int = 8
    smoothing: float = 1.0
    fit: Literal["own", "offset", "backdoor", "evaluation"] = "own"
    estimator: Literal["exact", "sampled", "nwgm", "attention"] = "exact"
    fusion: Literal["concat", "add", "film", "gate", "cross_attention"] = "concat"
    draws: int = 8
    allocation: Literal["proportional", "neyman", "uniform"] = "proportional"
    per_patient: bool = False
    jitter: float = 0.0
    update: Literal["refit", "ema"] = "refit"
    refit_every: int = 5
    decay: float = 0.99
    mass: Literal["train", "uniform"] = "train"
    placebo: Literal["none", "random", "shuffled"] = "none"

    def __post_init__(self) -> None:
        for name, hint in get_type_hints(type(self)).items():
            choices = get_args(hint)
            if choices and choices[0] is not str and getattr(self, name) not in choices:
                raise InputError(f"prototypes setting {name!r}: expected one of {choices}, got {getattr(self, name)!r}")
        object.__setattr__(self, "strata", (self.strata,) if isinstance(self.strata, str) else tuple(self.strata))
        wrong = [factor for factor in self.strata if factor not in FACTORS]
        if wrong or not self.strata:
            raise InputError(f"prototypes setting 'strata': expected some of {FACTORS}, got {self.strata!r}")
        for name in ("least", "clusters", "draws", "refit_every"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise InputError(f"prototypes setting {name!r}: expected a whole number of at least 1, got {value!r}")
        for name in ("smoothing", "jitter"):
            if not getattr(self, name) >= 0:
                raise InputError(f"prototypes setting {name!r}: expected at least 0, got {getattr(self, name)!r}")
        if not 0 < self.decay < 1:
            raise InputError(f"prototypes setting 'decay': expected between 0 and 1, got {self.decay!r}")
        if self.fit == "offset" and self.fusion != "add":
            raise InputError("prototypes settings: fit='offset' needs fusion='add'")
        if self.estimator == "attention" and self.fit != "backdoor":
            raise InputError(
                f"prototypes settings: estimator='attention' needs fit='backdoor', got fit={self.fit!r}: its weights "
                "are learned from the averaged prediction, and would stay random"
            )

    @classmethod
    def read(cls, given: Mapping[str, Any] | PrototypeConfig | None) -> PrototypeConfig | None:
        """The configuration given as a mapping or as it is.

        Raises:
            InputError: An unknown or impossible setting.
        """
        if given is None or isinstance(given, PrototypeConfig):
            return given
        if not isinstance(given, Mapping):
            raise InputError(f"debias setting 'prototypes': expected a mapping of settings or none, got {given!r}")
        known = [spec.name for spec in fields(cls)]
        for name in given:
            if name not in known:
                raise InputError(f"unknown prototypes setting {name!r}.{near_names(str(name), known)}")
        return cls(**given)

    def to_dict(self) -> dict[str, Any]:
        """A JSON-able copy."""
        return {**asdict(self), "strata": list(self.strata)}
