"""The estimator people use: fit on a graph, predict patients, save, load."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from torch_geometric.data import HeteroData

from gdsfd.cohort.schema import CohortSchema
from gdsfd.errors import InputError, NotFittedError, cell_text
from gdsfd.graph.content_hash import content_hash
from gdsfd.graph.loader import rows_of
from gdsfd.nn.backbones import check_backbone
from gdsfd.nn.dependence import check_dependence
from gdsfd.nn.encoders.encoder import check_encoder_options
from gdsfd.nn.objective_registry import check_objective
from gdsfd.nn.streams.config import StreamConfig
from gdsfd.nn.used_parts import used_parts
from gdsfd.notebook_table import notebook_table
from gdsfd.plugins import plugin_needs
from gdsfd.process_lock import process_lock
from gdsfd.setting_checks import Whole, checked
from gdsfd.training.answers import Answers
from gdsfd.training.arm import Arm, build_network
from gdsfd.training.config import Accelerator, TrainConfig
from gdsfd.training.estimator import Estimator
from gdsfd.training.fit_checks import check_fit_arguments, check_place, check_trainable, warn_of_outcomes
from gdsfd.training.fitted_models import FittedModels, fit_models
from gdsfd.training.model_selection.guard import Guard
from gdsfd.training.plan import BIASED, TrainingPlan, plan_training
from gdsfd.training.progress import Followed, Watch, followed
from gdsfd.training.remainder import biased_stream
from gdsfd.training.run_record.rivals import Rivals, fit_rivals
from gdsfd.training.run_record.run_record import RunRecord, record_run
from gdsfd.training.site_strata import read_strata
from gdsfd.training.stages import DivergedError
from gdsfd.training.storage.checkpoint import (
    already_training,
    check_resumable,
    empty_work_folder,
    lock_file,
    work_folder,
)
from gdsfd.training.storage.model_folder import read_model, read_weights, write_model
from gdsfd.training.storage.stored_model import stored_config
from gdsfd.training.survival_modes import check_survival_mode, check_survival_settings
from gdsfd.training.suspects.declared_suspects import check_suspects, existing_suspects, read_suspects, with_found

__all__ = ["Debiaser"]

_log = logging.getLogger(__name__)


class Debiaser(Answers, Estimator):
    """Trains a predictor on a patient-modality graph, with or without debiasing.

    Args:
        backbone: ``"muse"``, ``"concat"``, ``"grape"``, or another learner that ``gdsfd learners`` lists; one's own by
            ``gdsfd.nn.backbones.register_backbone``.
        debias: ``"none"``: training without debiasing (ERM). ``"margin"``: training beside what the suspects say of the
            outcome, which is left out of predictions. ``"latent"``: beside confounder strata that are found, where the
            evidence says that they are a practice, and beside the margin elsewhere. ``"strata"``: patients weighted so
            that the suspects tell nothing of the outcome. ``"dfd"``: dual streams as far as they are published.
            ``"full"``: the prediction of ``latent``, and beside it a biased stream that learns what of the outcome that
            leaves (:meth:`log_odds`). ``"streams"``: dual streams trained together beside the same strata or margin.
            ``"prototypes"``: dual streams whose predictions are averaged over strata of patients. Or a
            :class:`~gdsfd.nn.streams.StreamConfig`, or a mapping of its fields.
        suspects: What may be biased: ``"pattern"``, ``"environment"``, ``"groups"``, ``"modality:<name>"``,
            ``"column:<modality>.<name>"``, ``"found"``. Used by all modes but ``none`` and ``dfd``. None =
            ``"pattern"`` and, where the graph has one, ``"environment"``; what is given has to be in the graph.
            ``"found"``: strata inside outcome classes that are tied to pattern or environment and by the evidence a
            practice, for the modes with a margin; ``full`` and ``latent`` look for them without being told.
        seed: Of initial weights, shuffling and dropout; 0 to 4,294,967,295.
        device: What to train on: ``"auto"``, ``"cpu"``, ``"cuda"``, ``"mps"``, ``"gpu"``; another word for the setting
            ``accelerator``. :meth:`predict_proba` has its own.
        **settings: Fields of :class:`~gdsfd.training.config.TrainConfig`, such as ``max_epochs=100``.

    Attributes:
        config: Training settings as given.
        streams: Parts of the debiasing mode as given; None = ERM.
        config_: Training settings as :meth:`fit` resolved them for its cohort; None before training.
        suspects_: Suspects as :meth:`fit` found them in its graph.
        schema_: The training cohort's fitted description; None before training.
        networks_: ``reference`` and, with debiasing, ``debiased``; empty before training.
        biased_: The biased stream that mode ``full`` trains beside the finished prediction; None in other modes.
        guard_: The guard's choice and its reasons; None without debiasing.
        choice_: Name of the network that predicts.
        history_: One row per epoch.
        training_: Facts of the training: patients, epochs, seconds, how it ended.
        record_: What was fixed in training; None in runs of earlier versions.
        strata_: Outcome -> the found strata that are averaged out for it, with the masses :meth:`adapt` gave them.

    All but the last also go by their names without the underscore. With debiasing, :meth:`fit` also trains the same
    backbone without it, compares the two on patients that neither was trained on, and predicts with the debiased one
    only where there is evidence that it is better (``guard_.explanation``). :meth:`use` forces either.

    Raises:
        InputError: An argument is unknown or out of range.

    Example:
        >>> model = Debiaser(backbone="concat", debias="none", seed=0, max_epochs=5)
        >>> model
        Debiaser(backbone='concat', debias='none', seed=0, not fitted)
    """

    def __init__(
        self,
        backbone: str = "muse",
        debias: str | Mapping[str, Any] | StreamConfig = "none",
        suspects: str | Sequence[str] | None = None,
        seed: int = 0,
        device: str | None = None,
        **settings: Any,
    ) -> None:
        self.config = TrainConfig.from_settings(_with_device(settings, device))
        check_backbone(backbone, self.config.backbone_options)
        check_encoder_options(self.config.encoder_options)
        self.backbone = backbone
        self.streams = StreamConfig.read(debias)
        self.debias = debias if isinstance(debias, str) else "custom"
        if self.streams is not None:
            check_dependence(self.streams.information, self.streams.information_options)
            check_objective(self.streams.objective, self.streams.objective_options)
        self.suspects = read_suspects(suspects)
        self.streams = with_found(self.streams, self.suspects)
        self._suspects_given = suspects is not None
        self.seed: int = checked(seed, Annotated[int, Whole(0, 2**32 - 1)], "seed")
        given = {"backbone": backbone, "debias": debias, "suspects": suspects, "seed": seed, "device": device}
        self._params = {**given, **vars(TrainConfig()), **settings}
        Answers.__init__(self)

    def fit(
        self,
        graph: HeteroData,
        out: str | Path | None = None,
        resume: bool = False,
        on_epoch: Watch | None = None,
        progress: bool | None = None,
        baselines: bool = True,
        jobs: int = 1,
    ) -> Debiaser:
        """Trains on the split ``train``, choosing the epoch on ``tuning``.

        Settings stay as they were given; fitted again, on this cohort or another, the model is what a new one would be.
        What new patients are to be judged by is fixed now, too, and kept in :attr:`record`: thresholds and
        recalibration on the tuning patients, gradient boosting and logistic regression as rivals, and hashes of whom
        the model has seen.

        Args:
            graph: A graph with both splits.
            out: The run's folder: a checkpoint is kept beside it after every epoch, and it appears whole at the end.
                One process at a time trains into a folder.
            resume: Whether to go on from the checkpoints of an interrupted run with the same ``out``, graph and
                settings.
            on_epoch: Called after each epoch with its row of the history.
            progress: Whether to show a progress bar; None = on a terminal only. The logger ``gdsfd.training.progress``
                has a line per epoch (INFO).
            baselines: Whether to fit gradient boosting and logistic regression and to keep them; of a mode that reads
                suspects both also beside the suspects' margin, and beside found strata that are used, and all of them
                where the guard compares networks. Without them the model can be compared with none on new patients.
            jobs: Fits of a debiased model (with and without debiasing, and the guard's) at once, each in a process with
                its share of the threads; 1 = in this process, one after the other. The numbers are those of as many
                threads here. A script needs ``if __name__ == "__main__":`` around what it does.

        Returns:
            The model itself.

        Raises:
            InputError: Nothing to learn from or choose by; suspects that the graph does not have; a device that is not
                there; ``out`` holds something else, or another process trains into it; ``resume`` with another graph
                or other settings than before, or from a damaged checkpoint. Then nothing is written.
        """
        check_fit_arguments(out, resume, on_epoch, jobs, self.config.devices)
        check_trainable(graph)
        check_survival_mode(graph, self.streams)
        check_survival_settings(graph, self.config.recalibrate)
        warn_of_outcomes(graph, self.streams)
        if self._suspects_given:
            check_suspects(self.suspects, graph)
        check_place(self.config, out)
        suspects = self.suspects if self._suspects_given else existing_suspects(self.suspects, graph)
        config = self._resolved(graph)
        beside = partial(fit_rivals, seed=self.seed, suspects=self._told(suspects)) if baselines else None
        title, reference = f"training {self.backbone}", Arm(self.backbone, None, config, self.seed, suspects)
        _log.info("%s: %s", title, plan_training(graph, config, self.streams).explanation)
        with followed(title, config.max_epochs, progress, on_epoch) as watch:
            if out is None:
                models = fit_models(graph, reference, self.streams, None, False, {}, watch, jobs, beside)
                self._take(graph, models, suspects)
                self.record_ = self._recorded(graph, baselines, models.rivals, watch)
                return self
            out, folder = Path(out), work_folder(Path(out))
            with process_lock(lock_file(out), already_training(out)):
                described = self._described(config, suspects)
                described["config"].pop("devices")  # another number of processes goes on with the same steps
                settings = {"model": described, "graph": content_hash(graph)}
                if resume:
                    check_resumable(folder, settings)
                else:
                    empty_work_folder(folder)
                try:
                    models = fit_models(graph, reference, self.streams, folder, resume, settings, watch, jobs, beside)
                except DivergedError:
                    empty_work_folder(folder)
                    raise
                self._take(graph, models, suspects)
                self.record_ = self._recorded(graph, baselines, models.rivals, watch)
                self._save(out, folder / "tensorboard")
                shutil.rmtree(folder, ignore_errors=True)
        return self

    def _recorded(self, graph: HeteroData, baselines: bool, rivals: Rivals | None, watch: Followed) -> RunRecord:
        """What judges new patients, with the rivals that are told what the debiased network was."""
        watch.stage("what judges new patients" + (", baselines among it" if baselines else ""))
        told = self._told(self.suspects_)
        assert self.config_ is not None
        how = self.config_.recalibrate
        return record_run(graph, self.networks_, self.seed, baselines, told, bool(self.strata_), rivals, how)

    def _told(self, suspects: tuple[str, ...]) -> tuple[str, ...]:
        return suspects if self.streams is not None and self.streams.uses_suspects else ()

    def plan(self, graph: HeteroData) -> TrainingPlan:
        """What :meth:`fit` will do on a graph: which fits, of how many networks, of how many epochs at most.

        Raises:
            InputError: Nothing to learn from or choose by.
        """
        check_trainable(graph)
        check_survival_mode(graph, self.streams)
        return plan_training(graph, self._resolved(graph), self.streams)

    def _resolved(self, graph: HeteroData) -> TrainConfig:
        """Settings for a cohort; without trees where only the network without debiasing could have them."""
        trees = self.streams is None or self.streams.beside_trees
        return self.config.resolved(rows_of(graph, "train").numel(), trees)

    def save(self, folder: str | Path) -> None:
        """Writes the model, whole or not at all: weights (safetensors), settings, schema and history (JSON).

        Args:
            folder: Created; a former model there is replaced, anything else is refused.

        Raises:
            NotFittedError: The model was not trained.
            InputError: ``folder`` holds something else.
        """
        self._save(Path(folder))

    def _save(self, folder: Path, board: Path | None = None) -> None:
        if not self.networks_ or self.schema_ is None or self.config_ is None:
            raise NotFittedError("this Debiaser is not trained: there is nothing to save")
        described = {
            "arguments": self._arguments(),
            "resolved": {"config": self.config_.to_dict(), "suspects": list(self.suspects_)},
            "schema": self.schema_.to_dict(),
            "training": self.training_,
            "guard": self.guard_.to_dict() if self.guard_ is not None else None,
            "choice": self.choice_,
            "plugins": plugin_needs(used_parts(self.backbone, self.streams, self.schema_)),
        }
        networks = {**self.networks_, **({BIASED: self.biased_} if self.biased_ is not None else {})}
        write_model(folder, networks, described, self.history_, board, self.record_, self.strata_)

    @classmethod
    def load(cls, folder: str | Path) -> Debiaser:
        """Reads a model that :meth:`save` or ``gdsfd train`` wrote. Runs no code from the files.

        Raises:
            InputError: ``folder`` holds no finished model, or one that is damaged, was changed since it was written, or
                is of another version; the message names file and entry. Or a part of it is of a plug-in that is not
                there: import it before loading.
        """
        if not isinstance(folder, (str, Path)):
            raise InputError(f"load: expected the path of a model's folder, got {cell_text(folder)}")
        folder = Path(folder)
        stored = read_model(folder)
        arguments = {**stored["arguments"], "config": stored_config(stored["arguments"]["config"])}
        # "none": a stored mode is made of the parts it was trained with; what its name means now does not matter, nor
        # whether an estimator that only training needs is known here.
        try:
            model = cls(arguments["backbone"], "none", arguments["suspects"], arguments["seed"], **arguments["config"])
        except InputError as error:
            raise InputError(f"{folder / 'model.json'}: arguments: {error}") from None
        if arguments["debias"] != "none":
            model.debias = arguments["debias"]
            model.streams = StreamConfig.read(arguments["streams"] or arguments["debias"])
            model._params["debias"] = model.streams if model.debias == "custom" else model.debias
        model.schema_ = CohortSchema.from_dict(stored["schema"])
        model.training_, model.history_ = stored["training"], stored["history"]
        resolved = stored["resolved"]
        model.config_ = TrainConfig.from_settings(stored_config(resolved["config"]))
        model.suspects_ = tuple(resolved["suspects"])
        sizes = model.training_.get("suspect_codes", ())
        for name in ("reference", "debiased") if model.streams is not None else ("reference",):
            streams = model.streams if name == "debiased" else None
            network = build_network(model.schema_, model.backbone, streams, model.config_, model.seed, sizes)
            model.networks_[name] = read_weights(folder, name, network, stored, model.schema_)
        if model.streams is not None and model.streams.remainder:
            beside = biased_stream(model.schema_, model.backbone, model.config_, model.seed)
            model.biased_ = read_weights(folder, BIASED, beside, stored, model.schema_)
        guard = stored["guard"]
        model.guard_ = Guard.from_dict(guard) if guard is not None else None
        model.choice_ = stored["choice"]
        model.strata_ = read_strata(folder, stored.get("strata", ()), model.schema_)
        if stored.get("record") is not None:
            model.record_ = RunRecord.read(folder, stored["record"], model.schema_)
        return model

    def describe(self) -> dict[str, Any]:
        """How the model was trained: arguments, sizes, epochs, seconds; for reports."""
        return {**self._described(self.config_ or self.config, self.suspects_ or self.suspects), **self.training_}

    def _take(self, graph: HeteroData, models: FittedModels, suspects: tuple[str, ...]) -> None:
        """Takes over what was trained."""
        self.schema_, self.config_, self.suspects_ = graph.schema, models.config, suspects
        self.guard_, self.networks_, self.record_ = models.guard, models.networks, None
        self.strata_ = models.strata
        self.biased_ = models.biased.network.eval() if models.biased is not None else None
        self.use(models.config.guard if models.guard is not None else "auto")
        self.history_, self.training_ = models.history(self.choice_), models.facts(graph, self.choice_)

    def _arguments(self) -> dict[str, Any]:
        """The constructor's arguments as given; None for suspects that were not."""
        return {
            "backbone": self.backbone,
            "debias": self.debias,
            "streams": self.streams.to_dict() if self.streams is not None else None,
            "suspects": list(self.suspects) if self._suspects_given else None,
            "seed": self.seed,
            "config": self.config.to_dict(),
        }

    def _described(self, config: TrainConfig, suspects: tuple[str, ...]) -> dict[str, Any]:
        """The arguments as resolved for a cohort."""
        return {**self._arguments(), "config": config.to_dict(), "suspects": list(suspects)}

    def __repr__(self) -> str:
        fitted = f"{self.training_.get('epochs', '?')} epochs" if self.networks_ else "not fitted"
        return f"Debiaser(backbone={self.backbone!r}, debias={self.debias!r}, seed={self.seed}, {fitted})"

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        usual = {"backbone": "", "debias": "", "suspects": None, "seed": "", "device": None, **vars(TrainConfig())}
        given = {name: value for name, value in self.get_params().items() if value != usual[name]}
        facts: dict[str, object] = {**given, "debias": self.debias}
        if not self.networks_:
            return notebook_table("Debiaser, not fitted", facts)
        facts |= {name: self.training_[name] for name in ("train_patients", "parameters", "seconds")}
        facts |= {f"{name} ended": words for name, words in self.training_.get("ended", {}).items()}
        facts["predicts"] = self.choice_
        if self.guard_ is not None:
            facts["guard"] = self.guard_.explanation
        return notebook_table("Debiaser, fitted", facts)


def _with_device(settings: dict[str, Any], device: str | None) -> dict[str, Any]:
    """The settings with ``device`` as the accelerator."""
    if device is None:
        return settings
    if settings.get("accelerator", "auto") not in ("auto", device):
        raise InputError(f"give device or accelerator, not both: {device!r} and {settings['accelerator']!r}")
    return {**settings, "accelerator": checked(device, Accelerator, "device")}
