"""Configuration of a debiasing mode, and the presets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Annotated, Any, Literal

from gdsfd.errors import InputError, RetiredError, near_names
from gdsfd.nn.adjustment.adjustment import check_adjustment
from gdsfd.nn.adjustment.config import PrototypeConfig
from gdsfd.nn.dependence.registry import DEPENDENCE
from gdsfd.nn.losses.loss_weight import LOSS_WEIGHTS, check_loss_weight
from gdsfd.nn.objective_registry import ERM
from gdsfd.nn.streams.mask import check_mask
from gdsfd.setting_checks import Number, Whole, brief, check_fields, check_names

__all__ = ["PRESETS", "StreamConfig"]

_GONE = (
    "was taken out: its weights gather on patients whose outcome cannot be foretold, and predictions could come out "
    "inverted; read a model trained with it with the gdsfd that wrote it"
)
#: Loss weights of earlier versions.
_TAKEN_OUT = {"relative_difficulty": _GONE, "batch": _GONE}


@dataclass(frozen=True)
class StreamConfig:
    """The parts of a debiasing mode. ``Debiaser(debias=StreamConfig(...))`` takes one of one's own.

    Args:
        streams: Whether there are two streams that are trained together; without them only ``weight``, ``margin``,
            ``objective`` and ``remainder`` act, on a network like ERM's.
        mask: What splits observations between the streams: ``"learned"``
            (:class:`~gdsfd.nn.streams.mask_generator.MaskGenerator`), or a name registered by
            :func:`gdsfd.nn.streams.register_mask`.
        mask_level: What the learned mask keeps or passes on: ``"feature"`` (channels of each observation), ``"edge"``
            (whole observations) or ``"both"``.
        head: What the causal head reads: ``"causal"`` (its own code) or ``"joint"`` (beside it the biased code, without
            gradient).
        biased_head: What the biased head reads: ``"biased"`` (its own code) or ``"joint"``.
        evaluate_with: With a joint head, the biased code it reads in evaluation: the patient's ``"own"``, or the
            training patients' ``"mean"``, which closes the path from biased evidence to the prediction.
        q: Exponent of the biased head's generalized cross-entropy, above 0 and at most 1.
        biased_weight: Weight of the biased head's loss. This and every other weight: 0 to 1,000.
        weight: Weight of each patient in the causal head's loss: ``"uniform"``; ``"stratum"``, P(y) / P(y | suspects);
            ``"propensity"``, P(pattern) / P(pattern | what is always observed); or a name registered by
            :func:`gdsfd.nn.losses.register_loss_weight`.
        margin: Whether the causal head is trained beside the margin log P(y | suspects) - log P(y), which is left out
            of predictions.
        found_strata: Whether confounder strata that are found (:mod:`gdsfd.latent`) take the margin's place, the causal
            head's loss being expected over them: ``"evidence"``: where they are a practice by the evidence, and the
            margin of the declared suspects elsewhere; ``"force"``: always, for experiments.
        remainder: Whether a biased stream of its own encoders is trained once the prediction is finished, beside it, on
            what it leaves of the training patients' outcomes (:mod:`gdsfd.training.remainder`). The prediction is what
            it would be without. Needs ``streams=False``.
        clip: Largest stratum weight, before they are brought to mean 1; 1 to 1,000,000.
        information: Measure of dependence that the streams minimise, a name of
            :func:`gdsfd.nn.dependence.known_dependence` (one's own: ``register_dependence``) or ``"none"``.
        information_weight: Weight of it.
        conditional: Whether dependence is measured within classes of the outcome.
        critic_steps: Steps of a learned measure's critic per training step, 1 to 100.
        critic_rate: Learning rate of the critic, 0 to 10.
        swap: Weight of the loss on codes whose biased part comes from another patient of the batch.
        suspect_weight: Weight of predicting the declared suspects from the biased code.
        prototypes: Stratified confounder prototypes that predictions are averaged over; None = none.
        adjustment: What takes the place of the causal head, in place of prototypes: a name registered by
            :func:`gdsfd.nn.adjustment.register_adjustment`, or ``"none"``.
        intervention: Weight of the causal head's loss on patients whose pattern is re-drawn from the training patterns.
        consistency: Weight, within it, of the divergence between predictions before and after.
        stage_one: Share of ``max_epochs``, 0 to 1, in which only the heads' own losses act. With prototypes this stage
            ends earlier, and at its best epoch, once the tuning figure has not improved for two epochs.
        objective: What a network without streams is trained by: ``"erm"`` (cross-entropy), or a name of
            :func:`gdsfd.nn.objectives.known_objectives` (one's own: ``register_objective``), which reads the declared
            suspects.
        information_options: Options of the measure of dependence, as its class takes them.
        mask_options: Options of the mask.
        weight_options: Options of the loss weight.
        adjustment_options: Options of the adjustment.
        objective_options: Options of the objective.

    Raises:
        InputError: A setting of a wrong type, out of its bounds, or that does not go with another; a name that no part
            has; an option that a part does not take.

    References:
        Dual streams, generalized cross-entropy, minimised mutual information and the 15 of 100 epochs of a first stage:
        DFD (arXiv 2601.21941), by its abstract and section openings. Masks, stop-gradients and swap after DisC (NeurIPS
        2022), which DFD cites. Stratum weights, margins, class-conditional dependence and the closed path in
        evaluation, and a biased stream of what is left: our formulation.
    """

    streams: bool = True
    mask: str = "learned"
    mask_level: Literal["feature", "edge", "both"] = "feature"
    head: Literal["causal", "joint"] = "joint"
    biased_head: Literal["biased", "joint"] = "biased"
    evaluate_with: Literal["own", "mean"] = "mean"
    q: Annotated[float, Number(0, 1, above=True)] = 0.7
    biased_weight: Annotated[float, Number(0, 1000)] = 1.0
    weight: str = "uniform"
    margin: bool = False
    found_strata: Literal["no", "evidence", "force"] = "no"
    remainder: bool = False
    clip: Annotated[float, Number(1, 1_000_000)] = 5.0
    information: str = "none"
    information_weight: Annotated[float, Number(0, 1000)] = 0.1
    conditional: bool = False
    critic_steps: Annotated[int, Whole(1, 100)] = 1
    critic_rate: Annotated[float, Number(0, 10)] = 1e-3
    swap: Annotated[float, Number(0, 1000)] = 0.0
    suspect_weight: Annotated[float, Number(0, 1000)] = 0.0
    prototypes: PrototypeConfig | None = None
    adjustment: str = "none"
    intervention: Annotated[float, Number(0, 1000)] = 0.0
    consistency: Annotated[float, Number(0, 1000)] = 1.0
    stage_one: Annotated[float, Number(0, 1)] = 0.15
    objective: str = ERM
    information_options: dict[str, Any] = field(default_factory=dict)
    mask_options: dict[str, Any] = field(default_factory=dict)
    weight_options: dict[str, Any] = field(default_factory=dict)
    adjustment_options: dict[str, Any] = field(default_factory=dict)
    objective_options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "prototypes", PrototypeConfig.read(self.prototypes))
        check_fields(self, "debias setting")
        if self.weight in _TAKEN_OUT:
            raise RetiredError(f"debias setting 'weight': {self.weight!r} {_TAKEN_OUT[self.weight]}")
        check_mask(self.mask, self.mask_arguments)
        needs_streams = check_loss_weight(self.weight, self.weight_options).needs_streams
        if self.adjustment == "prototypes" and self.prototypes is None:  # its own name for the same thing
            object.__setattr__(self, "prototypes", PrototypeConfig.read(self.adjustment_options))
            object.__setattr__(self, "adjustment", "none")
            object.__setattr__(self, "adjustment_options", {})
        check_adjustment(self.adjustment, self.adjustment_options)
        if not self.streams and (self.swap or self.information != "none" or self.suspect_weight):
            raise InputError("debias settings: swap, information and suspect_weight need streams=True")
        if not self.streams and (self.adjusts or self.intervention):
            raise InputError("debias settings: prototypes, adjustment and intervention need streams=True")
        if self.streams and self.remainder:
            raise InputError(
                "debias settings: remainder=True is a biased stream beside a finished prediction and needs "
                "streams=False; with streams=True there already is one"
            )
        if self.prototypes is not None and self.adjustment != "none":
            raise InputError("debias settings: prototypes are an adjustment; give one of prototypes and adjustment")
        if self.adjusts and self.head == "joint":
            raise InputError("debias settings: prototypes take the place of the biased code and need head='causal'")
        if not self.streams and needs_streams:
            raise InputError(f"debias settings: weight={self.weight!r} compares two heads and needs streams=True")
        if self.finds_strata and (not self.margin or self.has_objective or self.adjusts):
            raise InputError(
                "debias settings: found_strata take the place of the margin: they need margin=True, and neither an "
                "objective nor prototypes or another adjustment"
            )
        if self.has_objective and (self.streams or self.weight != "uniform"):
            raise InputError(
                f"debias settings: objective={self.objective!r} takes the place of cross-entropy and needs "
                "streams=False and weight='uniform'"
            )

    @property
    def mask_arguments(self) -> dict[str, Any]:
        """Options of the mask; the learned one's level is a setting of its own."""
        return {"level": self.mask_level, **self.mask_options} if self.mask == "learned" else self.mask_options

    @property
    def adjusts(self) -> bool:
        """Whether something takes the place of the causal head."""
        return self.prototypes is not None or self.adjustment != "none"

    @property
    def adjusts_by(self) -> str:
        """Name of the adjustment, or ``"none"``."""
        return self.adjustment if self.prototypes is None else "prototypes"

    @property
    def adjustment_arguments(self) -> dict[str, Any]:
        """Options of the adjustment."""
        return self.adjustment_options if self.prototypes is None else asdict(self.prototypes)

    @property
    def measures_suspects(self) -> bool:
        """Whether the measure of dependence reads the declared suspects."""
        return self.information in DEPENDENCE and DEPENDENCE.find(self.information).needs_suspects

    @property
    def finds_strata(self) -> bool:
        """Whether strata are looked for."""
        return self.found_strata != "no"

    @property
    def has_objective(self) -> bool:
        """Whether an objective takes the place of cross-entropy."""
        return self.objective != ERM

    @property
    def weight_from(self) -> Literal["nothing", "suspects", "pattern"]:
        """What weights are worked out from before training (``LossWeight.fitted_from``)."""
        return LOSS_WEIGHTS.find(self.weight).fitted_from

    @property
    def beside_trees(self) -> bool:
        """Whether boosted trees have a counterpart: plain cross-entropy beside a margin or found strata."""
        plain = self.weight_from == "nothing" and not self.has_objective
        return self.margin and plain and not self.adjusts

    @property
    def uses_suspects(self) -> bool:
        """Whether anything depends on what the user declared."""
        return (
            self.weight_from == "suspects"
            or self.margin
            or self.has_objective
            or self.suspect_weight > 0
            or self.measures_suspects
            or self.prototypes is not None
        )

    @property
    def weighted(self) -> bool:
        """Whether the weights are known before training, as ``Targets.weight``."""
        return self.weight_from != "nothing"

    @property
    def crossed(self) -> tuple[str, ...]:
        """The suspects that strata are crossed from; with prototypes these are adjusted for by them."""
        if self.prototypes is None:
            return ()
        return tuple(factor for factor in self.prototypes.strata if factor != "cluster")

    @classmethod
    def read(cls, debias: str | Mapping[str, Any] | StreamConfig) -> StreamConfig | None:
        """The parts of a mode given by name, as a mapping or as they are; None for ``"none"``.

        Raises:
            InputError: An unknown name or setting.
        """
        if isinstance(debias, StreamConfig):
            return debias
        if isinstance(debias, str):
            if debias not in PRESETS:
                raise InputError(f"unknown debias {brief(debias)}.{near_names(debias, PRESETS)}")
            return PRESETS[debias]
        if not isinstance(debias, Mapping):
            raise InputError(f"debias: expected a mode's name, a StreamConfig or a mapping, got {brief(debias)}")
        check_names(debias, [spec.name for spec in fields(cls)], "debias setting")
        return cls(**debias)

    def to_dict(self) -> dict[str, Any]:
        """A JSON-able copy."""
        return {**asdict(self), "prototypes": self.prototypes.to_dict() if self.prototypes is not None else None}


#: Mode -> its parts; ``None`` = ERM.
PRESETS: dict[str, StreamConfig | None] = {
    "none": None,
    # What is stated of DFD in its abstract and section openings; its weights and its use of a swap are unknown.
    "dfd": StreamConfig(biased_head="joint", evaluate_with="own", information="mine"),
    "strata": StreamConfig(streams=False, weight="stratum"),
    "margin": StreamConfig(streams=False, margin=True),
    # Strata that are found in place of those declared, where the evidence says that they are a practice.
    "latent": StreamConfig(streams=False, margin=True, found_strata="evidence"),
    # Established rivals that are told the same suspects, on the same network.
    "group_dro": StreamConfig(streams=False, objective="group_dro"),
    "vrex": StreamConfig(streams=False, objective="vrex"),
    "irm": StreamConfig(streams=False, objective="irm"),
    "mmd": StreamConfig(streams=False, objective="mmd"),
    # What comes out best (docs/latent_strata.md): the prediction of "latent", and a biased stream of what that leaves.
    "full": StreamConfig(streams=False, margin=True, found_strata="evidence", remainder=True),
    # Two streams that are trained together beside the same strata, as "full" was until they were measured not to pay.
    "streams": StreamConfig(head="causal", margin=True, found_strata="evidence", information="xcov", conditional=True),
    # The pattern's part of the outcome is learned by strata and averaged out, instead of a margin; see
    # docs/deconfounding.md for what clusters, placebos and the pattern intervention came to.
    "prototypes": StreamConfig(
        head="causal", margin=True, information="xcov", conditional=True, prototypes=PrototypeConfig()
    ),
}
