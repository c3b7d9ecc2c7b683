"""The estimator people use: fit on a graph, predict patients, save, load."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch_geometric.data import HeteroData

from gdsfd.atomic_write import check_writable
from gdsfd.cohort.schema import CohortSchema
from gdsfd.errors import InputError, NotFittedError, cell_text, shown
from gdsfd.graph.check_graph import check_graph
from gdsfd.graph.content_hash import content_hash
from gdsfd.graph.loader import rows_of
from gdsfd.graph.patient_store import PatientStore
from gdsfd.nn.backbones import check_backbone
from gdsfd.nn.dependence import check_dependence
from gdsfd.nn.ensemble import Ensemble
from gdsfd.nn.streams.config import StreamConfig
from gdsfd.process_lock import process_lock
from gdsfd.setting_checks import Whole, checked
from gdsfd.training.arm import Arm, FittedArm, build_network
from gdsfd.training.config import TrainConfig
from gdsfd.training.devices import check_device
from gdsfd.training.ending import why_ended
from gdsfd.training.labels import check_labels, check_two_classes
from gdsfd.training.loop import DivergedError
from gdsfd.training.model_selection.guard import Guard, judge
from gdsfd.training.progress import Watch, followed
from gdsfd.training.run_record.run_record import RunRecord, record_run
from gdsfd.training.schema_check import check_schema
from gdsfd.training.storage.checkpoint import (
    already_training,
    check_resumable,
    empty_work_folder,
    lock_file,
    work_folder,
)
from gdsfd.training.storage.model_folder import check_free, read_model, read_weights, write_model
from gdsfd.training.suspects.declared_suspects import check_suspects, existing_suspects, read_suspects

__all__ = ["Debiaser"]


class Debiaser:
    """Trains a predictor on a patient-modality graph, with or without debiasing.

    Args:
        backbone: ``"muse"``, ``"concat"``, ``"grape"``, or a name registered by
            ``gdsfd.nn.backbones.register_backbone``.
        debias: ``"none"``: training without debiasing (ERM). ``"strata"``: patients weighted so that the suspects tell
            nothing of the outcome. ``"dfd"``: dual streams as far as they are published. ``"full"``: dual streams with
            margins over the suspects. ``"prototypes"``: dual streams whose predictions are averaged over strata of
            patients. Or a :class:`~gdsfd.nn.streams.StreamConfig`, or a mapping of its fields.
        suspects: What may be biased: ``"pattern"``, ``"environment"``, ``"groups"``, ``"modality:<name>"``,
            ``"column:<modality>.<name>"``. Used by ``strata``, ``full`` and ``prototypes``. None = ``"pattern"`` and,
            where the graph has one, ``"environment"``; what is given has to be in the graph.
        seed: Of initial weights, shuffling and dropout; 0 to 4,294,967,295.
        **settings: Fields of :class:`~gdsfd.training.config.TrainConfig`, such as ``max_epochs=100``.

    Attributes:
        config: Training settings as given.
        streams: Parts of the debiasing mode as given; None = ERM.
        config_: Training settings as :meth:`fit` resolved them for its cohort; None before training.
        suspects_: Suspects as :meth:`fit` found them in its graph.

    With debiasing, :meth:`fit` also trains the same backbone without it, compares the two on patients that neither was
    trained on, and predicts with the debiased one only where there is evidence that it is better (:attr:`guard`, in
    words). :meth:`use` forces either.

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
        **settings: Any,
    ) -> None:
        self.config = TrainConfig.from_settings(settings)
        check_backbone(backbone, self.config.backbone_options)
        self.backbone = backbone
        self.streams = StreamConfig.read(debias)
        self.debias = debias if isinstance(debias, str) else "custom"
        if self.streams is not None:
            check_dependence(self.streams.information, self.streams.information_options)
        self.suspects = read_suspects(suspects)
        self._suspects_given = suspects is not None
        self.seed: int = checked(seed, Annotated[int, Whole(0, 2**32 - 1)], "seed")
        self.config_: TrainConfig | None = None
        self.suspects_: tuple[str, ...] = ()
        self.schema: CohortSchema | None = None
        self.networks: dict[str, Ensemble] = {}
        self.guard: Guard | None = None
        self.choice = "reference"
        self.history: list[dict[str, Any]] = []
        self.training: dict[str, Any] = {}
        self.record: RunRecord | None = None  #: What was fixed in training; None in runs of earlier versions.

    @property
    def network(self) -> Ensemble | None:
        """The network that predictions come from; None before training."""
        return self.networks.get(self.choice)

    def use(self, which: str = "auto") -> Debiaser:
        """Chooses which network predicts.

        Args:
            which: ``"debiased"``, ``"reference"``, or ``"auto"``: what the guard chose.

        Returns:
            The model itself.

        Raises:
            InputError: Another word, or the model was trained without debiasing.
            NotFittedError: The model was not trained.
        """
        if which not in ("auto", "debiased", "reference"):
            raise InputError(f"use: expected 'auto', 'debiased' or 'reference', got {which!r}")
        if not self.networks:
            raise NotFittedError("this Debiaser is not trained: call fit(graph), or Debiaser.load(folder)")
        chosen = which if which != "auto" else (self.guard.choice if self.guard is not None else "reference")
        if chosen not in self.networks:
            raise InputError("use: this model was trained with debias='none' and has no debiased network")
        self.choice = chosen
        return self

    def fit(
        self,
        graph: HeteroData,
        out: str | Path | None = None,
        resume: bool = False,
        on_epoch: Watch | None = None,
        progress: bool | None = None,
        baselines: bool = True,
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
            baselines: Whether to fit gradient boosting and logistic regression and to keep them. Without them the model
                can be compared with none on new patients.

        Returns:
            The model itself.

        Raises:
            InputError: Nothing to learn from or choose by; suspects that the graph does not have; a device that is not
                there; ``out`` holds something else, or another process trains into it; ``resume`` with another graph
                or other settings than before, or from a damaged checkpoint. Then nothing is written.
        """
        suspects = self._check_before(graph, out, resume, on_epoch)
        config = self.config.resolved(rows_of(graph, "train").numel())
        title = f"training {self.backbone}"
        with followed(title, config.max_epochs, progress, on_epoch) as watch:
            if out is None:
                self._fit(graph, config, suspects, None, False, {}, watch)
                self.record = record_run(graph, self.networks, self.seed, baselines)
                return self
            out, folder = Path(out), work_folder(Path(out))
            with process_lock(lock_file(out), already_training(out)):
                settings = {"model": self._described(config, suspects), "graph": content_hash(graph)}
                if resume:
                    check_resumable(folder, settings)
                else:
                    empty_work_folder(folder)
                try:
                    self._fit(graph, config, suspects, folder, resume, settings, watch)
                except DivergedError:
                    empty_work_folder(folder)
                    raise
                self.record = record_run(graph, self.networks, self.seed, baselines)
                self._save(out, folder / "tensorboard")
                shutil.rmtree(folder, ignore_errors=True)
        return self

    def _check_before(self, graph: HeteroData, out: Any, resume: bool, on_epoch: Any) -> tuple[str, ...]:
        """Refuses what would end the training, or its end, before any work; the suspects that are used."""
        check_graph(graph)
        if out is not None and not isinstance(out, (str, Path)):
            raise InputError(f"fit: out: expected the path of a folder, got {cell_text(out)}")
        if resume and out is None:
            raise InputError("resume=True needs out=: the folder of the run to go on with")
        if on_epoch is not None and not callable(on_epoch):
            raise InputError(f"fit: on_epoch: expected a function, got {cell_text(on_epoch)}")
        if "receipt" in graph and graph.receipt is not None and graph.receipt.new:
            raise InputError(
                "these patients were read with the schema of an earlier cohort (like=, --like): they are there to be "
                "predicted and judged. To train on them build the graph without it"
            )
        if "tuning" not in graph["patient"].split:
            raise InputError(
                "the graph has no split 'tuning', on which the epoch is chosen: give [split] fractions with a second "
                "share above 0, or name some patients 'tuning' in the split column"
            )
        rows = {split: rows_of(graph, split) for split in ("train", "tuning")}
        check_labels(graph, rows)
        check_two_classes(graph, rows["train"])
        if self._suspects_given:
            check_suspects(self.suspects, graph)
        check_device(self.config)
        if out is not None:
            check_free(Path(out))
            check_writable(Path(out))
        return self.suspects if self._suspects_given else existing_suspects(self.suspects, graph)

    def _fit(
        self,
        graph: HeteroData,
        config: TrainConfig,
        suspects: tuple[str, ...],
        folder: Path | None,
        resume: bool,
        settings: dict[str, Any],
        watch: Watch,
    ) -> None:
        """Trains what the mode consists of; ``folder`` is for checkpoints."""
        reference = Arm(self.backbone, None, config, self.seed, suspects)
        if self.streams is None:
            plain = reference.fit(graph, None, folder, resume, settings, watch)
            self._take(graph, config, suspects, {"reference": plain}, None)
            return
        debiased = replace(reference, streams=self.streams)
        fitted = {}
        for name, arm in (("reference", reference), ("debiased", debiased)):
            place = folder / name if folder is not None else None
            fitted[name] = arm.fit(graph, None, place, resume, settings, _named(watch, name))
        folds = config.guard_folds if config.guard == "auto" else 0
        guard = judge(graph, reference, debiased, fitted, folds, folder, resume, settings, _named(watch, "guard"))
        self._take(graph, config, suspects, fitted, guard)

    def predict_proba(
        self, graph: HeteroData, split: str | Sequence[str] | None = None, ids: Sequence[str] | None = None
    ) -> NDArray[np.float64]:
        """Probabilities of patients; a patient's numbers do not depend on who else is asked for.

        Args:
            graph: A graph with the model's schema (the one it was trained on, or built with ``like=`` it).
            split: A split's name, or several; None with ``ids=None`` = all patients.
            ids: Patient ids, instead of a split.

        Returns:
            float [n, classes]: for one binary outcome the probabilities of the negative and the positive label; for
            several outcomes one column each (positive). Rows in the order of ``graph["patient"].id`` (or of ``ids``).

        Raises:
            NotFittedError: The model was not trained.
            SchemaError: The graph has other modalities, columns or vocabularies.
            InputError: Unknown split or ids.
        """
        return self._run(graph, split, ids, self.network)[0].numpy()

    def embed(
        self, graph: HeteroData, split: str | Sequence[str] | None = None, ids: Sequence[str] | None = None
    ) -> dict[str, NDArray[np.float32]]:
        """Patient embeddings; see :meth:`predict_proba` for the arguments and errors.

        Returns:
            Stream name -> float [n, members x channels]. A model with dual streams gives ``causal`` and ``biased``, of
            its debiased network whichever predicts; any other has one stream, ``"pooled"``.
        """
        dual = self.streams is not None and self.streams.streams
        network = self.networks.get("debiased") if dual else self.network
        codes = self._run(graph, split, ids, network)[1]
        return {name: code.numpy() for name, code in codes.items()}

    def _run(
        self,
        graph: HeteroData,
        split: str | Sequence[str] | None,
        ids: Sequence[str] | None,
        network: Ensemble | None,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        if network is None or self.schema is None:
            raise NotFittedError("this Debiaser is not trained: call fit(graph), or Debiaser.load(folder)")
        store = PatientStore(graph)
        check_schema(self.schema, graph.schema)
        rows = rows_of(graph, split, ids)
        network.eval()
        scores: list[Tensor] = []
        parts: dict[str, list[Tensor]] = {}
        with torch.no_grad():
            for first in range(0, max(rows.numel(), 1), 1024):  # no rows give one empty batch of the right width
                predictions = network(store.batch(rows[first : first + 1024]))
                scores.append(network.probability(predictions))
                for name, code in network.codes(predictions).items():
                    parts.setdefault(name, []).append(code)
        probability = torch.cat(scores)
        broken = (~torch.isfinite(probability)).any(-1).nonzero().squeeze(1)
        if broken.numel():
            known = graph["patient"].id
            raise InputError(
                f"no probability for {broken.numel()} patients ({shown([known[int(rows[row])] for row in broken])}): "
                f"a value in the graph is NaN or infinite although it is marked as measured"
            )
        return probability, {name: torch.cat(codes) for name, codes in parts.items()}

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
        if not self.networks or self.schema is None or self.config_ is None:
            raise NotFittedError("this Debiaser is not trained: there is nothing to save")
        described = {
            "arguments": self._arguments(),
            "resolved": {"config": self.config_.to_dict(), "suspects": list(self.suspects_)},
            "schema": self.schema.to_dict(),
            "training": self.training,
            "guard": self.guard.to_dict() if self.guard is not None else None,
            "choice": self.choice,
        }
        write_model(folder, self.networks, described, self.history, board, self.record)

    @classmethod
    def load(cls, folder: str | Path) -> Debiaser:
        """Reads a model that :meth:`save` or ``gdsfd train`` wrote. Runs no code from the files.

        Raises:
            InputError: ``folder`` holds no finished model, or one that is damaged, was changed since it was written, or
                is of another version; the message names file and entry. Or its backbone is not known here: register a
                backbone of your own before loading.
        """
        if not isinstance(folder, (str, Path)):
            raise InputError(f"load: expected the path of a model's folder, got {cell_text(folder)}")
        folder = Path(folder)
        stored = read_model(folder)
        arguments = stored["arguments"]
        # "none": a stored mode is made of the parts it was trained with; what its name means now does not matter, nor
        # whether an estimator that only training needs is known here.
        try:
            model = cls(arguments["backbone"], "none", arguments["suspects"], arguments["seed"], **arguments["config"])
        except InputError as error:
            raise InputError(f"{folder / 'model.json'}: arguments: {error}") from None
        if arguments["debias"] != "none":
            model.debias = arguments["debias"]
            model.streams = StreamConfig.read(arguments["streams"] or arguments["debias"])
        model.schema = CohortSchema.from_dict(stored["schema"])
        model.training, model.history = stored["training"], stored["history"]
        resolved = stored["resolved"]
        model.config_, model.suspects_ = TrainConfig.from_settings(resolved["config"]), tuple(resolved["suspects"])
        sizes = model.training.get("suspect_codes", ())
        for name in ("reference", "debiased") if model.streams is not None else ("reference",):
            streams = model.streams if name == "debiased" else None
            network = build_network(model.schema, model.backbone, streams, model.config_, model.seed, sizes)
            model.networks[name] = read_weights(folder, name, network, stored)
        guard = stored["guard"]
        model.guard = Guard(**guard) if guard is not None else None
        model.choice = stored["choice"]
        if stored.get("record") is not None:
            model.record = RunRecord.read(folder, stored["record"], model.schema)
        return model

    def describe(self) -> dict[str, Any]:
        """How the model was trained: arguments, sizes, epochs, seconds; for reports."""
        return {**self._described(self.config_ or self.config, self.suspects_ or self.suspects), **self.training}

    def _take(
        self,
        graph: HeteroData,
        config: TrainConfig,
        suspects: tuple[str, ...],
        fitted: Mapping[str, FittedArm],
        guard: Guard | None,
    ) -> None:
        """Takes over what was trained."""
        self.schema, self.config_, self.suspects_, self.guard = graph.schema, config, suspects, guard
        self.record = None
        self.networks = {name: arm.network.eval() for name, arm in fitted.items()}
        self.use(config.guard if guard is not None else "auto")
        kept = fitted[self.choice]
        self.history = kept.state.history
        if guard is not None:
            self.history = [{"model": name, **row} for name, arm in fitted.items() for row in arm.state.history]
        self.training = {
            "train_patients": rows_of(graph, "train").numel(),
            "parameters": sum(parameter.numel() for parameter in kept.network.parameters()),
            "epochs": kept.state.epoch,
            "best_epoch": kept.state.best_epoch,
            "ended": {name: why_ended(arm.state, config) for name, arm in fitted.items()},
            "seconds": round(sum(row["seconds"] for arm in fitted.values() for row in arm.state.history), 2),
        }
        if guard is not None:
            signal = fitted["debiased"].suspect_signal
            self.training |= {
                "choice": self.choice,
                "guard": guard.words,
                "suspects_found": list(signal.suspects),
                "suspect_codes": list(signal.sizes),
                "suspects_tell": list(signal.cross_entropy_gain),
            }

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
        fitted = f"{self.training.get('epochs', '?')} epochs" if self.networks else "not fitted"
        return f"Debiaser(backbone={self.backbone!r}, debias={self.debias!r}, seed={self.seed}, {fitted})"


def _named(watch: Watch, model: str) -> Watch:
    """Adds to each row which model it is of."""
    return lambda row: watch({"model": model, **row})
