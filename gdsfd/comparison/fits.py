"""All arms on one graph and seed: what is fitted once is shared."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch_geometric.data import HeteroData

from gdsfd.baselines.asked_for import baseline_asked_for
from gdsfd.baselines.suspect_facts import SuspectFacts
from gdsfd.comparison.capacity_matching import match_capacity
from gdsfd.comparison.fit_log import Record
from gdsfd.comparison.scores import judged_splits, scores_by_split, scores_of_probability
from gdsfd.evaluation.metrics.formulas import Floats
from gdsfd.graph.loader import rows_of
from gdsfd.graph.patient_store import PatientStore
from gdsfd.nn.streams.config import StreamConfig
from gdsfd.training.arm import Arm, FittedArm
from gdsfd.training.config import TrainConfig
from gdsfd.training.inference import predict
from gdsfd.training.model_selection.guard import Guard, select_model
from gdsfd.training.suspects.suspect_facts import suspect_facts

__all__ = ["EVERY_BASELINE", "MATCHED", "ORACLE", "REFERENCE", "Plan", "fit_all", "forced"]

#: What stands beside the networks by default: what a user would pick instead of a network, and the same beside the
#: margin of the declared suspects, which a debiased network has to beat to be worth its time.
EVERY_BASELINE = ("boosting", "logistic", "boosting_margin", "logistic_margin")

REFERENCE = "none"
#: ERM widened to the size of the largest debiased network.
MATCHED = "none (matched)"
ORACLE = "oracle"


def forced(arm: str) -> str:
    """The name of an arm's debiased network when the guard is not asked."""
    return f"{arm} (forced)"


@dataclass(frozen=True)
class Plan:
    """What is compared.

    Args:
        arms: Name -> its parts; None = ERM. ERM is always fitted, under the name ``none``.
        backbones: Names of backbones.
        baselines: Names as :func:`~gdsfd.baselines.asked_for.baseline_asked_for` takes them.
        suspects: What the arms are told may be biased.
        config: Training settings, the same for all arms.
        folds: Arm -> groups of environments its guard leaves out; default: ``config.guard_folds``, 0 for ``dfd``.
        matched: Whether ERM of a debiased network's size is fitted too.
    """

    arms: Mapping[str, StreamConfig | None]
    backbones: tuple[str, ...]
    baselines: tuple[str, ...] = EVERY_BASELINE
    suspects: tuple[str, ...] = ("pattern", "environment")
    config: TrainConfig = field(default_factory=TrainConfig)
    folds: Mapping[str, int] = field(default_factory=lambda: {"dfd": 0})
    matched: bool = True

    def debiased(self) -> dict[str, StreamConfig]:
        """The arms that are not ERM."""
        return {name: streams for name, streams in self.arms.items() if streams is not None}

    def rows(self) -> list[tuple[str, str]]:
        """All (backbone, arm) there will be, apart from the oracle."""
        found = [("", name) for name in self.baselines]
        for backbone in self.backbones:
            found.append((backbone, REFERENCE))
            if self.matched and self._widest() is not None:
                found.append((backbone, MATCHED))
            for name in self.debiased():
                found += [(backbone, name), (backbone, forced(name))]
        return found

    def only(self, backbone: str) -> Plan:
        """One backbone, or for ``""`` the baselines; the parts of a plan share no fit."""
        return replace(self, backbones=(backbone,) if backbone else (), baselines=() if backbone else self.baselines)

    def _widest(self) -> StreamConfig | None:
        """The mode that the matched ERM is as large as: the last with two streams."""
        dual = [streams for streams in self.debiased().values() if streams.streams]
        return dual[-1] if dual else None


def fit_all(
    graph: HeteroData,
    seed: int,
    plan: Plan,
    done: Iterable[tuple[str, str]] = (),
    oracle: Floats | None = None,
    on_fit: Callable[[str, str], None] | None = None,
) -> Iterator[list[Record]]:
    """Fits and judges everything on one graph that is not done yet.

    The reference is fitted once per backbone, with and without each group of environments, and every debiased arm's
    guard looks at the same fits.

    Args:
        graph: The graph, with splits ``train`` and ``tuning`` and at least one more.
        seed: Of initial weights, shuffling and dropout.
        plan: What is compared.
        done: (backbone, arm) that need no fit; the backbone of baselines and of the oracle is ``""``.
        oracle: True scores of all patients, if known.
        on_fit: Told the backbone and the arm before each fit.

    Yields:
        The records of one fit: ``backbone``, ``arm``, ``splits`` (see
        :func:`~gdsfd.comparison.scores.scores_by_split`), ``seconds`` and, for networks, ``epochs``, ``best_epoch``,
        ``parameters``, ``config`` (what differs from the defaults, resolved) and the guard's verdict. A debiased arm
        gives two: what ``fit`` delivers, and its debiased network always.
    """
    missing = [row for row in [*plan.rows(), *([("", ORACLE)] if oracle is not None else [])] if row not in set(done)]
    tell = on_fit or (lambda backbone, arm: None)
    if ("", ORACLE) in missing and oracle is not None:
        yield [{"backbone": "", "arm": ORACLE, "splits": scores_of_probability(graph, oracle), "seconds": 0.0}]
    facts: SuspectFacts | None = None
    for name in plan.baselines:
        if ("", name) not in missing:
            continue
        tell("", name)
        if facts is None and baseline_asked_for(name).reads_suspects:
            facts = suspect_facts(graph, plan.suspects)
        yield [_baseline(graph, name, seed, facts)]
    config = plan.config.resolved(int(rows_of(graph, "train").numel()))
    for backbone in plan.backbones:
        wanted = [arm for name, arm in missing if name == backbone]
        if wanted:
            yield from _of_backbone(graph, backbone, seed, plan, config, wanted, _Scorer(graph), tell)


def _of_backbone(
    graph: HeteroData,
    backbone: str,
    seed: int,
    plan: Plan,
    config: TrainConfig,
    wanted: Sequence[str],
    scorer: _Scorer,
    tell: Callable[[str, str], None],
) -> Iterator[list[Record]]:
    erm = Arm(backbone, None, config, seed, plan.suspects)
    others = {name: streams for name, streams in plan.debiased().items() if {name, forced(name)} & set(wanted)}
    if others or REFERENCE in wanted:
        tell(backbone, REFERENCE)
        reference = erm.fit(graph)
        record = {**_network(erm, REFERENCE, reference), "splits": scorer(reference, REFERENCE)}
        if REFERENCE in wanted:
            yield [record]
    widest = plan._widest()
    if MATCHED in wanted and widest is not None:
        tell(backbone, MATCHED)
        arm = replace(erm, config=match_capacity(graph.schema, backbone, widest, config))
        fitted = arm.fit(graph)
        yield [{**_network(arm, MATCHED, fitted), "splits": scorer(fitted, MATCHED)}]
    shared: dict[str, FittedArm] = {}
    for name, streams in others.items():
        tell(backbone, name)
        debiased = replace(erm, streams=streams)
        fitted = debiased.fit(graph)
        splits = scorer(fitted, name)
        start = time.perf_counter()
        tell(backbone, f"{name}: guard")
        pair = {"reference": reference, "debiased": fitted}
        folds = plan.folds.get(name, config.guard_folds)
        guard = select_model(graph, erm, debiased, pair, folds, left_out_reference=shared)
        verdict: Record = {"guard": _verdict(guard), "guard_seconds": round(time.perf_counter() - start, 1)}
        signal = fitted.suspect_signal
        if signal.suspects:
            verdict["told"] = dict(suspects=signal.suspects, nats=signal.cross_entropy_gain)
        if signal.effective:
            verdict["weights"] = dict(clipped=signal.clipped, worth_patients=signal.effective)
        delivered = splits if guard.choice == "debiased" else record["splits"]
        yield [
            {**_network(debiased, name, fitted), **verdict, "splits": delivered},
            {**_network(debiased, forced(name), fitted), "splits": splits},
        ]


class _Scorer:
    """Figures of fitted networks; the patients of the evaluation splits are indexed once."""

    def __init__(self, graph: HeteroData) -> None:
        self.graph = graph
        self.store = PatientStore(graph)
        self.rows = {split: rows_of(graph, split) for split in judged_splits(graph)}

    def __call__(self, fitted: FittedArm, who: str) -> dict[str, Any]:
        given: dict[str, NDArray[np.float64]] = {
            split: predict(fitted.network, self.store, rows).probability for split, rows in self.rows.items()
        }
        return scores_by_split(self.graph, given, who)


def _baseline(graph: HeteroData, name: str, seed: int, facts: SuspectFacts | None) -> Record:
    start = time.perf_counter()
    kind: Any = baseline_asked_for(name)
    fitted = kind(seed).fit(graph, facts) if kind.reads_suspects else kind(seed).fit(graph)
    seconds = round(time.perf_counter() - start, 1)
    given = {split: fitted.predict_proba(graph, split=split) for split in judged_splits(graph)}
    return {"backbone": "", "arm": name, "splits": scores_by_split(graph, given, name), "seconds": seconds}


def _network(arm: Arm, name: str, fitted: FittedArm) -> Record:
    default = TrainConfig().to_dict()
    return {
        "backbone": arm.backbone,
        "arm": name,
        "epochs": fitted.state.epoch,
        "best_epoch": fitted.state.best_epoch,
        "parameters": sum(each.numel() for each in fitted.network.parameters()),
        "seconds": round(sum(row["seconds"] for row in fitted.state.history), 1),
        "config": {key: value for key, value in arm.config.to_dict().items() if value != default[key]},
    }


def _verdict(guard: Guard) -> Record:
    evidence: Record = {name: guard.evidence[name] for name in ("difference", "low", "high") if name in guard.evidence}
    groups = guard.evidence.get("groups", {})
    evidence["groups"] = {name: round(other - reference, 5) for name, (reference, other, _) in groups.items()}
    return {"choice": guard.choice, "failed": guard.failed, **evidence, "words": guard.explanation}
