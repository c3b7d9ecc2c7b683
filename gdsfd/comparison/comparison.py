"""Arms x backbones x seeds on the same patients, and what came out."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import torch
from torch_geometric.data import HeteroData

from gdsfd.baselines.asked_for import baseline_asked_for
from gdsfd.comparison.cluster import ClusterExecutor, check_cluster
from gdsfd.comparison.countdown import Countdown
from gdsfd.comparison.designs import Case, Source, cases_of, named_sources, oracle_of
from gdsfd.comparison.execution import Job, ProcessExecutor, SerialExecutor
from gdsfd.comparison.fit_log import FitLog, Record, key_of, plain, read_fits
from gdsfd.comparison.fits import EVERY_BASELINE, ORACLE, REFERENCE, Plan
from gdsfd.comparison.folder import FORMAT, check_folder, mark_folder, settings_of, write_whole
from gdsfd.comparison.mean_over_targets import means_in_words
from gdsfd.comparison.narrative import design_sentences
from gdsfd.comparison.page import page
from gdsfd.comparison.scores import check_judged
from gdsfd.comparison.statistics import MARGIN
from gdsfd.comparison.summary import Design, summarise
from gdsfd.errors import InputError, cell_text, near_names
from gdsfd.graph.loader import rows_of
from gdsfd.nn.backbones import check_backbone, known_backbones
from gdsfd.nn.dependence import check_dependence
from gdsfd.nn.objective_registry import check_objective
from gdsfd.nn.streams.config import StreamConfig
from gdsfd.process_lock import process_lock
from gdsfd.result_lines import environment
from gdsfd.setting_checks import Number, Whole, checked
from gdsfd.training.config import TrainConfig
from gdsfd.training.devices import check_device
from gdsfd.training.over_ranks_checks import check_one_process
from gdsfd.training.plan import jobs_that_suit
from gdsfd.training.survival_modes import check_survival_mode
from gdsfd.training.suspects.declared_suspects import check_suspects, read_suspects, with_found

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Comparison", "compare", "make_plan"]

_FITS = "fits.jsonl"
#: Most seeds of a comparison.
MOST_SEEDS = 1000
_Folds = Annotated[int, Whole(0, 100)]


@dataclass(frozen=True)
class Comparison:
    """All fits of a comparison and what they say.

    Args:
        records: One per fitted arm (see :func:`~gdsfd.comparison.fits.fit_all`).
        margin: Difference in AUROC that counts as none.
        facts: Settings, name -> text.
        notes: What a reader has to know beside the figures.
        shifted: The split for the shifted gain; None = chosen by :func:`~gdsfd.comparison.summary.summarise`.
    """

    records: list[Record]
    margin: float = MARGIN
    facts: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    shifted: str | None = None

    @property
    def designs(self) -> list[Design]:
        """Tables of figures, one per evaluation split of each design."""
        return summarise(self.records, self.margin, self.shifted)

    @property
    def sentences(self) -> dict[str, list[str]]:
        """What came out, in words: design -> sentences, those that did not help among them."""
        return {design.name: design_sentences(design) for design in self.designs}

    def summary(self) -> dict[str, Any]:
        """A JSON-able account; undefined figures are None."""
        account = {
            "format": FORMAT,
            "margin": self.margin,
            "settings": self.facts,
            "notes": list(self.notes),
            "sentences": self.sentences,
            "designs": [design.to_dict() for design in self.designs],
        }
        return dict(plain(account))

    def to_frame(self) -> pd.DataFrame:
        """One row per design, split, backbone and arm."""
        import pandas as pd

        rows = []
        for design in self.designs:
            for split, table in design.tables.items():
                for row in table.rows:
                    gap = row.minus_erm
                    rows.append(
                        {
                            "design": design.name,
                            "split": split,
                            "backbone": row.backbone,
                            "arm": row.arm,
                            "label": row.label,
                            "auroc": row.means["auroc"].value,
                            "auprc": row.means["auprc"].value,
                            "minus_erm": gap.mean if gap is not None else float("nan"),
                            "minus_erm_low": gap.low if gap is not None else float("nan"),
                            "minus_erm_high": gap.high if gap is not None else float("nan"),
                            "verdict": row.verdict,
                            "closed": row.closed.value,
                            "guard": f"{row.guard.used}/{row.guard.fits}" if row.guard is not None else "",
                        }
                    )
        return pd.DataFrame(rows)

    def html(self) -> str:
        """The page ``compare.html``."""
        return page(self.designs, self.facts, self.notes, self.margin)

    def save(self, folder: str | Path) -> None:
        """Writes ``summary.json`` and ``compare.html`` into a folder, each whole or not at all."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / "summary.json", json.dumps(self.summary(), indent=1) + "\n")
        write_whole(folder / "compare.html", self.html())


def make_plan(
    arms: Sequence[str] | Mapping[str, Any],
    backbones: Sequence[str],
    suspects: str | Sequence[str] | None,
    baselines: Sequence[str],
    settings: Mapping[str, Any],
    folds: Mapping[str, int] | None,
    matched: bool,
) -> Plan:
    """What is compared, checked; see :func:`compare` for the arguments.

    Raises:
        InputError: An arm, backbone, suspect, baseline or setting is unknown.
    """
    named = arms if isinstance(arms, Mapping) else {name: name for name in arms}
    told = read_suspects(suspects)
    streams = {name: with_found(StreamConfig.read(parts), told, strict=False) for name, parts in named.items()}
    for name, parts in streams.items():
        if (name == REFERENCE) != (parts is None):
            raise InputError(f"compare: the name {REFERENCE!r} and the mode 'none' belong together, got arm {name!r}")
    for kind, given, known in (
        ("backbone", backbones, known_backbones()),
        ("arm in folds", folds or {}, streams),
    ):
        for name in given:
            if name not in known:
                raise InputError(f"compare: unknown {kind} {name!r}.{near_names(name, known)}")
    if not backbones:
        raise InputError(f"compare: expected at least one backbone of {', '.join(known_backbones())}, got none")
    for what, names in (("backbones", backbones), ("baselines", baselines)):
        if len(set(names)) < len(names):
            raise InputError(f"compare: {what}: each once, got {', '.join(names)}")
    for name in baselines:
        baseline_asked_for(name, "compare: baselines")
    own = folds or {}
    config = TrainConfig.from_settings({"boosted_members": 0, **settings})
    check_one_process(config)
    if config.recalibrate != "none":
        raise InputError(
            "compare: setting 'recalibrate': a comparison judges the risks that networks give themselves, so that arms "
            "differ by nothing else; recalibrate the model that you train in the end"
        )
    check_device(config)
    for name in backbones:
        check_backbone(name, config.backbone_options)
    for parts in streams.values():
        if parts is not None:
            check_dependence(parts.information, parts.information_options)
            check_objective(parts.objective, parts.objective_options)
    return Plan(
        arms={REFERENCE: None, **streams},
        backbones=tuple(backbones),
        baselines=tuple(baselines),
        suspects=told,
        config=config,
        folds={"dfd": 0, **{name: checked(each, _Folds, f"compare: folds of {name!r}") for name, each in own.items()}},
        matched=matched,
    )


def compare(
    graphs: Source | Sequence[Source],
    arms: Sequence[str] | Mapping[str, Any] = ("none", "margin", "dfd", "strata", "full"),
    backbones: Sequence[str] = ("concat", "muse", "grape"),
    seeds: int | Sequence[int] = 5,
    out: str | Path | None = None,
    *,
    suspects: str | Sequence[str] | None = None,
    baselines: Sequence[str] = EVERY_BASELINE,
    leave_one_environment_out: bool = False,
    graph_per_seed: bool = False,
    truth: str | Path | None = None,
    margin: float = MARGIN,
    shifted: str | None = None,
    folds: Mapping[str, int] | None = None,
    matched: bool = True,
    jobs: int | None = 1,
    cluster: str | None = None,
    on_fit: Callable[[str], None] | None = None,
    **settings: Any,
) -> Comparison:
    """Fits arms x backbones x seeds on the same patients and compares them.

    For every graph, held-out environment, seed and backbone, ERM (``none``) is fitted once and is the reference that
    the guard of every debiased arm looks at. A debiased arm has two rows: ``full`` is what ``Debiaser.fit`` delivers,
    ``full (forced)`` its debiased network whatever the guard says. ``none (matched)`` is ERM with as many parameters as
    the debiased network. Nothing is fitted or chosen on an evaluation split.

    Args:
        graphs: A graph, a graph's folder, a spec or its path, or several. A spec is read anew for each seed, which is
            then also the seed of its split; of a graph only the networks' seed changes.
        arms: Modes as ``Debiaser(debias=...)`` takes them, or name -> mode.
        backbones: Names of backbones.
        seeds: How many (0, 1, ...), or which: at most 1,000, each 0 to 4,294,967,295.
        out: Folder for ``fits.jsonl`` (a line per fit, appended as it ends), ``summary.json`` and ``compare.html``.
            Fits found in it are not run again, so that calling again goes on where it stopped. One process at a time
            compares into a folder.
        suspects: As in :class:`~gdsfd.training.debiaser.Debiaser`.
        baselines: Models of the flattened table, fitted once per graph and seed: ``"boosting"``, ``"logistic"``, and
            beside the margin of the suspects, as ``arms="margin"`` is, ``"boosting_margin"`` (LightGBM) and
            ``"logistic_margin"``; ``"random_forest"``, ``"xgboost"``, ``"catboost"``, ``"tabpfn"``, ``"tabicl"`` where
            they are installed; any other classifier by the path that it is imported from,
            ``"sklearn.ensemble:ExtraTreesClassifier"`` (:mod:`gdsfd.baselines.classifier_baseline`).
        leave_one_environment_out: Whether each environment is the test split in turn.
        graph_per_seed: Whether the graphs are draws of one design, one per seed.
        truth: Folder of a simulated cohort's exports; default: looked for beside the graph.
        margin: Difference in AUROC that counts as none, above 0 and at most 1.
        shifted: The split on which a gain is looked for; default: the held-out environment, ``test_unbiased``, or the
            first evaluation split other than ``test``.
        folds: Arm -> groups of environments that its guard leaves out of training in turn; default: the setting
            ``guard_folds``, but 0 for ``dfd``, whose guard then looks at tuning patients (saves time).
        matched: Whether ERM of the debiased network's size is fitted too.
        jobs: Parts of the comparison that are fitted at once, 1 to 256, each in a process of its own with its share of
            the threads; a part is one backbone, or the baselines, on one graph and seed. None = as many as there are
            threads, at most 4, on a CPU and below 10,000 training patients. In a script, call it below
            ``if __name__ == "__main__":``; backbones of one's own have to be registered above that line.
        cluster: Address of a Dask scheduler (``tcp://host:8786``) on whose workers the parts are fitted, instead of
            processes here; needs the extra ``cluster``.
        on_fit: Told before each fit, in words: how many have ended, how long the rest will take, what is fitted next.
        **settings: Fields of :class:`~gdsfd.training.config.TrainConfig`, the same for all arms. No member starts from
            boosted trees unless ``boosted_members`` is given: modes without a margin could have none.

    Returns:
        The comparison, of all fits in ``out`` that were asked for.

    Raises:
        InputError: An argument is unknown; a graph has no patients to judge on; ``out`` holds something else, or fits
            with other settings.
        GdsfdError: One of several processes was killed.

    Example:
        >>> found = compare("graph/", backbones=["concat"], seeds=3, out="compared/")  # doctest: +SKIP
        >>> print(found.to_frame())  # doctest: +SKIP
    """
    plan = make_plan(arms, backbones, suspects, baselines, settings, folds, matched)
    numbers = _seeds(seeds)
    margin = checked(margin, Annotated[float, Number(0, 1, above=True)], "compare: margin")
    jobs = checked(jobs, Annotated[int | None, Whole(1, 256)], "compare: jobs")
    if cluster is not None:
        jobs = 1 if jobs is None else jobs
        check_cluster(cluster, jobs)
    sources = named_sources(graphs)
    given = settings_of(plan)
    folder = None if out is None else Path(out)
    if folder is not None:
        check_folder(folder, given)
    with _alone(folder):
        stored = read_fits(folder / _FITS) if folder is not None else []
        done: dict[tuple[Any, ...], Record] = {key_of(each): each for each in stored}
        asked: set[tuple[Any, ...]] = set()
        place = Path(truth) if truth is not None else None
        cases = list(cases_of(sources, numbers, leave_one_environment_out, graph_per_seed, place))
        first = next((case for case in cases if not _is_fitted(case, plan, done)), None)
        made: dict[Case, HeteroData] = {}
        if jobs is None and first is not None:
            made[first] = first.make()
            train_patients, fits = rows_of(made[first], "train").numel(), len(cases) * (1 + len(plan.backbones))
            device = settings.get("accelerator", "auto")
            jobs = jobs_that_suit(fits, train_patients, device, torch.get_num_threads())
        jobs = jobs or 1
        threads = 1 if cluster is not None else max(1, torch.get_num_threads() // jobs)
        log = FitLog(folder / _FITS, environment(threads, "cpu")) if folder is not None else None
        every = [(each.design, each.holdout, each.seed, *row) for each in cases for row in plan.rows()]
        fitter: SerialExecutor | ProcessExecutor | ClusterExecutor
        countdown = Countdown(every, lambda: read_fits(log.file) if log is not None else fitter.lines, jobs)
        tell = None if on_fit is None else lambda words: on_fit(countdown.words(words))
        if cluster is not None:
            fitter = ClusterExecutor(cluster, log, tell)
            countdown.at_once = max(1, fitter.workers)
        else:
            fitter = SerialExecutor(log, tell) if jobs == 1 else ProcessExecutor(jobs, threads, log, tell)
        with fitter as fit:
            for case in cases:
                where = {"design": case.design, "holdout": case.holdout, "seed": case.seed}
                asked |= {(*where.values(), *row) for row in [*plan.rows(), ("", ORACLE)]}
                if _is_fitted(case, plan, done):
                    continue
                before = _rows_of(case, done)
                graph = made.pop(case) if case in made else case.make()
                for name, mode in plan.arms.items():
                    check_survival_mode(graph, mode, f"compare: arm {name!r}")
                if suspects is not None:
                    check_suspects(plan.suspects, graph, varied=not case.holdout)
                check_judged(graph)
                oracle = oracle_of(case, graph)
                if folder is not None:
                    mark_folder(folder, given)
                parts = [Job(where, plan.only(""), before, oracle)]
                parts += [Job(where, plan.only(backbone), before) for backbone in plan.backbones]
                fit(graph, [part for part in parts if part.missing])
        done |= {key_of(line): line for line in fitter.lines}
        kept = [record for key, record in done.items() if key in asked]
        notes = (*means_in_words(kept), *(_notes(sources) if leave_one_environment_out else ()))
        comparison = Comparison(kept, margin, _facts(plan, numbers, sources), notes, shifted)
        if folder is not None:
            comparison.save(folder)
        return comparison


def _rows_of(case: Case, done: Mapping[tuple[Any, ...], Record]) -> frozenset[tuple[str, str]]:
    """The (backbone, arm) that were fitted of a case."""
    return frozenset(key[3:] for key in done if key[:3] == (case.design, case.holdout, case.seed))


def _is_fitted(case: Case, plan: Plan, done: Mapping[tuple[Any, ...], Record]) -> bool:
    """Whether nothing of a case is left to fit."""
    before = _rows_of(case, done)
    return before >= set(plan.rows()) and (case.truth is None or ("", ORACLE) in before)


@contextmanager
def _alone(folder: Path | None) -> Iterator[None]:
    """Holds the folder, so that no other process fits the same into it."""
    if folder is None:
        yield
        return
    refusal = f"{folder}: {{holder}} compares into this folder; wait until it ends, or choose another folder"
    real = Path(os.path.realpath(folder))  # one folder has one lock, by whatever name or link it is called
    with process_lock(real.parent / f".{real.name}.comparing", refusal):
        yield


def _seeds(seeds: int | Sequence[int]) -> tuple[int, ...]:
    if isinstance(seeds, int) and not isinstance(seeds, bool):
        return tuple(range(checked(seeds, Annotated[int, Whole(1, MOST_SEEDS)], "compare: seeds")))
    if not isinstance(seeds, (list, tuple, range)) or not seeds:
        raise InputError(f"compare: seeds: expected how many or a list of whole numbers, got {cell_text(seeds)}")
    if len(seeds) > MOST_SEEDS:
        raise InputError(f"compare: seeds: expected at most {MOST_SEEDS:,}, got {len(seeds):,}")
    found = tuple(checked(each, Annotated[int, Whole(0, 2**32 - 1)], "compare: seeds: each") for each in seeds)
    if len(set(found)) < len(found):
        raise InputError(f"compare: seeds: each once, got {list(found)}")
    return found


def _facts(plan: Plan, seeds: Sequence[int], sources: Mapping[str, Source]) -> dict[str, str]:
    default = TrainConfig()
    changed = {name: value for name, value in plan.config.to_dict().items() if value != getattr(default, name)}
    return {
        "graphs": ", ".join(sources),
        "seeds": ", ".join(map(str, seeds)),
        "backbones": ", ".join(plan.backbones),
        "suspects": ", ".join(plan.suspects),
        "training": ", ".join(f"{name} = {value}" for name, value in changed.items()) or "defaults",
        "groups of environments left out by guards": ", ".join(
            f"{name}: {plan.folds.get(name, plan.config.guard_folds)}" for name in plan.debiased()
        ),
    }


def _notes(sources: Mapping[str, Source]) -> tuple[str, ...]:
    graphs = [name for name, source in sources.items() if not _is_spec(source)]
    if not graphs:
        return ()
    return (
        f"{', '.join(graphs)}: vocabularies and scales are those of the graph's own training patients, some of whom "
        "are in a held-out environment. They carry no labels; to fit them anew without each environment, give the spec "
        "instead of the graph.",
    )


def _is_spec(source: Source) -> bool:
    return not hasattr(source, "node_types") and (not isinstance(source, (str, Path)) or str(source).endswith(".toml"))
