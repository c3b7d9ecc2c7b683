"""Figures on the tuning patients after an epoch."""

from __future__ import annotations

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from gdsfd.baselines.ranking import average_precision, roc_area
from gdsfd.nn.ensemble import Ensemble
from gdsfd.nn.losses import Targets, shares_of_elements
from gdsfd.nn.member_stack import MemberStack
from gdsfd.nn.objectives import Objective
from gdsfd.ops.over_ranks import Ranks
from gdsfd.training.batches import TrainingBatches
from gdsfd.training.config import TrainConfig
from gdsfd.training.memory_rows import memory_rows

__all__ = ["tuning_figures"]


def tuning_figures(
    fabric: Fabric,
    network: Ensemble,
    trained: Ensemble | MemberStack,
    batches: TrainingBatches,
    train_rows: Tensor,
    tuning_rows: Tensor,
    config: TrainConfig,
    objective: Objective,
    targets: Targets,
    ranks: Ranks | None = None,
) -> dict[str, float]:
    """Loss and ranking metrics on the tuning patients, with freshly fitted states.

    Where the objective trains with weights, margins or strata, so is the loss (``Objective.judged_logits``). Ranking
    metrics are plain. The patients pass through ``trained``, which is the network or its members in one pass; of
    several processes each takes its share of them, and all come to the same figures.
    """
    ranks = Ranks() if ranks is None else ranks
    train_rows = memory_rows(train_rows, config)
    for each in (network, trained):
        each.eval()
    plain, beside, labels, judged_labels, weights = [], [], [], [], []
    with torch.no_grad(), fabric.autocast():
        with ranks.passes(len(train_rows)):
            trained.fit_memory(lambda: batches.passes(ranks.share(train_rows)))
        for batch in batches.passes(ranks.share(tuning_rows)):
            mine = targets.take(batch.rows.cpu())
            predictions = trained(batch)
            there = mine.to(fabric.device)
            plain.append(network.probability(predictions, there.trees).cpu())
            judged = [objective.judged_logits(number, each, there) for number, each in enumerate(predictions)]
            weight, told = mine.weight if objective.judged_weighted else None, mine.y
            if judged[0].dim() > 2:  # beside found strata: every patient once per stratum
                judged, told, weight = _once_per_stratum(judged, mine, weight)
            beside.append(network.mean_probability(judged).cpu())
            labels.append(mine.y)
            judged_labels.append(told)
            weights.append(weight)
    y, patients = torch.cat(labels), len(tuning_rows)
    given = [torch.cat(beside), torch.cat(judged_labels)]
    if weights[0] is not None:
        given.append(torch.cat([each for each in weights if each is not None]))
    judged_scores, told, *share = [ranks.gathered(each, patients, len(y)) for each in given]
    scores, y = (ranks.gathered(each, patients, len(y)) for each in (torch.cat(plain), y))
    return {"tuning_loss": _log_loss(judged_scores, told, share[0] if share else None), **_ranking(scores, y)}


def _once_per_stratum(
    logits: list[Tensor], targets: Targets, weight: Tensor | None
) -> tuple[list[Tensor], Tensor, Tensor]:
    """Logits, labels and weights with every patient once per stratum, weighed by its share; [B x K, ..]."""
    assert targets.strata_share is not None
    strata = targets.strata_share.size(1)
    share = shares_of_elements(targets.strata_share, targets.y).flatten(0, 1)
    y = targets.y.repeat_interleave(strata, 0)
    share = share.expand(y.shape)
    if weight is not None:
        share = share * weight.repeat_interleave(strata, 0)
    return [each.flatten(0, 1) for each in logits], y, share


def _positive(scores: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Scores and labels with one column per outcome or class."""
    if not y.is_floating_point():
        return scores, nn.functional.one_hot(y, scores.size(1)).double()
    return (scores[:, 1:] if y.size(1) == 1 else scores), y


def _log_loss(scores: Tensor, y: Tensor, weight: Tensor | None) -> float:
    """Weighted mean cross-entropy of probabilities over labelled elements, in nats."""
    if not y.is_floating_point():
        loss = -scores.clamp_min(1e-12).log().gather(1, y.unsqueeze(1)).squeeze(1)
        labelled = torch.ones_like(y, dtype=torch.bool)
    else:
        scores, y = _positive(scores, y)
        labelled = ~torch.isnan(y)
        loss = -torch.where(y > 0.5, scores, 1 - scores).clamp_min(1e-12).log()
    share = torch.ones_like(loss) if weight is None else weight.to(loss.dtype).view_as(loss)
    return float((loss * share)[labelled].sum() / share[labelled].sum())


def _ranking(scores: Tensor, y: Tensor) -> dict[str, float]:
    """AUPRC and AUROC, averaged over outcomes or classes that have both labels; NaN when none has."""
    scores, y = _positive(scores, y)
    precision, roc = [], []
    for column in range(y.size(1)):
        labelled = ~torch.isnan(y[:, column])
        truth = y[labelled, column].numpy()
        if 0 < truth.sum() < truth.size:
            precision.append(average_precision(truth, scores[labelled, column].numpy()))
            roc.append(roc_area(truth, scores[labelled, column].numpy()))
    if not precision:
        return {"tuning_auprc": float("nan"), "tuning_auroc": float("nan")}
    return {"tuning_auprc": float(np.mean(precision)), "tuning_auroc": float(np.mean(roc))}
