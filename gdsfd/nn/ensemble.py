"""An ensemble of networks trained side by side, whose probabilities are averaged."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor, nn

from gdsfd.graph.patient_batch import PatientBatch
from gdsfd.graph.patient_store import PatientStore
from gdsfd.nn.losses import probabilities
from gdsfd.nn.predictor import Batch, Prediction, Predictor
from gdsfd.nn.stream_predictor import StreamPrediction

__all__ = ["Ensemble"]


class Ensemble(nn.Module):
    """Predictors of one shape from different starts; each is trained by its own loss.

    On cohorts of a few thousand patients two starts rank patients differently; averaged, a patient's score depends less
    on the seed.

    Args:
        members: The predictors, at least one.
        multiclass: Whether the outputs are the classes of one outcome.
    """

    def __init__(self, members: Sequence[Predictor], multiclass: bool) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.multiclass = multiclass

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

    def probability(self, predictions: Sequence[Prediction]) -> Tensor:
        """Mean probability over members, float64 [B, classes] (see :func:`gdsfd.nn.losses.probabilities`)."""
        return self.mean_probability([each.logits for each in predictions])

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
        with torch.no_grad():
            for member in self.members:
                assert isinstance(member, Predictor)
                member.start_from(bias)
