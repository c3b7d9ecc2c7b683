"""Runs a study: writes the plan, fits what is missing, and answers from the predictions on disk."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch_geometric.data import HeteroData

from gdsfd.atomic_write import atomic_file
from gdsfd.comparison.cluster import check_cluster
from gdsfd.comparison.designs import Source
from gdsfd.comparison.fit_log import plain
from gdsfd.errors import InputError
from gdsfd.fusion_study.answer import Answer, Material
from gdsfd.fusion_study.conditions import check_condition, mechanisms_of
from gdsfd.fusion_study.contenders import Contender, read_contender
from gdsfd.fusion_study.contexts import contexts
from gdsfd.fusion_study.figures_table import figures_of, mean_over_targets, patients_of, read_facts, read_predictions
from gdsfd.fusion_study.fitting import fit_missing
from gdsfd.fusion_study.measured import chances
from gdsfd.fusion_study.plan import BASELINES, FULL_LEARNERS, QUESTIONS, QUICK_LEARNERS, StudyPlan
from gdsfd.fusion_study.questions import ANSWERS
from gdsfd.fusion_study.report import report
from gdsfd.fusion_study.retrained import SHARES
from gdsfd.graph.content_hash import content_hash
from gdsfd.graph.loader import rows_of
from gdsfd.process_lock import process_lock
from gdsfd.setting_checks import checked
from gdsfd.training.config import TrainConfig
from gdsfd.training.over_ranks_checks import check_one_process
from gdsfd.training.plan import jobs_that_suit
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
    folds: int | None = None,
    leave_out_environments: bool = False,
    conditions: Sequence[str] = (),
    train_conditions: Sequence[str] = (),
    retrain: Sequence[str] | None = None,
    details: bool | None = None,
    quick: bool = False,
    jobs: int | None = 1,
    cluster: str | None = None,
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
        folds: Of a subject-grouped cross-validation, for each seed; default: every seed draws one split.
        leave_out_environments: Whether every learner is also judged on each environment after training on the others.
        conditions: Of test patients, beside those that every study asks
            (:mod:`gdsfd.fusion_study.conditions`): ``"hidden in ill 0.8: imaging"``.
        train_conditions: Of training patients: each costs a further fit of every learner. ``"dropout 0.5"`` hides
            observations anew in every step.
        retrain: Learners that are trained under them; default: all.
        details: Whether question 1 also retrains on every set of modalities (above four: hides them from one network),
            on fewer patients, and with each modality dealt out anew between patients; default: not with ``quick``,
            which has one such placebo.
        quick: 5 learners, 3 seeds, at most 2,000 patients, 15 epochs.
        jobs: Fits at once, each in a process with one thread. None = as many as there are threads, at most 4, on a CPU
            and below 10,000 training patients.
        cluster: Address of a Dask scheduler on whose workers fits are made, instead of processes here.
        on_fit: Told, in words, before each fit, with how long the rest will take.
        **settings: Training settings of all learners.

    Raises:
        InputError: An unknown question, learner, group or setting; ``out`` holds another study, or something else.
    """
    if isinstance(jobs, bool) or (jobs is not None and jobs < 1):
        raise InputError(f"study: jobs: expected at least 1, got {jobs}")
    if cluster is not None:
        jobs = 1 if jobs is None else jobs
        check_cluster(cluster, jobs)
    folder, tell = Path(out), on_fit or (lambda words: None)
    numbers = _seeds(seeds if seeds is not None else (3 if quick else 5))
    cases = contexts(source, numbers, folds, leave_out_environments)
    first = cases[0].make()
    if first.schema.survival is not None:
        raise InputError(
            f"study: the outcome {first.schema.survival.name!r} is a time to an event; the study's questions are about "
            "labels. Derive whether the event happened by some time in [cohort], or use gdsfd train and gdsfd evaluate"
        )
    plan = _plan(first, questions, learners, groups, quick, settings)
    plan = replace(
        plan,
        seeds=tuple(dict.fromkeys(case.seed for case in cases)),
        folds=folds,
        environments=leave_out_environments,
        **_of_question_1(plan, not quick if details is None else details),
        **_of_question_3(first, plan, conditions, train_conditions, retrain),
    )
    if folder.exists() and any(folder.iterdir()) and not (folder / PLAN).is_file():
        raise InputError(f"{folder}: holds something other than a study; name another folder")
    folder.mkdir(parents=True, exist_ok=True)
    with process_lock(folder.resolve().parent / f".{folder.resolve().name}.studying", f"{folder}: another study runs"):
        _write_plan(folder, plan)
        if not (folder / PATIENTS).is_file():
            facts = patients_of(first)
            if 1 in plan.questions:
                tell("who has what, by what everybody has")
                facts = facts.assign(**{f"chance:{name}": own for name, own in chances(first).items()})
            with atomic_file(folder / PATIENTS) as temporary:
                facts.to_parquet(temporary, index=False)
        if jobs is None:
            fits, train_patients = len(cases) * len(plan.contenders), rows_of(first, "train").numel()
            jobs = jobs_that_suit(fits, train_patients, settings.get("accelerator", "auto"), torch.get_num_threads())
        fit_missing(folder, plan, folder / FITS, cases, first, jobs, tell, cluster)
        tell("answers")
        return answer_study(folder, plan)


def answer_study(folder: Path, plan: StudyPlan) -> Study:
    """Answers from what is on disk, and writes tables, figures, ``answers.json`` and the report."""
    import pandas as pd

    facts = read_facts(folder / FITS)
    holdouts = list(dict.fromkeys(each["holdout"] for each in facts if each.get("holdout") is not None))
    predictions = read_predictions(folder, plan.fits, plan.seeds)
    figures = figures_of(predictions)
    material = Material(
        plan,
        predictions,
        figures,
        mean_over_targets(figures),
        pd.read_parquet(folder / PATIENTS),
        [each for each in facts if each.get("holdout") is None],
        read_predictions(folder, plan.contenders, plan.seeds, holdouts) if holdouts else None,
        [each for each in facts if each.get("holdout") is not None],
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
    check_one_process(TrainConfig.from_settings(dict(given)))
    return StudyPlan(
        contenders=tuple(contenders),
        modalities=tuple(graph.schema.names),
        seeds=(),
        questions=tuple(sorted(set(questions))),
        groups=tuple(wanted),
        patients=QUICK_PATIENTS if quick else None,
        settings=given,
        data=content_hash(graph),
    )


def _of_question_1(plan: StudyPlan, details: bool) -> dict[str, Any]:
    """What question 1 retrains; without details only one placebo, of the last modality."""
    if 1 not in plan.questions or len(plan.modalities) < 2:
        return {}
    if not details:
        return {"placebos": plan.modalities[-1:]}
    return {"shares": SHARES, "every_set": True, "placebos": plan.modalities}


def _of_question_3(
    graph: HeteroData,
    plan: StudyPlan,
    conditions: Sequence[str],
    train_conditions: Sequence[str],
    retrain: Sequence[str] | None,
) -> dict[str, Any]:
    """Conditions of test patients and of training: those that every study of question 3 asks, and those asked for."""
    names = [each.name for each in plan.contenders]
    unknown = [name for name in retrain or () if name not in names]
    if unknown:
        raise InputError(f"study: {unknown[0]!r} cannot be trained again: it is not among {', '.join(names)}")
    for condition in (*conditions, *(each.replace("dropout ", "random ", 1) for each in train_conditions)):
        check_condition(graph, condition)
    if 3 not in plan.questions:
        if conditions or train_conditions:
            raise InputError("study: conditions belong to question 3, which is not asked")
        return {}
    return {
        "mechanisms": (*mechanisms_of(graph), *conditions),
        "train_conditions": tuple(train_conditions),
        "retrained": tuple((retrain or names) if train_conditions else ()),
    }


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


def _seeds(seeds: int | Sequence[int]) -> tuple[int, ...]:
    if isinstance(seeds, int):
        if isinstance(seeds, bool) or seeds < 1:
            raise InputError(f"study: expected at least one seed, got {seeds}")
        return tuple(range(seeds))
    found = tuple(checked(each, int, "study: seed") for each in seeds)
    if not found or len(set(found)) < len(found):
        raise InputError(f"study: expected different seeds, got {list(seeds)}")
    return found
