"""What else a trained model answers: sets of labels, chances over time, and why."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch_geometric.data import HeteroData
from tqdm import tqdm

from gdsfd.cohort.schema import SurvivalFields
from gdsfd.errors import InputError, NotFittedError, shown
from gdsfd.training.explanation.explanation import Explanation, explain
from gdsfd.training.explanation.log_odds import LogOdds
from gdsfd.training.prediction_sets import PredictionSets, make_sets
from gdsfd.training.run_record.conformal_scores import ConformalScores, scores_of
from gdsfd.training.run_record.training_patients import ROLES, is_new
from gdsfd.training.schema_check import check_schema
from gdsfd.training.site_strata import moved
from gdsfd.training.survival_curve import check_times, risk_of, survival_at
from gdsfd.training.trained_networks import TrainedNetworks

__all__ = ["Answers"]


class Answers(TrainedNetworks):
    """Answers beside probabilities and embeddings, made of them."""

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
                among those that give the limits; patients of its own cohort that the model was trained on, as those
                that give them; a time to an event.

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
            if is_new(graph):
                words += (
                    "; the patients asked for are of another cohort, for whom they promise nothing: labelled patients "
                    "of that cohort would (on='...', --sets-on)"
                )
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
            words = f"limits from the split {on!r} of this graph" + self._seen_among(graph, on, there)
        return make_sets(probability, known, self.schema_, scores, alpha, method, words)

    def _seen_among(self, graph: HeteroData, on: str, there: Tensor) -> str:
        """What follows where the model has seen the patients that give the limits.

        Raises:
            InputError: It was trained on some of them, is surer of these than of others, and sets would be too small.
        """
        roles = self._roles(graph)[there.numpy()]
        trained, chosen = (int((roles == role).sum()) for role in ROLES)
        if trained and not is_new(graph):
            raise InputError(
                f"predict_sets: the model was trained on {trained:,} of the {len(roles):,} patients of {on!r}, of whom "
                "it is surer than of others, so limits from them would be too narrow; name another split"
            )
        if trained:
            return (
                f"; {trained:,} of them have ids that it was trained on: if they are the same people, it is too narrow"
            )
        return ", whose patients also chose the epoch" if chosen else ""

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
            ids: Patient ids, instead of a split; who is named twice is explained once.
            target: The outcome, or ``"<outcome>: <class>"``; needed where there are several. Of a time to an event the
                outcome, the default, is whether it happens by the horizon; an interval's name is its hazard.
            of: ``"prediction"``, or ``"biased"``: what the head of the biased stream reads, of the debiased network
                whichever predicts; in mode ``full`` what the practice of the training patients adds to its prediction.
            progress: Whether to show a progress bar; None = on a terminal only.

        Returns:
            Tables of modalities and of values, in nats of log-odds
            (:class:`~gdsfd.training.explanation.explanation.Explanation`); its ``note`` says how many of the patients
            were trained on, by their ids, and whether probabilities are recalibrated.

        Raises:
            NotFittedError: The model was not trained.
            SchemaError: The graph has other modalities, columns or vocabularies.
            InputError: Unknown split, ids, target or ``of``; a model without a biased stream.
        """
        network = self.network
        if of == "biased":
            network = self.networks_.get("debiased", self.network) if self.biased_ is None else self.biased_
        if network is None or self.schema_ is None:
            raise NotFittedError("this Debiaser is not trained: call fit(graph), or Debiaser.load(folder)")
        store = self._graphs.store(graph)
        check_schema(self.schema_, graph.schema)
        rows = torch.tensor(list(dict.fromkeys(self._graphs.rows(graph, split, ids).tolist())), dtype=torch.long)
        strata = self.strata_ if network is self.networks_.get("debiased") and moved(self.strata_) else {}
        score = LogOdds(network, self.schema_, target, of, strata)
        hidden = None if progress is None else not progress
        patients = partial(tqdm, desc="explaining", unit="patient", leave=False, disable=hidden)
        facts = (graph["patient"].id, graph["patient"].split)
        given_out = None
        kept = self.record_.calibrations.get(self.choice_, ()) if self.record_ is not None else ()
        if of != "biased" and any(each.method != "none" for each in kept):
            given_out = score.of_target(self.predict_proba(graph, ids=[facts[0][row] for row in rows.tolist()]))
        seen = int((self._roles(graph)[rows.numpy()] != "").sum())
        return explain(store, rows, facts, score, score.words, of, patients, given_out, seen, score.note)

    def _roles(self, graph: HeteroData) -> NDArray[np.str_]:
        """What each of a graph's patients was for the model: ``train``, ``tuning``, or nothing; [N].

        By the hashes of their ids; a run of before these were kept knows only the names of its own cohort's splits.
        """
        if self.record_ is not None:
            return self.record_.patients.roles(graph)
        split = np.asarray(graph["patient"].split, dtype=str)
        return np.where(np.isin(split, ROLES) & (not is_new(graph)), split, "")
