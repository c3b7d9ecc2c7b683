"""The networks of one estimator: ERM alone, or ERM and the debiased one with the guard's choice between them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch_geometric.data import HeteroData

from gdsfd.graph.loader import rows_of
from gdsfd.graph.patient_store import PatientStore
from gdsfd.latent.back_door import BackDoor
from gdsfd.nn.ensemble import Ensemble
from gdsfd.nn.streams.config import StreamConfig
from gdsfd.training.arm import Arm, FittedArm, Together
from gdsfd.training.config import TrainConfig
from gdsfd.training.ending import why_ended
from gdsfd.training.fits_at_once import Fit, FitProcesses, Fits, FitsHere
from gdsfd.training.model_selection.guard import Guard, select_model
from gdsfd.training.model_selection.leave_one_environment_out import environment_folds, left_out_fits
from gdsfd.training.plan import BIASED
from gdsfd.training.progress import Watch
from gdsfd.training.rank_processes import RankProcesses
from gdsfd.training.remainder import RemainderArm
from gdsfd.training.run_record.rivals import Rivals

__all__ = ["FittedModels", "fit_models"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class FittedModels:
    """What :func:`fit_models` has trained.

    Args:
        arms: ``reference``, and ``debiased`` where there is one.
        guard: Which of the two is to predict; None without debiasing.
        config: The resolved configuration.
        rivals: Those that were fitted meanwhile.
        biased: The biased stream of what the debiased one leaves; None where the mode has none.
    """

    arms: Mapping[str, FittedArm]
    guard: Guard | None
    config: TrainConfig
    rivals: Rivals | None = None
    biased: FittedArm | None = None

    @property
    def networks(self) -> dict[str, Ensemble]:
        """The networks by name, in evaluation mode."""
        return {name: arm.network.eval() for name, arm in self.arms.items()}

    @property
    def strata(self) -> dict[str, BackDoor]:
        """Outcome -> the found strata that the debiased model averages out for it."""
        return self.arms["debiased"].suspect_signal.back_doors if "debiased" in self.arms else {}

    def history(self, choice: str) -> list[dict[str, Any]]:
        """Rows of all epochs; where there are two models each row says which ``model`` it is of."""
        if self.guard is None:
            return self.arms[choice].state.history
        return [{"model": name, **row} for name, arm in self._all.items() for row in arm.state.history]

    @property
    def _all(self) -> dict[str, FittedArm]:
        return {**self.arms, **({BIASED: self.biased} if self.biased is not None else {})}

    def facts(self, graph: HeteroData, choice: str) -> dict[str, Any]:
        """Facts of the training for ``model.json`` and reports; sizes and epochs are of the network chosen."""
        kept = self.arms[choice]
        facts: dict[str, Any] = {
            "train_patients": rows_of(graph, "train").numel(),
            "parameters": sum(parameter.numel() for parameter in kept.network.parameters()),
            "epochs": kept.state.epoch,
            "best_epoch": kept.state.best_epoch,
            "ended": {name: why_ended(arm.state, self.config) for name, arm in self._all.items()},
            "seconds": round(sum(row["seconds"] for arm in self._all.values() for row in arm.state.history), 2),
        }
        if self.guard is None:
            return facts
        signal = self.arms["debiased"].suspect_signal
        return facts | {
            "choice": choice,
            "guard": self.guard.explanation,
            "suspects_found": list(signal.suspects),
            "suspect_codes": list(signal.sizes),
            "suspects_tell": list(signal.cross_entropy_gain),
            **({"weights_clipped": list(signal.clipped)} if signal.effective else {}),
            **({"strata": signal.strata} if signal.strata else {}),
            **({"weights_worth_patients": list(signal.effective)} if signal.effective else {}),
        }


def fit_models(
    graph: HeteroData,
    reference: Arm,
    streams: StreamConfig | None,
    folder: Path | None,
    resume: bool,
    settings: dict[str, Any],
    watch: Watch,
    jobs: int = 1,
    beside: Callable[[HeteroData], Rivals] | None = None,
) -> FittedModels:
    """Trains what a debiasing mode consists of.

    Args:
        graph: The graph.
        reference: The arm without debiasing.
        streams: The parts of the debiasing mode; None = ERM alone.
        folder: Where checkpoints go; None = nowhere.
        resume: Whether to go on from them.
        settings: Stored with them.
        watch: Called with each row of the histories.
        jobs: Fits at once, each in a process; 1 = here, one after the other.
        beside: Fits rivals; with several jobs it has a process, too, else it is left to the caller.
    """
    config = reference.config
    with ExitStack() as held:
        together: Together | None = None
        if config.devices > 1:
            together = held.enter_context(RankProcesses(graph, config.devices, config.accelerator))
        return _fit_models(graph, reference, streams, folder, resume, settings, watch, jobs, beside, together)


def _fit_models(
    graph: HeteroData,
    reference: Arm,
    streams: StreamConfig | None,
    folder: Path | None,
    resume: bool,
    settings: dict[str, Any],
    watch: Watch,
    jobs: int,
    beside: Callable[[HeteroData], Rivals] | None,
    together: Together | None,
) -> FittedModels:
    config = reference.config
    if streams is None:
        plain = reference.fit(graph, None, folder, resume, settings, watch, together=together)
        _log.info("%s, reference: %s", reference.backbone, why_ended(plain.state, config))
        return FittedModels({"reference": plain}, None, config)
    debiased = replace(reference, streams=streams)
    store = PatientStore(graph)
    wanted = {
        name: Fit(arm, None, folder / name if folder is not None else None, _named(watch, name))
        for name, arm in (("reference", reference), ("debiased", debiased))
    }
    folds = config.guard_folds if config.guard == "auto" else 0
    with ExitStack() as held:
        fits: Fits = FitsHere(graph, resume, settings, store, together)
        meanwhile: Callable[[], Rivals] | None = None
        if jobs > 1:
            fits = held.enter_context(FitProcesses(graph, resume, settings, jobs))
            for fit in (wanted["debiased"], wanted["reference"]):  # the longest first
                fits.foresee(fit)
            meanwhile = fits.aside(beside) if beside is not None else None
            for fit in _left_out(graph, reference, debiased, folds, folder):
                fits.foresee(fit)
        fitted = {}
        for name, fit in wanted.items():
            fitted[name] = fits.begin(fit)()
            _log.info("%s, %s: %s", fit.arm.backbone, name, why_ended(fitted[name].state, config))
            for cut, worth in zip(fitted[name].suspect_signal.clipped, fitted[name].suspect_signal.effective):
                _log.info("weights by suspects: %.1f %% cut, worth %.0f training patients", 100 * cut, worth)
        biased = None
        if streams.remainder:
            left = RemainderArm.of(debiased, fitted["debiased"].network, graph, store)
            own = folder / BIASED if folder is not None else None
            biased = fits.begin(Fit(left, None, own, _named(watch, BIASED)))
        guard = select_model(
            graph, reference, debiased, fitted, folds, folder, resume, settings, _named(watch, "guard"), store=store,
            fits=fits, simpler=beside is not None,
        )  # fmt: skip
        left_over = biased() if biased is not None else None
        rivals = meanwhile() if meanwhile is not None else None
    _log.info("guard: %s", guard.explanation)
    if left_over is not None:
        _log.info("%s, %s: %s", reference.backbone, BIASED, why_ended(left_over.state, config))
    return FittedModels(fitted, guard, config, rivals, left_over)


def _left_out(graph: HeteroData, reference: Arm, debiased: Arm, folds: int, folder: Path | None) -> list[Fit]:
    """The guard's fits that are known before anything is fitted; it may decide without them."""
    parts = environment_folds(graph, folds)
    plain = left_out_fits("reference", reference, parts, folder, None)
    if debiased.streams is None or debiased.streams.finds_strata:  # what is fitted depends on what strata are found
        return plain
    return [*left_out_fits("debiased", debiased, parts, folder, None), *plain]


def _named(watch: Watch, model: str) -> Watch:
    """Adds to each row which model it is of."""
    return lambda row: watch({"model": model, **row})
