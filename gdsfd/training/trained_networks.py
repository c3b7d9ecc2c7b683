"""The predicting half of the estimator: trained networks, which of them predicts, probabilities, embeddings, score."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch_geometric.data import HeteroData

from gdsfd.cohort.schema import CohortSchema
from gdsfd.errors import InputError, NotFittedError, shown
from gdsfd.graph.flatten import flatten
from gdsfd.latent.back_door import BackDoor
from gdsfd.nn.ensemble import Ensemble
from gdsfd.nn.streams.config import StreamConfig
from gdsfd.training.config import TrainConfig
from gdsfd.training.devices import read_device
from gdsfd.training.estimator import Alias
from gdsfd.training.inference import GraphCache, Predictions, predict
from gdsfd.training.model_selection.evidence import mean_area
from gdsfd.training.model_selection.guard import Guard
from gdsfd.training.remainder import log_odds_of
from gdsfd.training.run_record.calibration import calibrated
from gdsfd.training.run_record.run_record import RunRecord
from gdsfd.training.schema_check import check_schema
from gdsfd.training.site_strata import moved, reweighted, target_prototypes
from gdsfd.training.stratum_assignment import has_strata

__all__ = ["TrainedNetworks"]

_log = logging.getLogger(__name__)


class TrainedNetworks:
    """What training sets, and predictions from it.

    :class:`~gdsfd.training.debiaser.Debiaser` describes the attributes.
    """

    streams: StreamConfig | None

    def __init__(self) -> None:
        self._graphs = GraphCache()
        self.config_: TrainConfig | None = None
        self.suspects_: tuple[str, ...] = ()
        self.schema_: CohortSchema | None = None
        self.networks_: dict[str, Ensemble] = {}
        self.biased_: Ensemble | None = None
        self.guard_: Guard | None = None
        self.choice_ = "reference"
        self.history_: list[dict[str, Any]] = []
        self.training_: dict[str, Any] = {}
        self.record_: RunRecord | None = None
        self.strata_: dict[str, BackDoor] = {}

    schema = Alias[CohortSchema | None]("schema_")
    networks = Alias[dict[str, Ensemble]]("networks_")
    guard = Alias[Guard | None]("guard_")
    choice = Alias[str]("choice_")
    history = Alias[list[dict[str, Any]]]("history_")
    training = Alias[dict[str, Any]]("training_")
    record = Alias[RunRecord | None]("record_")

    @property
    def classes_(self) -> NDArray[Any] | list[NDArray[Any]]:
        """The outcome's labels in the order of :meth:`predict_proba`'s columns; of several outcomes a list of such.

        Raises:
            NotFittedError: The model was not trained.
        """
        if self.schema_ is None:
            raise NotFittedError("this Debiaser is not trained: call fit(graph), or Debiaser.load(folder)")
        classes = [np.asarray(outcome.classes, dtype=object) for outcome in self.schema_.outcomes]
        return classes[0] if len(classes) == 1 else classes

    @property
    def network(self) -> Ensemble | None:
        """The network that predictions come from; None before training."""
        return self.networks_.get(self.choice_)

    def use(self, which: str = "auto") -> Self:
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
        if not self.networks_:
            raise NotFittedError("this Debiaser is not trained: call fit(graph), or Debiaser.load(folder)")
        chosen = which if which != "auto" else (self.guard_.choice if self.guard_ is not None else "reference")
        if chosen not in self.networks_:
            raise InputError("use: this model was trained with debias='none' and has no debiased network")
        self.choice_ = chosen
        return self

    def adapt(
        self, graph: HeteroData, split: str | Sequence[str] | None = None, ids: Sequence[str] | None = None
    ) -> Self:
        """Weighs strata as they weigh among the patients of another site; their labels are not looked at.

        Predictions average over strata by their masses among the training patients: prototypes (mode ``prototypes``),
        or strata that were found (``full``, ``latent``, or ``"found"`` among the suspects) and are a practice. After
        this they average by the masses at the site: each prototype's share of its patients, by their patterns; of found
        strata what a few rounds of EM give, taking them to be independent of the outcome there
        (:func:`gdsfd.training.site_strata.reweighted`). Where no practice was found nothing is changed, and the logger
        says so. Adapting again, to the training graph for one, starts anew. The network without debiasing is never
        changed: where the guard chose it predictions stay as they are.

        Args:
            graph: The site's graph, with the model's schema (built with ``like=`` it).
            split: A split's name, or several; None with ``ids=None`` = all patients.
            ids: Patient ids, instead of a split.

        A recalibration and thresholds stay those of before; the logger says so of a recalibration.

        Returns:
            The model itself; ``training_["adapted"]`` has the number of patients and the masses, and is saved with it.

        Raises:
            NotFittedError: The model was not trained.
            SchemaError: The graph has other modalities, columns or vocabularies.
            InputError: Unknown split or ids, or no patients; a mode without strata.
        """
        network = self.networks_.get("debiased")
        if not self.networks_ or self.schema_ is None:
            raise NotFittedError("this Debiaser is not trained: call fit(graph), or Debiaser.load(folder)")
        finds = self.streams is not None and self.streams.finds_strata
        if network is None or not (finds or has_strata(network)):
            raise InputError(
                "adapt: this model averages over no strata, so there are no masses to re-estimate; train it with "
                "debias='full' or 'prototypes', or with 'found' among the suspects"
            )
        check_schema(self.schema_, graph.schema)
        rows = self._graphs.rows(graph, split, ids)
        if not rows.numel():
            raise InputError("adapt: expected patients to work the masses of strata out from, got none")
        masses: dict[str, list[Any]] = {}
        if has_strata(network):
            masses["prototypes"] = target_prototypes(network.cpu().eval(), graph, rows)
        elif self.strata_:
            features, _ = flatten(graph, rows.numpy())
            self.strata_ = {name: each.adapted(features) for name, each in self.strata_.items()}
            masses = {name: [float(mass) for mass in each.masses] for name, each in self.strata_.items()}
        else:
            _log.warning("adapt: no practice was found in training, so nothing is averaged over and nothing changes")
        kept = self.record_.calibrations.get("debiased", ()) if self.record_ is not None and masses else ()
        if any(each.method != "none" for each in kept):
            _log.warning(
                "adapt: the recalibration of the risks given out was fitted before, with the masses of the training "
                "patients; predict_proba(..., recalibrated=False) goes without it"
            )
        self.training_ = {**self.training_, "adapted": {"patients": rows.numel(), "masses": masses}}
        return self

    def predict_proba(
        self,
        graph: HeteroData,
        split: str | Sequence[str] | None = None,
        ids: Sequence[str] | None = None,
        device: str | torch.device | None = None,
        recalibrated: bool = True,
    ) -> NDArray[np.float64]:
        """Probabilities of patients; a patient's numbers do not depend on who else is asked for.

        The graph is indexed on the first call and again when it has changed
        (:class:`~gdsfd.training.inference.GraphCache`); after that the time of a patient asked for by id does not
        depend on how many the graph has.

        Args:
            graph: A graph with the model's schema (the one it was trained on, or built with ``like=`` it).
            split: A split's name, or several; None with ``ids=None`` = all patients.
            ids: Patient ids, instead of a split.
            device: Where to compute: ``"cpu"``, ``"cuda"``, ``"cuda:1"``, ``"mps"``, ``"gpu"`` for either of these, or
                ``"auto"``; None = on the CPU, whatever the model was trained on.
            recalibrated: Whether risks are corrected as the setting ``recalibrate`` says; False: as the network gives
                them.

        Returns:
            Probabilities, float [n, classes]; for one binary outcome those of the negative and the positive label, for
            several outcomes one column each (positive). Rows in the order of ``graph["patient"].id`` (or of ``ids``).

        Raises:
            NotFittedError: The model was not trained.
            SchemaError: The graph has other modalities, columns or vocabularies.
            InputError: Unknown split or ids; a device that is not there; a graph changed by hand that holds infinite
                values, values in another type than float32, or a patient twice.
        """
        given = self._predict(graph, split, ids, device, self.network).probability
        kept = self.record_.calibrations.get(self.choice_, ()) if self.record_ is not None else ()
        return calibrated(given, self.schema_, kept) if recalibrated and kept and self.schema_ is not None else given

    def score(
        self,
        graph: HeteroData,
        split: str | Sequence[str] | None = "test",
        ids: Sequence[str] | None = None,
        device: str | torch.device | None = None,
    ) -> float:
        """AUROC of :meth:`predict_proba`, the plain mean over outcomes or classes (or intervals) that have both labels.

        For intervals, calibration and comparisons see :func:`gdsfd.evaluate`.

        Args:
            graph: A graph with labels.
            split: A split's name, or several; None with ``ids=None`` = all patients.
            ids: Patient ids, instead of a split (then ``split=None``).
            device: As in :meth:`predict_proba`.

        Returns:
            0 to 1; NaN where no outcome has both labels among these patients.
        """
        probability = self.predict_proba(graph, split, ids, device)
        return mean_area(graph["patient"].y[self._graphs.rows(graph, split, ids)], probability)

    def embed(
        self,
        graph: HeteroData,
        split: str | Sequence[str] | None = None,
        ids: Sequence[str] | None = None,
        device: str | torch.device | None = None,
    ) -> dict[str, NDArray[np.float32]]:
        """Patient embeddings; see :meth:`predict_proba` for the arguments and errors.

        Returns:
            Stream name -> float [n, members x channels]. A model with two streams gives ``causal`` and ``biased``, of
            its debiased network whichever predicts; any other has one stream, ``"pooled"``. In mode ``full`` the
            causal code is the debiased network's, and the biased one that of the stream beside it.
        """
        if self.biased_ is not None:
            networks = {"causal": self.networks_["debiased"], "biased": self.biased_}
            return {
                name: self._predict(graph, split, ids, device, network, embeddings=True).embeddings["pooled"]
                for name, network in networks.items()
            }
        dual = self.streams is not None and self.streams.streams
        network = self.networks_.get("debiased") if dual else self.network
        return self._predict(graph, split, ids, device, network, embeddings=True).embeddings

    def log_odds(
        self,
        graph: HeteroData,
        split: str | Sequence[str] | None = None,
        ids: Sequence[str] | None = None,
        device: str | torch.device | None = None,
    ) -> dict[str, NDArray[np.float64]]:
        """What each of the two streams of mode ``full`` says of patients, on one scale.

        ``causal`` is the debiased network's prediction, whichever network predicts. ``biased`` is what the practice of
        the training patients adds to it: the sum of the two is the prediction of a hospital where that practice holds.
        Recalibration is in neither, nor are masses that :meth:`adapt` changed.

        Args:
            graph: As in :meth:`predict_proba`; so are the others, and errors.
            split: A split's name, or several; None with ``ids=None`` = all patients.
            ids: Patient ids, instead of a split.
            device: Where to compute.

        Returns:
            ``causal`` and ``biased``, nats of log-odds of each outcome, float64 [n, outcomes]; of a multi-class outcome
            log-probabilities, and what is added to them, [n, classes].

        Raises:
            InputError: The model has no biased stream beside its prediction.
        """
        if self.networks_ and self.biased_ is None:
            raise InputError(
                f"log_odds: this model (debias={getattr(self, 'debias', 'none')!r}) has no biased stream beside its "
                "prediction; train with debias='full'"
            )
        networks = {"causal": self.networks_.get("debiased"), "biased": self.biased_}
        found = {}
        for name, network in networks.items():
            probability = self._predict(graph, split, ids, device, network, as_trained=True).probability
            assert network is not None
            found[name] = log_odds_of(network, probability)
        return found

    def _predict(
        self,
        graph: HeteroData,
        split: str | Sequence[str] | None,
        ids: Sequence[str] | None,
        device: str | torch.device | None,
        network: Ensemble | None,
        embeddings: bool = False,
        as_trained: bool = False,
    ) -> Predictions:
        if network is None or self.schema_ is None:
            raise NotFittedError("this Debiaser is not trained: call fit(graph), or Debiaser.load(folder)")
        store = self._graphs.store(graph)
        check_schema(self.schema_, graph.schema)
        rows = self._graphs.rows(graph, split, ids)
        predictions = predict(network, store, rows, read_device(device or "cpu"), embeddings)
        if network is self.networks_.get("debiased") and moved(self.strata_) and not as_trained:
            features, _ = flatten(graph, rows.numpy())
            there = reweighted(predictions.probability, self.strata_, self.schema_, features)
            predictions = replace(predictions, probability=there)
        broken = np.flatnonzero(~np.isfinite(predictions.probability).all(-1))
        if broken.size:
            known = graph["patient"].id
            raise InputError(
                f"no probability for {broken.size} patients ({shown([known[int(rows[row])] for row in broken])}): "
                "the network's weights hold NaN, or their values are too large for it"
            )
        return predictions
