"""How a model is trained."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields, replace
from typing import Annotated, Any, Literal

from gdsfd.errors import InputError
from gdsfd.nn.encoders.event_sequence import SequenceName
from gdsfd.setting_checks import Number, Whole, check_fields, check_names

__all__ = ["Accelerator", "TrainConfig"]

Accelerator = Literal["auto", "cpu", "cuda", "gpu", "mps"]


@dataclass(frozen=True)
class TrainConfig:
    """Settings of one training run. ``None`` means: chosen by the size of the cohort (:meth:`resolved`).

    Args:
        max_epochs: Most passes over the training patients, 1 to 100,000.
        batch_size: Patients per step and process, 1 to 1,000,000; once resolved, of all ``devices`` processes together.
        learning_rate: Of AdamW, at its peak; 0 to 10.
        weight_decay: Of AdamW, 0 to 100.
        channels: Width d of tokens and embeddings, 1 to 4,096.
        dropout: Dropout probability, from 0 to below 1.
        relevance: Power with which a feature's relevance scales it (see :mod:`gdsfd.nn.relevance`), 0 to 10; 0 = all
            alike.
        averaging: Decay per step of the running average of the weights that is evaluated and kept, from 0 to below 1;
            0 = no average.
        members: Networks trained side by side from different starts, whose probabilities are averaged; 1 to 64.
        boosted_members: How many of the members start from boosted trees of the flattened table and learn what these
            leave (:mod:`gdsfd.training.boosted_start`); 0 to ``members``. None = half of them, rounded down. Modes that
            train neither plainly nor beside a margin have none, whatever is asked for, and neither has the network
            without debiasing that is trained for them.
        sequence: How events are read over time beside their summaries: ``"gru"``: a recurrence over steps; ``"utde"``:
            attention over time, mixed with the last value by a gate; ``"set"``: an attention pool of single events;
            ``"none"``: only the summaries.
        backbone_options: The backbone's own options; :class:`~gdsfd.training.debiaser.Debiaser` holds them to what its
            backbone takes.
        encoder_options: Kind of modality -> the options of its encoder.
        monitor: What early stopping and the choice of the epoch look at on the tuning patients.
        patience: Epochs without a better value before training stops, 1 to 100,000.
        clip_norm: Largest gradient norm, 0 to 1,000,000; 0 = no clipping.
        precision: As Fabric names it: ``"32-true"``, ``"bf16-mixed"``, or on a GPU ``"16-mixed"``.
        accelerator: As Fabric names it: ``"auto"``, ``"cpu"``, ``"cuda"``, ``"mps"``, or ``"gpu"`` for either of these.
        devices: Processes that train one network together, each on its share of every batch, 1 to 64: on GPUs one each,
            on CPUs with a share of the threads. With ``batch_size`` given a step has ``devices`` times as many
            patients; chosen by the size of the cohort it has as many as with one process. A script needs
            ``if __name__ == "__main__":`` around what it does.
        captured: Whether a GPU is to repeat steps by itself, recorded as a CUDA graph, where they are the same calls
            every time; a warning says why where they are not. Not yet measured on a GPU.
        compiled: Whether a CPU is to compile steps (torch's inductor; needs a C++ compiler) where they are the same
            calls every time: 1.3 (one thread) to twice as fast (two), after up to a minute for every stage. The same
            random numbers and, up to rounding, the same figures; a warning says why where they are not compiled.
        state_rows: Most training patients that the stored modality states are fitted on, 1 to 100,000,000.
        guard: Which model predicts when debiasing: ``"auto"`` (the guard's choice), ``"debiased"`` or ``"reference"``.
        guard_folds: Most groups of environments that the guard leaves out of training in turn, 0 to 100; below 2 it
            looks at tuning patients instead.
        recalibrate: How risks are corrected before they are given out, fitted on the tuning patients: ``"none"`` (also
            ``False``), ``"logistic"``: a line on log-odds; ``"isotonic"``: a rising curve; ``"auto"``: what predicts
            tuning patients best who were left out of its fit, nothing included.
        log: ``"csv"`` (history.csv in the run's folder), or ``"tensorboard"`` for event files beside it (needs the
            extra ``tensorboard``). Both only for a run with a folder.

    Raises:
        InputError: A setting of a wrong type or out of its bounds; a truth value is no number, NaN and infinity are out
            of all bounds.
    """

    max_epochs: Annotated[int, Whole(1, 100_000)] = 100
    batch_size: Annotated[int | None, Whole(1, 1_000_000)] = None
    learning_rate: Annotated[float | None, Number(0, 10)] = None
    weight_decay: Annotated[float, Number(0, 100)] = 1e-2
    channels: Annotated[int | None, Whole(1, 4096)] = None
    dropout: Annotated[float | None, Number(0, 1, below=True)] = None
    relevance: Annotated[float, Number(0, 10)] = 1.0
    averaging: Annotated[float, Number(0, 1, below=True)] = 0.0
    members: Annotated[int | None, Whole(1, 64)] = None
    boosted_members: Annotated[int | None, Whole(0, 64)] = None
    sequence: SequenceName = "none"
    backbone_options: dict[str, Any] = field(default_factory=dict)
    encoder_options: dict[str, Any] = field(default_factory=dict)
    monitor: Literal["auprc", "loss"] = "loss"
    patience: Annotated[int, Whole(1, 100_000)] = 15
    clip_norm: Annotated[float, Number(0, 1_000_000)] = 1.0
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = "32-true"
    accelerator: Accelerator = "auto"
    devices: Annotated[int, Whole(1, 64)] = 1
    captured: bool = False
    compiled: bool = False
    state_rows: Annotated[int, Whole(1, 100_000_000)] = 16384
    guard: Literal["auto", "debiased", "reference"] = "auto"
    guard_folds: Annotated[int, Whole(0, 100)] = 3
    recalibrate: Literal["none", "auto", "logistic", "isotonic"] = "none"
    log: Literal["csv", "tensorboard"] = "csv"

    def __post_init__(self) -> None:
        check_fields(self, "setting")
        if self.members is not None and self.boosted_members is not None and self.boosted_members > self.members:
            raise InputError(
                f"setting 'boosted_members': expected at most the {self.members} members, got {self.boosted_members}"
            )

    @classmethod
    def from_settings(cls, settings: dict[str, Any]) -> TrainConfig:
        """A configuration from keyword settings.

        Raises:
            InputError: A setting is unknown (the message names near ones) or out of range.
        """
        check_names(settings, [spec.name for spec in fields(cls)], "setting")
        if settings.get("recalibrate") is False:
            settings = {**settings, "recalibrate": "none"}
        return cls(**settings)

    def resolved(self, num_train: int, trees: bool = True) -> TrainConfig:
        """The configuration with every ``None`` chosen for ``num_train`` training patients.

        Args:
            num_train: Training patients.
            trees: Whether members may start from boosted trees.
        """
        small = num_train < 10_000
        batch_size = 512
        while batch_size > 32 and num_train / batch_size < 16:
            batch_size //= 2
        members = self.members or (4 if small else 1)
        return replace(
            self,
            batch_size=self.batch_size * self.devices if self.batch_size else batch_size,
            learning_rate=self.learning_rate if self.learning_rate is not None else (3e-4 if small else 5e-4),
            channels=self.channels or (64 if small else 128),
            members=members,
            boosted_members=0 if not trees else members // 2 if self.boosted_members is None else self.boosted_members,
            dropout=self.dropout if self.dropout is not None else (0.4 if small else 0.25),
        )

    def to_dict(self) -> dict[str, Any]:
        """A JSON-able copy."""
        return asdict(self)
