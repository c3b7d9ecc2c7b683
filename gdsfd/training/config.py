"""How a model is trained."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal

from gdsfd.errors import InputError, near_names

__all__ = ["TrainConfig"]


@dataclass(frozen=True)
class TrainConfig:
    """Settings of one training run. ``None`` means: chosen by the size of the cohort (:meth:`resolved`).

    Args:
        max_epochs: Most passes over the training patients.
        batch_size: Patients per step.
        learning_rate: Of AdamW, at its peak.
        weight_decay: Of AdamW.
        channels: Width d of tokens and embeddings.
        dropout: Dropout probability.
        relevance: Power with which a feature's relevance scales it (see :mod:`gdsfd.nn.relevance`); 0 = all alike.
        averaging: Decay per step of the running average of the weights that is evaluated and kept; 0 = no average.
        members: Networks trained side by side from different starts, whose probabilities are averaged.
        sequence: ``"gru"`` reads events over time beside their summaries, ``"none"`` only the summaries.
        backbone_options: The backbone's own options.
        monitor: What early stopping and the choice of the epoch look at on the tuning patients.
        patience: Epochs without a better value before training stops.
        clip_norm: Largest gradient norm; 0 = no clipping.
        precision: As Fabric names it: ``"32-true"``, ``"bf16-mixed"``, ``"16-mixed"``.
        accelerator: As Fabric names it: ``"auto"``, ``"cpu"``, ``"cuda"``.
        state_rows: Most training patients that the stored modality states are fitted on.
        guard: Which model predicts when debiasing: ``"auto"`` (the guard's choice), ``"debiased"`` or ``"reference"``.
        guard_folds: Most groups of environments that the guard leaves out of training in turn; below 2 it looks at
            tuning patients instead.
        log: ``"csv"`` (history.csv in the run's folder), or ``"tensorboard"`` for event files beside it (needs the
            extra ``tensorboard``). Both only for a run with a folder.
    """

    max_epochs: int = 100
    batch_size: int | None = None
    learning_rate: float | None = None
    weight_decay: float = 1e-2
    channels: int | None = None
    dropout: float | None = None
    relevance: float = 1.0
    averaging: float = 0.0
    members: int | None = None
    sequence: Literal["gru", "none"] = "none"
    backbone_options: dict[str, Any] = field(default_factory=dict)
    monitor: Literal["auprc", "loss"] = "loss"
    patience: int = 15
    clip_norm: float = 1.0
    precision: str = "32-true"
    accelerator: str = "auto"
    state_rows: int = 16384
    guard: Literal["auto", "debiased", "reference"] = "auto"
    guard_folds: int = 3
    log: Literal["csv", "tensorboard"] = "csv"

    def __post_init__(self) -> None:
        for name in ("max_epochs", "batch_size", "channels", "members", "patience", "state_rows"):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, int) or value < 1):
                raise InputError(f"setting {name!r}: expected a whole number of at least 1, got {value!r}")
        if isinstance(self.guard_folds, bool) or not isinstance(self.guard_folds, int) or self.guard_folds < 0:
            raise InputError(f"setting 'guard_folds': expected a whole number of at least 0, got {self.guard_folds!r}")
        for name in ("learning_rate", "weight_decay", "clip_norm"):
            value = getattr(self, name)
            if value is not None and not value >= 0:
                raise InputError(f"setting {name!r}: expected a number of at least 0, got {value!r}")
        for name in ("dropout", "averaging"):
            value = getattr(self, name)
            if value is not None and not 0 <= value < 1:
                raise InputError(f"setting {name!r}: expected a number in [0, 1), got {value!r}")
        for name, choices in (
            ("sequence", ("gru", "none")),
            ("monitor", ("auprc", "loss")),
            ("guard", ("auto", "debiased", "reference")),
            ("log", ("csv", "tensorboard")),
        ):
            if getattr(self, name) not in choices:
                raise InputError(f"setting {name!r}: expected one of {choices}, got {getattr(self, name)!r}")

    @classmethod
    def from_settings(cls, settings: dict[str, Any]) -> TrainConfig:
        """A configuration from keyword settings.

        Raises:
            InputError: A setting is unknown (the message names near ones) or out of range.
        """
        known = {spec.name for spec in fields(cls)}
        for name in settings:
            if name not in known:
                raise InputError(f"unknown setting {name!r}.{near_names(name, known)}")
        return cls(**settings)

    def resolved(self, num_train: int) -> TrainConfig:
        """The configuration with every ``None`` chosen for ``num_train`` training patients."""
        small = num_train < 10_000
        batch_size = 512
        while batch_size > 32 and num_train / batch_size < 16:
            batch_size //= 2
        return replace(
            self,
            batch_size=self.batch_size or batch_size,
            learning_rate=self.learning_rate if self.learning_rate is not None else (3e-4 if small else 5e-4),
            channels=self.channels or (64 if small else 128),
            members=self.members or (4 if small else 1),
            dropout=self.dropout if self.dropout is not None else (0.4 if small else 0.25),
        )

    def to_dict(self) -> dict[str, Any]:
        """A JSON-able copy."""
        return asdict(self)
