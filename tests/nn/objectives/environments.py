"""Batches of hand-made logits whose patients stand in environments, and a stand-in for the network."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from gdsfd.nn.embeddings import Embeddings
from gdsfd.nn.losses import Targets
from gdsfd.nn.predictor import Prediction

__all__ = ["network", "predicted", "shortcut_cohort", "targets_of"]


def network(outputs: int = 1, multiclass: bool = False, members: int = 1) -> Any:
    """As much of an ensemble as objectives read."""
    return SimpleNamespace(multiclass=multiclass, num_outputs=outputs, members=[None] * members)


def predicted(logits: Tensor, code: Tensor | None = None) -> Prediction:
    """A prediction of logits [B, outputs] and codes [B, d]."""
    code = logits if code is None else code
    return Prediction(logits, Embeddings(code, None, torch.ones(len(logits), 1, dtype=torch.bool)))


def targets_of(y: Tensor, *suspects: Tensor) -> Targets:
    """Labels and codes of suspects, [B] each."""
    return Targets(y, torch.arange(len(y)), suspects=torch.stack(suspects, dim=1) if suspects else None)


def shortcut_cohort(agreement: tuple[float, ...] = (0.95, 0.75), of_cause: float = 0.75, n: int = 400) -> Any:
    """Two columns of -1 and 1, a cause and a shortcut, labels [2 n, 1], and environments, in exact shares.

    The cause is right in ``of_cause`` of the patients of every environment, the shortcut in ``agreement`` of them; half
    of the patients are positive, and given the outcome everything is independent. So the outcome follows the cause with
    the same log-odds in every environment, and the shortcut with other log-odds in each.
    """
    x, y, environment = [], [], []
    for place, agrees in enumerate(agreement):
        for label in (0.0, 1.0):
            sign = 2 * label - 1
            for cause, share in ((sign, of_cause), (-sign, 1 - of_cause)):
                for shortcut, part in ((sign, agrees), (-sign, 1 - agrees)):
                    count = round(n * share * part)
                    x += [[cause, shortcut]] * count
                    y += [[label]] * count
                    environment += [place] * count
    return torch.tensor(x), torch.tensor(y), torch.tensor(environment)
