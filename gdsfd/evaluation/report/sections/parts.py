"""The section "What parts of the model say by themselves": the scores that a learner has beside its prediction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gdsfd.cohort.schema import CohortSchema
from gdsfd.evaluation.config import EvaluationConfig
from gdsfd.evaluation.intervals.of_metric import interval_of
from gdsfd.evaluation.metrics.estimate import Estimate
from gdsfd.evaluation.metrics.formulas import auroc
from gdsfd.evaluation.report.numbers import spelled
from gdsfd.evaluation.report.section import SECTIONS, Section, SectionContext
from gdsfd.evaluation.targets import Target, rows_of_split, targets_of
from gdsfd.graph.patient_store import PatientStore
from gdsfd.nn.ensemble import Ensemble
from gdsfd.training.inference import batches_of

__all__ = ["PartFigures", "PartsSection"]


@dataclass(frozen=True)
class PartFigures:
    """One part's own AUROC of one target, and the whole model's among the same patients.

    Args:
        part: Its name, often a modality's.
        target: The outcome, or one of its classes.
        patients: Labelled patients whom the part speaks of.
        own: The part's.
        whole: The model's.
    """

    part: str
    target: str
    patients: int
    own: Estimate
    whole: Estimate

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return {**vars(self), "own": self.own.to_dict(), "whole": self.whole.to_dict()}


@SECTIONS.register("parts")
class PartsSection(Section[tuple[PartFigures, ...]]):
    """AUROC of each prediction that stands beside the main one, among the patients it speaks of."""

    name = "parts"
    title = "What parts of the model say by themselves"
    template = "parts.html"

    def judge(self, context: SectionContext) -> tuple[PartFigures, ...] | None:
        network = getattr(context.model, "network", None)
        if not isinstance(network, Ensemble) or not context.splits:
            return None
        graph, rows = context.graph, rows_of_split(context.graph, context.splits[0])
        parts = _predicted(network, graph, torch.from_numpy(rows))
        if not parts:
            return None
        whole = targets_of(graph, rows, context.model.predict_proba(graph, split=context.splits[0]))
        subject = np.unique(np.asarray(graph["patient"].subject, dtype=str)[rows], return_inverse=True)[1]
        found = []
        for name, (probability, spoken_of) in parts.items():
            mask = spoken_of.numpy()
            for mine, theirs in zip(targets_of(graph, rows, probability.numpy(), name), whole, strict=True):
                both = [_area(each.among(mask), subject, context.config) for each in (mine, theirs)]
                found.append(PartFigures(name, mine.name, len(mine.among(mask).rows), *both))
        return tuple(found)

    def fill(self, data: tuple[PartFigures, ...], schema: CohortSchema, config: EvaluationConfig) -> dict[str, Any]:
        return {
            "several": len({row.target for row in data}) > 1,
            "rows": [{**vars(row), "part": spelled(row.part), "target": spelled(row.target)} for row in data],
        }

    def to_dict(self, data: tuple[PartFigures, ...]) -> dict[str, Any]:
        return {"parts": [row.to_dict() for row in data]}


@torch.no_grad()
def _predicted(network: Ensemble, graph: Any, rows: Tensor) -> dict[str, tuple[Tensor, Tensor]]:
    """Name -> the members' mean probability, as ``predict_proba``, and of whom it speaks; [n, ..] and [n]."""
    network.cpu().eval()
    found: dict[str, list[tuple[Tensor, Tensor]]] = {}
    for batch in batches_of(PatientStore(graph), rows):
        outputs = network(batch)
        for name in outputs[0].parts:
            own = [each.parts[name] for each in outputs]
            speaks: Sequence[Tensor] = [(about > 0).reshape(len(about), -1).any(1) for _, about in own]
            found.setdefault(name, []).append((network.mean_probability([logits for logits, _ in own]), speaks[0]))
    return {name: (torch.cat([p for p, _ in each]), torch.cat([s for _, s in each])) for name, each in found.items()}


def _area(target: Target, subject: np.ndarray[Any, Any], config: EvaluationConfig) -> Estimate:
    value, cluster = auroc(target.y, target.p), subject[target.rows]
    if not np.isfinite(value):
        return Estimate.undefined("nobody here, or only one label")
    return Estimate(value, *interval_of("auroc", value, target.y, target.p, cluster, level=config.level))
