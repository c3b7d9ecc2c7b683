"""Runs a study: writes the plan, fits what is missing, and answers from the predictions on disk."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch_geometric.data import HeteroData

from gdsfd.atomic_write import atomic_file
from gdsfd.comparison.designs import Case, Source, cases_of, named_sources
from gdsfd.comparison.fit_log import FitLog, plain
from gdsfd.errors import InputError
from gdsfd.fusion_study.answer import Answer, Material
from gdsfd.fusion_study.contenders import Contender, read_contender
from gdsfd.fusion_study.figures_table import figures_of, mean_over_targets, patients_of, read_facts, read_predictions
from gdsfd.fusion_study.fits import file_of, fit_contender
from gdsfd.fusion_study.measured import chances
from gdsfd.fusion_study.plan import BASELINES, FULL_LEARNERS, QUESTIONS, QUICK_LEARNERS, StudyPlan
from gdsfd.fusion_study.questions import ANSWERS
from gdsfd.fusion_study.report import report
from gdsfd.graph.content_hash import content_hash
from gdsfd.process_lock import process_lock
from gdsfd.setting_checks import checked
from gdsfd.training.config import TrainConfig
from gdsfd.versions import versions

__all__ = ["QUICK_SETTINGS", "Study", "answer_study", "study"]

PLAN, FITS, PATIENTS, ANSWER_FILE, PAGE = "plan.json", "fits.jsonl", "patients.parquet", "answers.json", "report.html"
#: Training settings of ``--quick``.
QUICK_SETTINGS: dict[str, Any] = {"members": 1, "max_epochs": 15, "learning_rate": 1e-3, "patience": 4}
#: Patients of ``--quick``.
QUICK_PATIENTS = 2000


@dataclass(frozen=True)
class Study:
    """A finished study.

    Args:
        folder: Where everything stands.
        plan: What was planned.
        answers: One per question.
    """

    folder: Path
    plan: StudyPlan
    answers: tuple[Answer, ...]

    @property
    def page(self) -> Path:
        """The report."""
        return self.folder / PAGE


def study(
    source: Source,
    out: str | Path,
    *,
    questions: Sequence[int] = tuple(QUESTIONS),
    learners: Sequence[str] | None = None,
    seeds: int | Sequence[int] | None = None,
    groups: Sequence[str] | None = None,
    quick: bool = False,
    on_fit: Callable[[str], None] | None = None,
    **settings: Any,
) -> Study:
    """Answers four questions about a cohort: when fusion helps, which fusion, how robust, how fair.

    The plan is written and hashed before anything is fitted. Run again into the same folder, a study goes on where it
    stopped; with another plan it is refused. Everything that is said is worked out from ``predictions/``.

    Args:
        source: A graph, its folder, or a spec; of a spec every seed draws a split of its own, so that intervals are
            over splits. Of a graph the split stays and seeds only draw weights.
        out: The study's folder: ``plan.json``, ``fits.jsonl``, ``predictions/``, ``tables/``, ``figures/``,
            ``answers.json``, ``report.html``.
        questions: Numbers of those asked.
        learners: Backbones with options (``"late:fusion=sum"``) and baselines; default: a list for quick or full.
        seeds: How many, or which; default: 3 for quick, 5 otherwise.
        groups: Attributes of question 4; default: all that the spec declares.
        quick: 5 learners, 3 seeds, at most 2,000 patients, 15 epochs.
        on_fit: Told, in words, before each fit.
        **settings: Training settings of all learners.

    Raises:
        InputError: An unknown question, learner, group or setting; ``out`` holds another study, or something else.
    """
    folder = Path(out)
    named = named_sources([source])
    numbers = _seeds(seeds if seeds is not None else (3 if quick else 5))
    cases = list(cases_of(named, numbers))
    first = cases[0].make()
    plan = _plan(first, questions, learners, numbers, groups, quick, settings)
    if folder.exists() and any(folder.iterdir()) and not (folder / PLAN).is_file():
        raise InputError(f"{folder}: holds something other than a study; name another folder")
    folder.mkdir(parents=True, exist_ok=True)
    with process_lock(folder.resolve().parent / f".{folder.resolve().name}.studying", f"{folder}: another study runs"):
        _write_plan(folder, plan)
        if not (folder / PATIENTS).is_file():
            facts = patients_of(first)
            if 1 in plan.questions:
                facts = facts.assign(**{f"chance:{name}": own for name, own in chances(first).items()})
            with atomic_file(folder / PATIENTS) as temporary:
                facts.to_parquet(temporary, index=False)
        _fit(folder, plan, cases, first, on_fit or (lambda words: None))
        return answer_study(folder, plan)


def answer_study(folder: Path, plan: StudyPlan) -> Study:
    """Answers from what is on disk, and writes tables, figures, ``answers.json`` and the report."""
    import pandas as pd

    predictions = read_predictions(folder, plan.fits, plan.seeds)
    figures = figures_of(predictions)
    material = Material(
        plan,
        predictions,
        figures,
        mean_over_targets(figures),
        pd.read_parquet(folder / PATIENTS),
        read_facts(folder / FITS),
    )
    answers = tuple(ANSWERS[number](material) for number in plan.questions)
    for answer in answers:
        for name, table in answer.tables.items():
            with atomic_file(folder / "tables" / f"{answer.number}_{name}.csv") as temporary:
                table.to_csv(temporary, index=False)
        for name, picture in answer.figures.items():
            with atomic_file(folder / "figures" / f"{answer.number}_{name}.svg") as temporary:
                temporary.write_text(picture, encoding="utf-8")
    told = {"plan": plan.hash, "answers": [answer.to_dict() for answer in answers]}
    with atomic_file(folder / ANSWER_FILE) as temporary:
        temporary.write_text(json.dumps(plain(told), indent=1) + "\n", encoding="utf-8")
    with atomic_file(folder / PAGE) as temporary:
        temporary.write_text(report(material, answers, versions()), encoding="utf-8")
    return Study(folder, plan, answers)


def _plan(
    graph: HeteroData,
    questions: Sequence[int],
    learners: Sequence[str] | None,
    seeds: tuple[int, ...],
    groups: Sequence[str] | None,
    quick: bool,
    settings: Mapping[str, Any],
) -> StudyPlan:
    unknown = [number for number in questions if number not in QUESTIONS]
    if unknown or not questions:
        raise InputError(f"study: expected questions of {', '.join(map(str, QUESTIONS))}, got {list(questions)}")
    names = list(learners) if learners is not None else [*(QUICK_LEARNERS if quick else FULL_LEARNERS), *BASELINES]
    contenders: list[Contender] = [read_contender(name) for name in dict.fromkeys([*names, "concat", "boosting"])]
    declared = list(dict(graph["patient"].get("groups") or {}))
    wanted = declared if groups is None else list(groups)
    missing = [name for name in wanted if name not in declared]
    if missing:
        raise InputError(f"study: no group {missing[0]!r} in the graph; it has {', '.join(declared) or 'none'}")
    given = {**(QUICK_SETTINGS if quick else {}), **settings}
    TrainConfig.from_settings(dict(given))
    return StudyPlan(
        contenders=tuple(contenders),
        modalities=tuple(graph.schema.names),
        seeds=seeds,
        questions=tuple(sorted(set(questions))),
        groups=tuple(wanted),
        patients=QUICK_PATIENTS if quick else None,
        settings=given,
        data=content_hash(graph),
    )


def _write_plan(folder: Path, plan: StudyPlan) -> None:
    file = folder / PLAN
    if file.is_file():
        try:
            stored = json.loads(file.read_text(encoding="utf-8"))["hash"]
        except (ValueError, KeyError, TypeError):
            raise InputError(f"{file}: damaged; name another folder") from None
        if stored != plan.hash:
            raise InputError(
                f"{folder}: holds a study with another plan ({stored[:8]}, not {plan.hash[:8]}): other questions, "
                "learners, seeds, settings or data; name another folder"
            )
        return
    with atomic_file(file) as temporary:
        told = {"hash": plan.hash, "written": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), **plan.to_dict()}
        temporary.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def _fit(folder: Path, plan: StudyPlan, cases: Sequence[Case], first: HeteroData, tell: Callable[[str], None]) -> None:
    log = FitLog(folder / FITS, {"plan": plan.hash})
    done = {(line["learner"], line["seed"]) for line in read_facts(folder / FITS)}
    waiting = [
        (case, each)
        for case in cases
        for each in plan.fits
        if (each.name, case.seed) not in done or not file_of(folder, each, case.seed).is_file()
    ]
    graph, made, start = first, cases[0].seed, time.monotonic()
    for number, (case, contender) in enumerate(waiting):
        if case.seed != made:
            graph, made = case.make(), case.seed
        part = limited(graph, plan.patients, case.seed)
        left = (time.monotonic() - start) / number * (len(waiting) - number) / 60 if number else math.nan
        about = f", about {math.ceil(left)} min left" if number else ""
        tell(f"fit {number + 1} of {len(waiting)}: {contender.name}, seed {case.seed}{about}")
        facts = fit_contender(
            part, contender, case.seed, plan.conditions, dict(plan.settings or {}), plan.sensitivity, folder
        )
        log.append([facts])


def limited(graph: HeteroData, most: int | None, seed: int) -> HeteroData:
    """The graph with at most so many patients in its splits; whole subjects are drawn, the others take no part."""
    names = np.asarray(graph["patient"].split, dtype=object)
    used = np.isin(names, ["train", "tuning", "test"])
    if most is None or used.sum() <= most:
        return graph
    subjects = np.asarray(graph["patient"].subject, dtype=str)
    order = np.random.default_rng(seed).permutation(np.unique(subjects[used]))
    rank = dict(zip(order.tolist(), range(len(order)), strict=True))
    place = np.array([rank.get(own, len(order)) for own in subjects])
    counts = np.cumsum(np.bincount(place[used], minlength=len(order)))
    kept = used & (place < np.searchsorted(counts, most, side="right"))
    made = graph.clone()
    made["patient"].split = [str(name) if keep else "left out" for name, keep in zip(names, kept, strict=True)]
    return made


def _seeds(seeds: int | Sequence[int]) -> tuple[int, ...]:
    if isinstance(seeds, int):
        if isinstance(seeds, bool) or seeds < 1:
            raise InputError(f"study: expected at least one seed, got {seeds}")
        return tuple(range(seeds))
    found = tuple(checked(each, int, "study: seed") for each in seeds)
    if not found or len(set(found)) < len(found):
        raise InputError(f"study: expected different seeds, got {list(seeds)}")
    return found
