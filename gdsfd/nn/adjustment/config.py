"""How predictions are adjusted for confounders of missingness."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Annotated, Any, Literal

from gdsfd.errors import InputError
from gdsfd.setting_checks import Number, Whole, brief, check_fields, check_names

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
        least: Training patients that a pattern or a pattern in an environment needs to be a stratum of its own, 1 to
            1,000,000.
        clusters: Most clusters within a pattern, 1 to 1,000.
        smoothing: Patients added to each stratum before masses are worked out, 0 to 1,000,000.
        fit: What is fitted in training. ``"own"``: the outcome given the patient's own stratum (the outcome model of
            the back-door formula). ``"offset"``: the same with the stratum's part fitted first, by itself, and the
            patient's part beside it. ``"backdoor"``: the averaged prediction itself. ``"evaluation"``: the head only,
            as for ``"own"``; the codes are trained as without prototypes.
        estimator: How the average is taken: ``"exact"`` over all strata, ``"sampled"`` in training and exact in
            evaluation, ``"nwgm"`` (one mean centre) or ``"attention"`` (weights that depend on the patient; not an
            intervention; they are learned with ``fit="backdoor"`` only).
        fusion: How the head joins a code and a centre: ``"concat"``, ``"add"``, ``"film"``, ``"gate"`` or
            ``"cross_attention"``.
        draws: Prototypes drawn per step with ``"sampled"``, 1 to 10,000.
        allocation: Of draws over patterns: ``"proportional"``, ``"neyman"`` or ``"uniform"`` with importance weights.
        per_patient: Whether every patient of a batch has draws of its own.
        jitter: Standard deviations of noise inside the stratum added to drawn centres, 0 to 100.
        update: ``"refit"`` every ``refit_every`` epochs or ``"ema"`` in every step.
        refit_every: In epochs, 1 to 100,000.
        decay: Of the running sums of ``"ema"``, above 0 and below 1.
        mass: P(s): shares of ``"train"`` or ``"uniform"``.
        placebo: ``"random"``: centres drawn with the moments of the embeddings, patients belong to the nearest;
            ``"shuffled"``: strata dealt out among training patients. For comparison only.

    References:
        Our formulation (METHODS 2.3); CaD (arXiv 2509.05615) says by its abstract that back-door adjustment for
        missingness is approximated, not how.
    """

    strata: tuple[str, ...] = ("pattern",)
    source: Literal["biased", "causal", "context"] = "biased"
    least: Annotated[int, Whole(1, 1_000_000)] = 50
    clusters: Annotated[int, Whole(1, 1000)] = 8
    smoothing: Annotated[float, Number(0, 1_000_000)] = 1.0
    fit: Literal["own", "offset", "backdoor", "evaluation"] = "own"
    estimator: Literal["exact", "sampled", "nwgm", "attention"] = "exact"
    fusion: Literal["concat", "add", "film", "gate", "cross_attention"] = "concat"
    draws: Annotated[int, Whole(1, 10_000)] = 8
    allocation: Literal["proportional", "neyman", "uniform"] = "proportional"
    per_patient: bool = False
    jitter: Annotated[float, Number(0, 100)] = 0.0
    update: Literal["refit", "ema"] = "refit"
    refit_every: Annotated[int, Whole(1, 100_000)] = 5
    decay: Annotated[float, Number(0, 1, above=True, below=True)] = 0.99
    mass: Literal["train", "uniform"] = "train"
    placebo: Literal["none", "random", "shuffled"] = "none"

    def __post_init__(self) -> None:
        check_fields(self, "prototypes setting")
        strata = (self.strata,) if isinstance(self.strata, str) else self.strata
        if not isinstance(strata, (tuple, list)) or not strata or any(factor not in FACTORS for factor in strata):
            raise InputError(f"prototypes setting 'strata': expected some of {FACTORS}, got {brief(strata)}")
        object.__setattr__(self, "strata", tuple(strata))
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
            raise InputError(f"debias setting 'prototypes': expected a mapping of settings or none, got {brief(given)}")
        check_names(given, [spec.name for spec in fields(cls)], "prototypes setting")
        return cls(**given)

    def to_dict(self) -> dict[str, Any]:
        """A JSON-able copy."""
        return {**asdict(self), "strata": list(self.strata)}
