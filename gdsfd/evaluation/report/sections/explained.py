"""The section "What moves the scores": effects of modalities and of single values, over a sample of patients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from scipy.stats import t

from gdsfd.baselines.labels import target_names
from gdsfd.cohort.schema import CohortSchema
from gdsfd.evaluation.config import EvaluationConfig
from gdsfd.evaluation.metrics.estimate import Estimate
from gdsfd.evaluation.report.numbers import spelled
from gdsfd.evaluation.report.section import SECTIONS, Section, SectionContext
from gdsfd.evaluation.targets import rows_of_split
from gdsfd.graph.column_ablation import columns_of
from gdsfd.graph.patient_store import PatientStore
from gdsfd.latent.back_door import BackDoor
from gdsfd.nn.ensemble import Ensemble
from gdsfd.nn.stream_predictor import StreamPredictor
from gdsfd.training.explanation.cell_worth import cell_worth, deletion_curve
from gdsfd.training.explanation.log_odds import LogOdds
from gdsfd.training.explanation.modality_worth import values_of
from gdsfd.training.site_strata import moved

__all__ = ["Effect", "Explained", "ExplainedSection"]

#: Patients asked, and of these those whose values are taken away in order.
PATIENTS, FAITHFUL = 40, 15
#: Random orders that the order by effect is compared with.
ORDERS = 3
#: Values and targets that the page shows.
MOST_VALUES, MOST_TARGETS = 12, 3


@dataclass(frozen=True)
class Effect:
    """Mean size of an effect on the log-odds.

    Args:
        name: A modality, or ``modality.column``.
        patients: Those of the sample who have it.
        size: Mean size of the effect, nats.
        biased: The same in what the biased stream reads; NaN without one.
    """

    name: str
    patients: int
    size: float
    biased: float


@dataclass(frozen=True)
class Explained:
    """What moved the scores of one target.

    Args:
        target: The outcome, or one of its classes.
        patients: Size of the sample.
        modalities: The largest first.
        values: The largest first.
        faithful: Log-odds in favour of what was predicted while values are taken away, the strongest first, less the
            same in random order; a mean over patients with its t interval. Below 0 is right.
    """

    target: str
    patients: int
    modalities: tuple[Effect, ...]
    values: tuple[Effect, ...]
    faithful: Estimate

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        effects = {name: [asdict(each) for each in getattr(self, name)] for name in ("modalities", "values")}
        return {"target": self.target, "patients": self.patients, **effects, "faithful": self.faithful.to_dict()}


@SECTIONS.register("explained")
class ExplainedSection(Section[tuple[Explained, ...]]):
    """Which modalities and values the model's scores rest on, and whether the ranking holds."""

    name = "explained"
    title = "What moves the scores"
    template = "explained.html"

    def judge(self, context: SectionContext) -> tuple[Explained, ...] | None:
        network = getattr(context.model, "network", None)
        if not isinstance(network, Ensemble) or not context.splits or not context.schema.modalities:
            return None
        rows = rows_of_split(context.graph, context.splits[0])
        if not len(rows):
            return None
        random = np.random.default_rng(context.config.seed)
        chosen = np.sort(random.choice(rows, min(PATIENTS, len(rows)), replace=False))
        store = PatientStore(context.graph)
        # of a time to an event the event by the horizon stands for its intervals
        survival = context.schema.survival
        names = (survival.name,) if survival is not None else target_names(context.schema)[:MOST_TARGETS]
        strata = _moved_strata(context.model, network)
        beside = _biased_stream(context.model, network)
        level = context.config.level
        return tuple(_explained(network, beside, store, chosen, name, random, level, strata) for name in names)

    def fill(self, data: tuple[Explained, ...], schema: CohortSchema, config: EvaluationConfig) -> dict[str, Any]:
        shown = []
        for each in data:
            parts = [("Modality", each.modalities), ("Value", each.values[:MOST_VALUES])]
            largest = max((own.size for _, effects in parts for own in effects), default=0.0) or 1.0
            rows = [
                (head, [{**asdict(own), "width": f"{100 * own.size / largest:.1f}"} for own in effects])
                for head, effects in parts
            ]
            streams = any(np.isfinite(own.biased) for own in each.modalities)
            shown.append({**vars(each), "target": spelled(each.target), "parts": rows, "streams": streams})
        return {"targets": shown, "several": len(target_names(schema)) > 1, "patients": data[0].patients}

    def to_dict(self, data: tuple[Explained, ...]) -> dict[str, Any]:
        return {"explained": [each.to_dict() for each in data]}


def _moved_strata(model: Any, network: Ensemble) -> Mapping[str, BackDoor]:
    """The strata that predictions are averaged by since the model was adapted to a site, if it was."""
    strata = getattr(model, "strata_", {})
    return strata if network is getattr(model, "networks_", {}).get("debiased") and moved(strata) else {}


def _biased_stream(model: Any, network: Ensemble) -> Ensemble | None:
    """What keeps the biased evidence: a stream beside the network that predicts, or that network's own; or nothing."""
    if network is getattr(model, "networks_", {}).get("debiased") and getattr(model, "biased_", None) is not None:
        beside: Ensemble = model.biased_
        return beside
    return network if all(isinstance(member, StreamPredictor) for member in network.members) else None


def _explained(
    network: Ensemble,
    beside: Ensemble | None,
    store: PatientStore,
    rows: Any,
    target: str,
    random: np.random.Generator,
    level: float,
    strata: Mapping[str, BackDoor],
) -> Explained:
    scores = {"size": LogOdds(network, store.schema, target, strata=strata)}
    if beside is not None:
        scores["biased"] = LogOdds(beside, store.schema, target, "biased")
    columns, found, gaps = list(columns_of(store.schema)), [], []
    names = [f"{column.modality.name}.{column.name}" for column in columns]
    for number, row in enumerate(rows.tolist()):
        batch = store.batch(torch.tensor([row]))
        own = [store.schema.names[place] for place in batch.layout.presence[0].nonzero().squeeze(1).tolist()]
        whole = frozenset(own)
        for key, score in scores.items():
            values = values_of(store, row, [whole, *(whole - {name} for name in own)], score)
            found += [("modality", name, key, abs(values[whole] - values[whole - {name}])) for name in own]
            places, effects, log_odds = cell_worth(store, row, columns, score)
            found += [("value", names[place], key, abs(effect)) for place, effect in zip(places.tolist(), effects)]
            if key == "size" and number < FAITHFUL and len(places) > 1:
                sign = 1.0 if log_odds > 0 else -1.0
                order = places[np.argsort(-sign * effects, kind="stable")]
                ways = [order, *(random.permutation(places) for _ in range(ORDERS))]
                means = [sign * deletion_curve(store, row, columns, way.tolist(), score).mean() for way in ways]
                gaps.append(means[0] - float(np.mean(means[1:])))
    table = pd.DataFrame(found, columns=["kind", "name", "key", "size"])
    parts = {kind: _effects(table[table["kind"] == kind]) for kind in ("modality", "value")}
    return Explained(scores["size"].words, len(rows), parts["modality"], parts["value"], _mean(np.array(gaps), level))


def _effects(table: pd.DataFrame) -> tuple[Effect, ...]:
    """Means by name, the largest in the score first."""
    means = table.pivot_table(index="name", columns="key", values="size", aggfunc=["mean", "count"], sort=False)
    found = []
    for name in means.index:
        size, patients = means.loc[name, ("mean", "size")], means.loc[name, ("count", "size")]
        biased = means.loc[name, ("mean", "biased")] if ("mean", "biased") in means.columns else np.nan
        found.append(Effect(str(name), int(patients), float(size), float(biased)))
    return tuple(sorted(found, key=lambda each: -each.size))


def _mean(values: np.ndarray[Any, Any], level: float) -> Estimate:
    if len(values) < 2:
        return Estimate.undefined("fewer than two patients with two values")
    half = float(t.ppf((1 + level) / 2, len(values) - 1) * values.std(ddof=1) / len(values) ** 0.5)
    return Estimate(float(values.mean()), float(values.mean()) - half, float(values.mean()) + half)
