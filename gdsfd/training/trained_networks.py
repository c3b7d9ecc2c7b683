"""The predicting half of the estimator: trained networks, which of them predicts, probabilities, embeddings, score."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch_geometric.data import HeteroData
from tqdm import tqdm

from gdsfd.cohort.schema import CohortSchema, SurvivalFields
from gdsfd.errors import InputError, NotFittedError, shown
from gdsfd.graph.flatten import flatten
from gdsfd.latent.back_door import BackDoor
from gdsfd.nn.ensemble import Ensemble
from gdsfd.nn.streams.config import StreamConfig
from gdsfd.training.config import TrainConfig
from gdsfd.training.devices import read_device
from gdsfd.training.estimator import Alias
from gdsfd.training.explanation.explanation import Explanation, explain
from gdsfd.training.explanation.log_odds import LogOdds
from gdsfd.training.inference import GraphCache, Predictions, predict
from gdsfd.training.model_selection.evidence import mean_area
from gdsfd.training.model_selection.guard import Guard
from gdsfd.training.prediction_sets import PredictionSets, make_sets
from gdsfd.training.run_record.calibration import calibrated
from gdsfd.training.run_record.conformal_scores import ConformalScores, scores_of
from gdsfd.training.run_record.run_record import RunRecord
from gdsfd.training.schema_check import check_schema
from gdsfd.training.site_strata import moved, reweighted, target_prototypes
from gdsfd.training.stratum_assignment import has_strata
from gdsfd.training.survival_curve import check_times, risk_of, survival_at

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
            InputError: Unknown split or ids; a device that is not there.
        """
        given = self._predict(graph, split, ids, device, self.network).probability
        kept = self.record_.calibrations.get(self.choice_, ()) if self.record_ is not None else ()
        return calibrated(given, self.schema_, kept) if recalibrated and kept and self.schema_ is not None else given

    def predict_sets(
        self,
        graph: HeteroData,
        split: str | Sequence[str] | None = None,
        ids: Sequence[str] | None = None,
        alpha: float = 0.1,
        method: str = "lac",
        on: str | None = None,
    ) -> PredictionSets:
        """Sets of labels that hold the true one for a share ``1 - alpha`` of patients (split conformal prediction).

        The limits come from patients whose labels are known and who must be like those to come (exchangeable with
        them): then on average over such draws the true label is in the set for at least ``1 - alpha`` of patients,
        however good or bad the model is. Nothing is promised for a single patient or a subgroup (``by_class`` promises
        it for each label), nor at a hospital whose patients are others. By default the limits are from the tuning
        patients of the training cohort, who also chose the epoch (and the recalibration): the model is a little better
        on them than on others, so coverage can fall a little short. ``on`` takes other patients of this graph: those
        of a split that nothing was chosen on, or labelled patients of the new hospital, whose limits then hold there.

        Args:
            graph: A graph with the model's schema.
            split: A split's name, or several; None with ``ids=None`` = all patients.
            ids: Patient ids, instead of a split.
            alpha: Share of patients whose true label may be missed.
            method: ``"lac"``: one limit, the smallest sets; ``"by_class"``: a limit for each label, so that a rare one
                is not missed more often than the others.
            on: A split of ``graph`` whose labelled patients give the limits; none of those asked for is among them.
                None = the tuning patients of the training cohort.

        Returns:
            The sets (:class:`~gdsfd.training.prediction_sets.PredictionSets`).

        Raises:
            NotFittedError: The model was not trained.
            SchemaError: The graph has other modalities, columns or vocabularies.
            InputError: Unknown split, ids or method; a run that keeps no scores, or was adapted since; patients who are
                among those that give the limits; a time to an event.

        Example:
            >>> model.predict_sets(graph, split="test", alpha=0.1).to_frame()  # doctest: +SKIP
        """
        probability = self.predict_proba(graph, split, ids)
        if self.schema_ is not None and self.schema_.survival is not None:
            raise InputError("predict_sets: sets hold labels, and a time to an event has none; use predict_survival")
        rows = self._graphs.rows(graph, split, ids).tolist()
        known = [graph["patient"].id[row] for row in rows]
        assert self.schema_ is not None  # predict_proba has looked
        if on is None:
            scores, words = self._kept_scores()
        else:
            there = self._graphs.rows(graph, on, None)
            both = sorted(set(there.tolist()) & set(rows))
            if both:
                raise InputError(
                    f"predict_sets: {len(both)} of the patients asked for are of the split {on!r}, which gives the "
                    f"limits ({shown([graph['patient'].id[row] for row in both], 3)}); ask for other patients"
                )
            y = graph["patient"].y.numpy()[there.numpy()]
            scores = scores_of(y, self.predict_proba(graph, on), self.schema_)
            words = f"limits from the split {on!r} of this graph"
        return make_sets(probability, known, self.schema_, scores, alpha, method, words)

    def _kept_scores(self) -> tuple[ConformalScores, str]:
        kept = self.record_.conformal.get(self.choice_) if self.record_ is not None else None
        if kept is None:
            raise InputError(
                "predict_sets: this run keeps no scores of its tuning patients, as it was trained by an earlier gdsfd; "
                "name a split of labelled patients that gives the limits: on='...'"
            )
        if "adapted" in self.training_ and self.choice_ == "debiased":
            raise InputError(
                "predict_sets: the model was adapted to a site after its scores were kept; name a split of labelled "
                "patients that gives the limits: on='...'"
            )
        return kept, "limits from the training cohort's tuning patients, who also chose the epoch"

    def predict_survival(
        self,
        graph: HeteroData,
        split: str | Sequence[str] | None = None,
        ids: Sequence[str] | None = None,
        times: Sequence[float] | None = None,
        device: str | torch.device | None = None,
    ) -> NDArray[np.float64]:
        """Of a time to an event: each patient's chance to be free of it at some times.

        Args:
            graph: A graph with the model's schema.
            split: A split's name, or several; None with ``ids=None`` = all patients.
            ids: Patient ids, instead of a split.
            times: From 0 to the horizon, in the unit of the cohort's times; None = the ends of the model's intervals,
                ``model.schema.survival.cuts``.
            device: As in :meth:`predict_proba`.

        Returns:
            float [n, times], rows as in :meth:`predict_proba`, which gives the hazards of the intervals.

        Raises:
            InputError: The model predicts no time to an event; a time beyond the horizon; and as :meth:`predict_proba`.
        """
        fields = self._survival_fields("predict_survival")
        asked = check_times(fields, times)
        return survival_at(fields, self.predict_proba(graph, split, ids, device), asked)

    def predict_risk(
        self,
        graph: HeteroData,
        split: str | Sequence[str] | None = None,
        ids: Sequence[str] | None = None,
        device: str | torch.device | None = None,
    ) -> NDArray[np.float64]:
        """Of a time to an event: one number per patient, the higher the earlier the event is expected.

        It is the cumulative hazard, averaged over the ends of the intervals
        (:func:`gdsfd.training.survival_curve.risk_of`); arguments and errors as of :meth:`predict_survival`.
        """
        self._survival_fields("predict_risk")
        return risk_of(self.predict_proba(graph, split, ids, device))

    def _survival_fields(self, asked: str) -> SurvivalFields:
        if self.schema_ is None:
            raise NotFittedError("this Debiaser is not trained: call fit(graph), or Debiaser.load(folder)")
        if self.schema_.survival is None:
            raise InputError(
                f"{asked}: this model predicts {shown(self.schema_.declared_outcomes)}, no time to an event; use "
                'predict_proba, or train on a graph whose outcome has kind = "survival"'
            )
        return self.schema_.survival

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
            Stream name -> float [n, members x channels]. A model with dual streams gives ``causal`` and ``biased``, of
            its debiased network whichever predicts; any other has one stream, ``"pooled"``.
        """
        dual = self.streams is not None and self.streams.streams
        network = self.networks_.get("debiased") if dual else self.network
        return self._predict(graph, split, ids, device, network, embeddings=True).embeddings

    def explain(
        self,
        graph: HeteroData,
        split: str | Sequence[str] | None = None,
        ids: Sequence[str] | None = None,
        target: str | None = None,
        of: str = "prediction",
        progress: bool | None = None,
    ) -> Explanation:
        """Why patients got their scores: what each modality and each single value added.

        Asked of the network that predicts, by taking things away: a modality is taken away as an edge, a value as one
        that was not measured. Nothing is fitted, and no label is read. One patient with 5 modalities and 60 values
        takes some tenths of a second on one core.

        Args:
            graph: A graph with the model's schema.
            split: A split's name, or several; None with ``ids=None`` = all patients.
            ids: Patient ids, instead of a split.
            target: The outcome, or ``"<outcome>: <class>"``; needed where there are several.
            of: ``"prediction"``, or ``"biased"``: what the head of the biased stream reads, of the debiased network
                whichever predicts.
            progress: Whether to show a progress bar; None = on a terminal only.

        Returns:
            Tables of modalities and of values, in nats of log-odds
            (:class:`~gdsfd.training.explanation.explanation.Explanation`); its ``note`` says how many of the patients
            were trained on.

        Raises:
            NotFittedError: The model was not trained.
            SchemaError: The graph has other modalities, columns or vocabularies.
            InputError: Unknown split, ids, target or ``of``; a model without a biased stream.
        """
        network = self.network if of != "biased" else self.networks_.get("debiased", self.network)
        if network is None or self.schema_ is None:
            raise NotFittedError("this Debiaser is not trained: call fit(graph), or Debiaser.load(folder)")
        store = self._graphs.store(graph)
        check_schema(self.schema_, graph.schema)
        rows = self._graphs.rows(graph, split, ids)
        strata = self.strata_ if network is self.networks_.get("debiased") and moved(self.strata_) else {}
        score = LogOdds(network, self.schema_, target, of, strata)
        hidden = None if progress is None else not progress
        patients = partial(tqdm, desc="explaining", unit="patient", leave=False, disable=hidden)
        facts = (graph["patient"].id, graph["patient"].split)
        return explain(store, rows, facts, score, score.target, of, patients)

    def _predict(
        self,
        graph: HeteroData,
        split: str | Sequence[str] | None,
        ids: Sequence[str] | None,
        device: str | torch.device | None,
        network: Ensemble | None,
        embeddings: bool = False,
    ) -> Predictions:
        if network is None or self.schema_ is None:
            raise NotFittedError("this Debiaser is not trained: call fit(graph), or Debiaser.load(folder)")
        store = self._graphs.store(graph)
        check_schema(self.schema_, graph.schema)
        rows = self._graphs.rows(graph, split, ids)
        predictions = predict(network, store, rows, read_device(device or "cpu"), embeddings)
        if network is self.networks_.get("debiased") and moved(self.strata_):
            features, _ = flatten(graph, rows.numpy())
            there = reweighted(predictions.probability, self.strata_, self.schema_, features)
            predictions = replace(predictions, probability=there)
        broken = np.flatnonzero(~np.isfinite(predictions.probability).all(-1))
        if broken.size:
            known = graph["patient"].id
            raise InputError(
                f"no probability for {broken.size} patients ({shown([known[int(rows[row])] for row in broken])}): "
                f"a value in the graph is NaN or infinite although it is marked as measured"
            )
        return predictions
