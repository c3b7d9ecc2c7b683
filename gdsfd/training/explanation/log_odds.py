"""Log-odds of one label for patients as they are in a batch, whatever was hidden from it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray

from gdsfd.baselines.labels import target_names
from gdsfd.cohort.schema import CohortSchema
from gdsfd.errors import InputError, near_names
from gdsfd.graph.flatten import FlatTable, Matrix
from gdsfd.graph.patient_batch import PatientBatch
from gdsfd.latent.back_door import BackDoor
from gdsfd.nn.ensemble import Ensemble
from gdsfd.nn.losses import probabilities
from gdsfd.nn.stream_predictor import StreamPrediction, StreamPredictor
from gdsfd.training.remainder import BiasedStream
from gdsfd.training.site_strata import reweighted

__all__ = ["LogOdds", "flat_rows"]

#: Probabilities are kept this far from 0 and 1.
LEAST = 1e-9
#: Patients at a time.
BATCH_SIZE = 1024


def flat_rows(batch: PatientBatch, schema: CohortSchema) -> Matrix:
    """A batch as rows of the flattened table; float32 [B, F]."""
    edge_of = {}
    pointer = batch.layout.modality_ptr.tolist()
    for number, name in enumerate(schema.names):
        owner = batch.layout.patient[pointer[number] : pointer[number + 1]]
        edge_of[name] = torch.full((len(batch),), -1)
        edge_of[name][owner] = torch.arange(owner.numel())
    return FlatTable(schema, batch.observations, edge_of).rows(np.arange(len(batch)))[0]


class LogOdds:
    """Scores batches by a trained network.

    Args:
        network: The network; it is put into evaluation mode and onto the CPU.
        schema: Its schema.
        target: The outcome, ``"<outcome>: <class>"`` of a multi-class one; None where there is one of two classes. Of a
            time to an event the outcome (and None) is whether it happens by the horizon, and each interval's name its
            hazard.
        of: ``"prediction"``, or ``"biased"``: what the biased head reads of the biased stream's code; the network is
            then one with two streams, or a :class:`~gdsfd.training.remainder.BiasedStream`.
        strata: Outcome -> found strata whose masses :meth:`~gdsfd.training.debiaser.Debiaser.adapt` changed, which
            predictions are averaged by.

    Raises:
        InputError: An unknown target, or none where there are several; the network has no biased stream.
    """

    def __init__(
        self,
        network: Ensemble,
        schema: CohortSchema,
        target: str | None = None,
        of: str = "prediction",
        strata: Mapping[str, BackDoor] | None = None,
    ) -> None:
        survival = schema.survival
        known = (*((survival.name,) if survival is not None else ()), *target_names(schema))
        if target is None and survival is not None:
            target = survival.name
        if target is None and len(known) > 1:
            raise InputError(f"explain: say which is to be explained by target=... (--target): {', '.join(known)}")
        if target is not None and target not in known:
            near = near_names(str(target), known)
            raise InputError(f"explain: expected a target of {', '.join(known)}, got {target!r}.{near}")
        if of not in ("prediction", "biased"):
            raise InputError(f"explain: expected of='prediction' or of='biased', got {of!r}")
        self.target = known[0] if target is None else target
        self.by_horizon = survival is not None and self.target == survival.name
        self.schema, self.of = schema, of
        self._network, self._strata = network.cpu().eval(), strata or {}
        #: The target's column among the probabilities; of none where it is the whole curve up to the horizon.
        self.column = 1 if len(known) == 1 else target_names(schema).index(self.target) if not self.by_horizon else -1

    @property
    def words(self) -> str:
        """The target in words."""
        survival = self.schema.survival
        if self.by_horizon and survival is not None:
            return f"{survival.name} by {survival.spelled(survival.horizon)}"
        return self.target

    @property
    def note(self) -> str:
        """What its probability is, where the target's name does not say it."""
        if self.schema.survival is None or self.by_horizon:
            return ""
        return "Probabilities are hazards: of those who are free of it when the interval begins."

    def of_target(self, probability: NDArray[np.float64]) -> NDArray[np.float64]:
        """The target's probability among those of ``predict_proba``, [B, columns]; [B]."""
        if self.by_horizon:
            return np.asarray(1 - np.prod(1 - probability, axis=1))
        return np.asarray(probability[:, self.column])

    @torch.no_grad()
    def __call__(self, batch: PatientBatch) -> NDArray[np.float64]:
        """Log-odds of the target; float64 [B].

        Raises:
            InputError: ``of="biased"`` of a network without a biased stream.
        """
        network, outputs = self._network, self._network(batch)
        needs_table = network.start is not None or bool(self._strata)
        table = flat_rows(batch, self.schema) if needs_table else None
        if self.of == "biased":
            # A joint head also reads the causal code, as a summand of its own that is left out here.
            logits = [
                member.biased_out(each.biased)
                for member, each in zip(network.members, outputs)
                if isinstance(each, StreamPrediction) and isinstance(member, StreamPredictor)
            ]
            if isinstance(network, BiasedStream):
                logits = [each.logits for each in outputs]
            if len(logits) < len(outputs):
                raise InputError("explain: of='biased' needs a network with two streams (debias='full', 'dfd', ...)")
            found = torch.stack([probabilities(each.double(), network.multiclass) for each in logits]).mean(0).numpy()
        else:
            trees = None
            if network.start is not None:
                assert table is not None
                trees = torch.from_numpy(network.start.logits(table))
            found = network.probability(outputs, trees).numpy()
            if self._strata:
                assert table is not None
                found = reweighted(found, self._strata, self.schema, table)
        probability = np.clip(self.of_target(found), LEAST, 1 - LEAST)
        return np.asarray(np.log(probability) - np.log1p(-probability))
