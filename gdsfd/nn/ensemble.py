"""An ensemble of networks trained side by side, whose probabilities are averaged."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gdsfd.graph.patient_batch import PatientBatch
from gdsfd.graph.patient_store import PatientStore
from gdsfd.nn.losses import probabilities
from gdsfd.nn.predictor import Batch, Prediction, Predictor
from gdsfd.nn.stream_predictor import StreamPrediction

__all__ = ["Ensemble", "Start"]


class Start(Protocol):
    """What members may start from: a model of the flattened table."""

    def logits(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Log-odds of some patients; [n, outputs] from [n, F]."""


class Ensemble(nn.Module):
    """Predictors of one shape from different starts; each is trained by its own loss.

    On cohorts of a few thousand patients two starts rank patients differently; averaged, a patient's score depends less
    on the seed.

    Args:
        members: The predictors, at least one.
        multiclass: Whether the outputs are the classes of one outcome.
        boosted: How many of the members, the last ones, start from boosted trees: their logits are the trees' plus
            their own.

    Attributes:
        start: The trees, once they are fitted; they are stored beside the weights.
    """

    def __init__(self, members: Sequence[Predictor], multiclass: bool, boosted: int = 0) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.multiclass = multiclass
        self.boosted = boosted
        self.start: Start | None = None

    @property
    def num_outputs(self) -> int:
        """Outputs of each member."""
        first = self.members[0]
        assert isinstance(first, Predictor)
        return first.num_outputs

    def decay_groups(self) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
        """The weight matrices, and everything else: biases, norms, single vectors."""
        parameters = list(self.parameters())
        return [each for each in parameters if each.dim() > 1], [each for each in parameters if each.dim() <= 1]

    def forward(self, batch: Batch) -> list[Prediction]:
        """Each member's prediction of a batch."""
        return [member(batch) for member in self.members]

    @property
    def boosted_from(self) -> int | None:
        """Number of the first member that starts from trees; None where none does."""
        return len(self.members) - self.boosted if self.boosted else None

    def probability(self, predictions: Sequence[Prediction], trees: Tensor | None = None) -> Tensor:
        """Mean probability over members, float64 [B, classes] (see :func:`gdsfd.nn.losses.probabilities`).

        Args:
            predictions: The members'.
            trees: Log-odds of the trees that some start from, float [B, outputs]; needed where some do.
        """
        logits = [each.logits for each in predictions]
        if self.boosted_from is not None:
            if trees is None:
                raise RuntimeError("members start from boosted trees, and there are no log-odds of these")
            trees = trees.to(logits[0].device)
            logits[self.boosted_from :] = [each + trees for each in logits[self.boosted_from :]]
        return self.mean_probability(logits)

    def mean_probability(self, logits: Sequence[Tensor]) -> Tensor:
        """The same of the members' logits, each [B, outputs]."""
        return torch.stack([probabilities(each.double(), self.multiclass) for each in logits]).mean(0)

    def codes(self, predictions: Sequence[Prediction]) -> dict[str, Tensor]:
        """The members' patient embeddings side by side, each [B, members x d].

        Returns:
            ``pooled``, or ``causal`` and ``biased`` of members with two streams.
        """
        if all(isinstance(each, StreamPrediction) for each in predictions):
            streams = [each for each in predictions if isinstance(each, StreamPrediction)]
            return {
                "causal": torch.cat([each.causal for each in streams], dim=-1),
                "biased": torch.cat([each.biased for each in streams], dim=-1),
            }
        return {"pooled": torch.cat([each.embeddings.pooled for each in predictions], dim=-1)}

    def fit_memory(self, batches: Callable[[], Iterable[Batch]]) -> None:
        """Lets each member's backbone fit what inference needs to know of training patients."""
        for member in self.members:
            assert isinstance(member, Predictor)
            member.fit_memory(batches)

    def prepare(self, store: PatientStore) -> None:
        """Works out once for all patients of a store what does not depend on weights (see ``Predictor.prepare``)."""
        first = self.members[0]
        assert isinstance(first, Predictor)
        first.prepare(store)

    def fit_inputs(
        self, batches: Callable[[], Iterable[PatientBatch]], power: float, weight: Tensor | None = None
    ) -> None:
        """Fits the members' input statistics on training patients, once for all (see ``Predictor.fit_inputs``)."""
        first = self.members[0]
        assert isinstance(first, Predictor)
        first.fit_statistics(batches(), power, weight)
        members = [member for member in self.members if isinstance(member, Predictor)]
        for member in members[1:]:
            member.take_statistics(first)
        for member in members:
            member.start_inputs()

    def start_from(self, shares: Tensor) -> None:
        """Sets the heads' biases so that an untrained network predicts the training shares.

        Args:
            shares: Share of positives per outcome, or of each class; float [outputs].
        """
        clipped = shares.clamp(1e-3, 1 - 1e-3)
        bias = clipped.log() if self.multiclass else torch.logit(clipped)
        plain = len(self.members) - self.boosted
        with torch.no_grad():
            for number, member in enumerate(self.members):
                assert isinstance(member, Predictor)
                member.start_from(bias if number < plain else torch.zeros_like(bias))
