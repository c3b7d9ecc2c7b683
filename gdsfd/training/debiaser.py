"""The estimator people use: fit on a graph, predict patients, save, load."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch_geometric.data import HeteroData

from gdsfd._version import __version__
from gdsfd.cohort.fields import CohortSchema
from gdsfd.errors import InputError, NotFittedError, near_names, shown
from gdsfd.graph.loader import rows_of
from gdsfd.graph.store import PatientStore
from gdsfd.nn.backbones import known_backbones
from gdsfd.nn.ensemble import Ensemble
from gdsfd.nn.predictor import Predictor
from gdsfd.training.checkpoint import work_folder
from gdsfd.training.config import TrainConfig
from gdsfd.training.history_log import write_history
from gdsfd.training.loop import seeded, train
from gdsfd.training.schema_check import check_schema
from gdsfd.training.state import TrainingState
from gdsfd.training.suspects import check_suspects, read_suspects
from gdsfd.whole_folder import check_replaceable, whole_folder

__all__ = ["Debiaser"]

_DEBIAS = ("none",)
_LATER = ("dfd", "strata", "full")
_MARKER = "model.json"
_HOLDS = "gdsfd model"


class Debiaser:
    """Trains a predictor on a patient-modality graph, with or without debiasing.

    Args:
        backbone: ``"muse"``, ``"concat"``, or a name registered by ``gdsfd.nn.backbones.register_backbone``.
        debias: ``"none"`` is training without debiasing (ERM).
        suspects: What may be biased: ``"pattern"``, ``"environment"``, ``"groups"``, ``"modality:<name>"``,
            ``"column:<modality>.<name>"``. Used by the debiasing modes.
        seed: Of initial weights, shuffling and dropout.
        **settings: Fields of :class:`~gdsfd.training.config.TrainConfig`, such as ``max_epochs=100``.

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
        debias: str = "none",
        suspects: str | Sequence[str] = ("pattern", "environment"),
        seed: int = 0,
        **settings: Any,
    ) -> None:
        if backbone not in known_backbones():
            raise InputError(f"unknown backbone {backbone!r}.{near_names(backbone, known_backbones())}")
        if debias in _LATER:
            raise InputError(f"debias={debias!r} is not in this version yet; train with debias='none'")
        if debias not in _DEBIAS:
            raise InputError(f"unknown debias {debias!r}.{near_names(debias, (*_DEBIAS, *_LATER))}")
        self.backbone = backbone
        self.debias = debias
        self.suspects = read_suspects(suspects)
        if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
            raise InputError(f"seed: expected a whole number of at least 0, got {seed!r}")
        self.seed = int(seed)
        self.config = TrainConfig.from_settings(settings)
        self.schema: CohortSchema | None = None
        self.network: Ensemble | None = None
        self.history: list[dict[str, Any]] = []
        self.training: dict[str, Any] = {}

    def fit(
        self,
        graph: HeteroData,
        out: str | Path | None = None,
        resume: bool = False,
        on_epoch: Callable[[dict[str, Any]], None] | None = None,
    ) -> Debiaser:
        """Trains on the split ``train``, choosing the epoch on ``tuning``.

        Args:
            graph: A graph with both splits.
            out: The run's folder: a checkpoint is kept beside it after every epoch, and it appears whole at the end.
            resume: Whether to go on from the checkpoints of an interrupted run with the same ``out`` and settings.
            on_epoch: Called after each epoch with its row of the history.

        Returns:
            The model itself.

        Raises:
            InputError: Nothing to learn from or choose by; ``resume`` with other settings than before.
        """
        if resume and out is None:
            raise InputError("resume=True needs out=: the folder of the run to go on with")
        schema: CohortSchema = graph.schema
        check_suspects(self.suspects, schema)
        if "tuning" not in graph["patient"].split:
            raise InputError(
                "the graph has no split 'tuning', on which the epoch is chosen: give [split] fractions with a second "
                "share above 0, or name some patients 'tuning' in the split column"
            )
        num_train = int(rows_of(graph, "train").numel())
        config = self.config.resolved(num_train)
        folder = None
        if out is not None:
            out = Path(out)
            check_replaceable(out, _MARKER, _HOLDS)
            folder = work_folder(out)
            if not resume:
                shutil.rmtree(folder, ignore_errors=True)
        network = self._build(schema, config)
        settings = {"model": self._arguments(config), "schema": schema.to_dict(), "train": num_train}
        state = train(network, graph, config, self.seed, folder, resume, settings, on_epoch)
        self.schema, self.network, self.config = schema, network.cpu(), config
        self._take(state, num_train)
        if out is not None and folder is not None:
            self._save(Path(out), folder / "tensorboard")
            shutil.rmtree(folder, ignore_errors=True)
        return self

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
        return self._run(graph, split, ids)[0].numpy()

    def embed(
        self, graph: HeteroData, split: str | Sequence[str] | None = None, ids: Sequence[str] | None = None
    ) -> dict[str, NDArray[np.float32]]:
        """Patient embeddings; see :meth:`predict_proba` for the arguments and errors.

        Returns:
            Stream name -> float [n, members x channels]. Training without debiasing has one stream, ``"pooled"``.
        """
        _, pooled = self._run(graph, split, ids)
        return {"pooled": pooled.numpy()}

    def _run(
        self, graph: HeteroData, split: str | Sequence[str] | None, ids: Sequence[str] | None
    ) -> tuple[Tensor, Tensor]:
        if self.network is None or self.schema is None:
            raise NotFittedError("this Debiaser is not trained: call fit(graph), or Debiaser.load(folder)")
        check_schema(self.schema, graph.schema)
        rows = rows_of(graph, split, ids)
        self.network.eval()
        scores, pooled = [], []
        store = PatientStore(graph)
        with torch.no_grad():
            for first in range(
                0, max(rows.numel(), 1), 1024
            ):  # an empty split gives one empty batch of the right width
                predictions = self.network(store.batch(rows[first : first + 1024]))
                scores.append(self.network.probability(predictions))
                pooled.append(self.network.pooled(predictions))
        probability = torch.cat(scores)
        broken = (~torch.isfinite(probability)).any(-1).nonzero().squeeze(1)
        if broken.numel():
            known = graph["patient"].id
            raise InputError(
                f"no probability for {broken.numel()} patients ({shown([known[int(rows[row])] for row in broken])}): "
                f"a value in the graph is NaN or infinite although it is marked as measured"
            )
        return probability, torch.cat(pooled)

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
        if self.network is None or self.schema is None:
            raise NotFittedError("this Debiaser is not trained: there is nothing to save")
        with whole_folder(Path(folder), _MARKER, _HOLDS) as temporary:
            weights = {name: tensor.contiguous() for name, tensor in self.network.state_dict().items()}
            save_file(weights, temporary / "model.safetensors")
            stored = {
                "format": _HOLDS,
                "version": 1,
                "gdsfd": __version__,
                "arguments": self._arguments(self.config),
                "schema": self.schema.to_dict(),
                "training": self.training,
                "history": self.history,
            }
            (temporary / _MARKER).write_text(json.dumps(stored, indent=1), encoding="utf-8")
            write_history(temporary / "history.csv", self.history)
            if board is not None and board.is_dir():
                shutil.copytree(board, temporary / "tensorboard")

    @classmethod
    def load(cls, folder: str | Path) -> Debiaser:
        """Reads a model that :meth:`save` or ``gdsfd train`` wrote. Runs no code from the files.

        Raises:
            InputError: ``folder`` holds no finished model.
        """
        folder = Path(folder)
        if not (folder / _MARKER).is_file():
            hint = ""
            if work_folder(folder).is_dir():
                hint = " Its training has not finished: go on with `gdsfd train ... --resume`."
            raise InputError(f"{folder}: no model here (expected model.json and model.safetensors).{hint}")
        try:
            stored = json.loads((folder / _MARKER).read_text(encoding="utf-8"))
        except ValueError as error:
            raise InputError(f"{folder / _MARKER}: cut off or damaged ({error}); copy the folder again") from None
        if not isinstance(stored, dict) or stored.get("format") != _HOLDS:
            raise InputError(f"{folder / _MARKER}: expected a file written by gdsfd, got another")
        arguments = stored["arguments"]
        model = cls(arguments["backbone"], arguments["debias"], arguments["suspects"], arguments["seed"])
        model.config = TrainConfig.from_settings(arguments["config"])
        model.schema = CohortSchema.from_dict(stored["schema"])
        model.network = model._build(model.schema, model.config)
        try:
            model.network.load_state_dict(load_file(folder / "model.safetensors"))
        except (RuntimeError, SafetensorError, OSError) as error:
            writer = f"written by gdsfd {stored.get('gdsfd')}, this is {__version__}"
            raise InputError(
                f"{folder / 'model.safetensors'}: does not fit model.json ({writer}): {str(error).splitlines()[0]}; "
                f"train the model anew, or copy the folder again"
            ) from None
        model.network.eval()
        model.training, model.history = stored["training"], stored["history"]
        return model

    def describe(self) -> dict[str, Any]:
        """How the model was trained: arguments, sizes, epochs, seconds; for reports."""
        return {**self._arguments(self.config), **self.training}

    def _build(self, schema: CohortSchema, config: TrainConfig) -> Ensemble:
        assert config.channels is not None
        assert config.dropout is not None
        assert config.members is not None
        width, dropout = config.channels, config.dropout
        with seeded(self.seed):
            members = [
                Predictor(schema, self.backbone, width, dropout, config.sequence, config.backbone_options)
                for _ in range(config.members)
            ]
        return Ensemble(members, schema.multiclass)

    def _take(self, state: TrainingState, num_train: int) -> None:
        assert self.network is not None
        self.history = state.history
        self.training = {
            "train_patients": num_train,
            "parameters": sum(parameter.numel() for parameter in self.network.parameters()),
            "epochs": state.epoch,
            "best_epoch": state.best_epoch,
            "seconds": round(sum(row["seconds"] for row in state.history), 2),
        }

    def _arguments(self, config: TrainConfig) -> dict[str, Any]:
        return {
            "backbone": self.backbone,
            "debias": self.debias,
            "suspects": list(self.suspects),
            "seed": self.seed,
            "config": config.to_dict(),
        }

    def __repr__(self) -> str:
        fitted = f"{self.training.get('epochs', '?')} epochs" if self.network is not None else "not fitted"
        return f"Debiaser(backbone={self.backbone!r}, debias={self.debias!r}, seed={self.seed}, {fitted})"
