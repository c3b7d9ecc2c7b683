"""Which head of the causal stream is fitted to the outcome: its own, or one on a code and a stratum's centre."""

from __future__ import annotations

from torch import Tensor

from gdsfd.nn.adjustment.deconfounder import Deconfounder
from gdsfd.nn.losses import outcome_loss
from gdsfd.nn.stream_predictor import StreamPrediction, StreamPredictor

__all__ = ["AveragedFit", "HeadOnlyFit", "OffsetFit", "OutcomeFit", "OwnStratumFit", "outcome_fit"]


class OutcomeFit:
    """The causal head as it is, without strata.

    Args:
        member: The network; its causal head, or its head on codes and strata, is what is fitted.
    """

    def __init__(self, member: StreamPredictor) -> None:
        self.member = member

    def strata(self, prediction: StreamPrediction, group: Tensor | None) -> Tensor | None:
        """The stratum of each patient, int64 [B]; None where the fit does not need it."""
        return None

    def logits(self, prediction: StreamPrediction, stratum: Tensor | None) -> Tensor:
        """The logits whose loss trains the causal stream, and by which epochs are chosen; [B, outputs]."""
        return prediction.logits

    def thinned(self, code: Tensor, prediction: StreamPrediction, stratum: Tensor | None) -> Tensor:
        """The same with the codes of the thinned graph, [B, d]."""
        return self.member.causal_logits(code, prediction.biased)

    def beside(
        self,
        prediction: StreamPrediction,
        stratum: Tensor | None,
        y: Tensor,
        weight: Tensor | None,
        margin: Tensor | None,
    ) -> Tensor | None:
        """A further loss that reaches no code; None where there is none. See :func:`outcome_loss` for the arguments."""
        return None


class _StratumFit(OutcomeFit):
    """A head on pairs of a code and a centre."""

    @property
    def head(self) -> Deconfounder:
        assert self.member.deconfounder is not None
        return self.member.deconfounder

    def strata(self, prediction: StreamPrediction, group: Tensor | None) -> Tensor | None:
        """The nearest centre of the own group."""
        assert prediction.source is not None
        assert group is not None, "Targets.group is missing; gdsfd.training.suspects.strata.fit_strata gives it"
        return self.head.strata(prediction.source, group)


class AveragedFit(_StratumFit):
    """``fit="backdoor"``: the average over strata, which is what predicts."""

    def strata(self, prediction: StreamPrediction, group: Tensor | None) -> Tensor | None:
        """None: every patient is put in all strata."""
        return None

    def thinned(self, code: Tensor, prediction: StreamPrediction, stratum: Tensor | None) -> Tensor:
        """The average with the codes of the thinned graph."""
        return self.head(code)


class OwnStratumFit(_StratumFit):
    """``fit="own"``: the outcome given the code and the patient's own stratum."""

    def logits(self, prediction: StreamPrediction, stratum: Tensor | None) -> Tensor:
        """Logits given the own stratum."""
        return self._given(prediction.causal, stratum)

    def thinned(self, code: Tensor, prediction: StreamPrediction, stratum: Tensor | None) -> Tensor:
        """The stratum stays what it was: only what the code is worked out from has changed."""
        return self._given(code, stratum)

    def _given(self, code: Tensor, stratum: Tensor | None) -> Tensor:
        assert stratum is not None
        return self.head.own(code, stratum)


class OffsetFit(OwnStratumFit):
    """``fit="offset"``: the stratum's part of the logits is fitted by itself, the patient's part beside it."""

    def _given(self, code: Tensor, stratum: Tensor | None) -> Tensor:
        assert stratum is not None
        part, offset = self.head.offset(code, stratum)
        return part.float() + offset.float().detach()

    def beside(
        self,
        prediction: StreamPrediction,
        stratum: Tensor | None,
        y: Tensor,
        weight: Tensor | None,
        margin: Tensor | None,
    ) -> Tensor | None:
        """The loss of what the stratum alone says."""
        assert stratum is not None
        return outcome_loss(self.head.stratum_logits(stratum).float(), y)


class HeadOnlyFit(_StratumFit):
    """``fit="evaluation"``: codes are trained as without strata, and beside them the head that predicts."""

    def beside(
        self,
        prediction: StreamPrediction,
        stratum: Tensor | None,
        y: Tensor,
        weight: Tensor | None,
        margin: Tensor | None,
    ) -> Tensor | None:
        """The loss of the head on codes without gradient, given the own stratum."""
        assert stratum is not None
        return outcome_loss(self.head.own(prediction.causal.detach(), stratum).float(), y, weight, margin)


_FITS: dict[str, type[OutcomeFit]] = {
    "backdoor": AveragedFit,
    "own": OwnStratumFit,
    "offset": OffsetFit,
    "evaluation": HeadOnlyFit,
}


def outcome_fit(member: StreamPredictor) -> OutcomeFit:
    """What a network's own settings ask for."""
    head = member.deconfounder
    return OutcomeFit(member) if head is None else _FITS[head.config.fit](member)
