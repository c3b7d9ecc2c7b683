"""``gdsfd.evaluate``: judges a model on patients it has not seen, beside its baselines."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from gdsfd.baselines.baseline import BASELINES, fitted_with_every_model
from gdsfd.cohort.schema import CohortSchema
from gdsfd.errors import InputError
from gdsfd.evaluation.assess import ProbabilisticModel, assess, check_judgeable
from gdsfd.evaluation.config import EvaluationConfig
from gdsfd.evaluation.metrics.metric import Metric, metrics_beside_built_in
from gdsfd.evaluation.population import TrainingPatientsRule, check_rivals, whom_to_judge
from gdsfd.evaluation.report.fixed_settings import fixed_points, fixed_settings
from gdsfd.evaluation.report.report import FORMAT, Report
from gdsfd.evaluation.report.section import PAGE, SectionContext, sections_of_page
from gdsfd.evaluation.report.sections.population import same_values_warning
from gdsfd.evaluation.report.tables import metrics_of
from gdsfd.evaluation.survival.judge_survival import judge_splits
from gdsfd.graph.check_graph import check_graph, check_subjects, check_values
from gdsfd.progress_bar import progress_bar
from gdsfd.simulation.truth import Truth
from gdsfd.training.run_record.training_patients import is_new
from gdsfd.training.schema_check import check_outcomes

__all__ = ["evaluate"]

_log = logging.getLogger(__name__)

#: What files call the model judged.
MODEL = "model"


def evaluate(
    model: ProbabilisticModel,
    graph: Any,
    split: str | Sequence[str] | None = None,
    *,
    baselines: bool | Mapping[str, ProbabilisticModel] = True,
    resamples: int = 1000,
    seed: int = 0,
    level: float = 0.95,
    sensitivity: float = 0.8,
    min_patients: int = 30,
    min_positives: int = 5,
    metrics: Sequence[str | Metric] | None = None,
    probes: bool = True,
    truth: Truth | None = None,
    progress: bool | None = None,
    training_patients: TrainingPatientsRule = "refuse",
) -> Report:
    """Judges a model on patients it has not seen: held out of its own cohort, or all patients of another one.

    Gradient boosting and logistic regression, fitted on the same training rows, flattened, stand beside it. Nothing is
    fitted or chosen on the rows judged: thresholds, recalibration and baselines are those that were fixed when the
    model was trained, and stored with it. Intervals resample subjects.
    Of a model trained with debiasing the report also says whether that helped: its two networks side by side, and what
    can be read from their codes (:func:`~gdsfd.evaluation.diagnostics.probes.probe_streams`). Of one that averages over
    strata it says which there are and how predictions move by that
    (:func:`~gdsfd.evaluation.report.sections.strata.strata.judge_strata`).

    Args:
        model: Anything with ``predict_proba(graph, split=...)``.
        graph: The graph.
        split: A split's name, or several; the first is the headline. Default: ``test`` of the cohort that the model was
            trained on; of new patients (``build_graph(..., like=model)``) all, as the split ``new``.
        baselines: True takes the baselines that were fitted with the model, or fits them where the model keeps none
            and the graph has the training patients; False leaves them out; a mapping of names to fitted models compares
            with those instead.
        resamples: Bootstrap resamples of subjects, up to 100,000; 0 for no intervals.
        seed: Of the resamples, and of baselines that are fitted here; from 0 to 4,294,967,295.
        level: Coverage of the intervals, above 0 and below 1.
        sensitivity: The threshold is the highest that finds this share of the tuning positives, above 0 and below 1.
        min_patients: Slices of fewer labelled patients get a reason instead of figures; from 1 to 1,000,000,000.
        min_positives: Likewise fewer positives, or negatives, for ranking figures.
        metrics: Further metrics beside the built-in ones: names of registered ones, or
            :class:`~gdsfd.evaluation.metrics.metric.Metric`; default: all that plug-ins have registered.
        probes: Whether to probe the codes of a debiased model.
        truth: Of a simulated cohort (:func:`gdsfd.simulation.truth.load_truth`): the probes then also ask for what is
            true, and the streams' columns are compared with the true ones.
        progress: Whether to show a progress bar; None: on a terminal only.
        training_patients: What to do with patients whom the model has seen in training, recognised by hashes of their
            ids, in a split that is not ``train`` or ``tuning``: ``"refuse"``, ``"drop"`` them, or judge them as
            ``"other people"`` who happen to have the same ids.

    Returns:
        The report.

    Raises:
        InputError: The model or the graph is something else, a split is not in the graph, the model, or one beside it,
            has seen some of its patients, a person stands in several splits of one cohort, the model's answer has a
            wrong shape or holds no probabilities, or an option is out of range.
    """
    check_judgeable(model, graph)
    check_graph(graph)
    check_values(graph)
    for name, rival in (baselines if isinstance(baselines, Mapping) else {}).items():
        check_judgeable(rival, graph, f"baselines: {name!r}: ")
    further = metrics_beside_built_in(metrics)
    rules = EvaluationConfig(resamples, seed, level, sensitivity, min_patients, min_positives, metrics=further)
    trained_on = getattr(model, "schema", None)
    if isinstance(trained_on, CohortSchema):
        check_outcomes(trained_on, graph.schema)
    judged = whom_to_judge(model, graph, split, training_patients)
    check_rivals(judged, baselines if isinstance(baselines, Mapping) else {}, training_patients)
    if not is_new(graph):  # whom a model has seen is told first, by its own record
        check_subjects(graph)
    for population in judged.populations:
        if warning := same_values_warning(population):
            _log.warning("split %r: %s", population.split, warning)
    graph, splits, record = judged.graph, judged.splits, getattr(model, "record", None)
    stored = dict(record.baselines) if baselines is True and record is not None else {}
    unfitted = baselines is True and not stored
    why = ""
    if unfitted and not judged.own and hasattr(model, "record"):
        why = record.no_baselines if record is not None else "the run keeps none, as it was trained by an earlier gdsfd"
        why += "; they cannot be fitted on new patients. Train the model anew to have them"
        unfitted = False
    fresh = [(key, BASELINES.find(key)(seed)) for key in fitted_with_every_model()] if unfitted else []
    given = dict(baselines) if isinstance(baselines, Mapping) else {}
    if MODEL in given:
        raise InputError(f"baselines: the name {MODEL!r} is taken by the model judged; choose another")
    sections = sections_of_page()
    judgings = len(splits) * len({MODEL, *stored, *given, *(name for name, _ in fresh)})
    with progress_bar("evaluating", len(fresh) + 1 + judgings + len(sections), "step", progress) as bar:
        models: dict[str, ProbabilisticModel] = {MODEL: model}
        for name, baseline in fresh:
            bar.set_description(f"fitting {baseline.name}")
            models[name] = baseline.fit(graph)
            bar.update()
        models |= stored | given
        bar.set_description("fixing thresholds on tuning rows")
        points = fixed_points(judged, models, rules, record)
        bar.update()
        results = []
        for name in splits:
            bar.set_description(f"judging split {name}")
            results.append(assess(graph, models, points, name, rules, bar.update))
        described = {name: _description(one) for name, one in models.items()}
        labels = {name: name if name in given else _label(name, one, described[name]) for name, one in models.items()}
        kept = list(record.baselines.values()) if record is not None else []
        others = [name for name, one in given.items() if not any(one is each for each in kept)]
        rivals = [labels[name] for name in models if name not in (MODEL, *others)]
        fixed = tuple(fixed_settings(model, judged, points[MODEL], rivals, record, why))
        context = SectionContext(
            model, graph, splits, rules, tuple(results), labels, judged.populations, record, truth, probes, fixed,
            described, judge_splits(graph, splits, models, rules),
        )  # fmt: skip
        found = {}
        for name, section in sections.items():
            bar.set_description(f"looking at {name}")
            data = section.judge(context)
            if data is not None:
                found[name] = data
            bar.update()
    figures = metrics_of(results, graph.schema, rules, FORMAT)
    figures["labels"] = labels
    for name in sorted(found, key=lambda name: name not in PAGE):  # so it is one's own that is told of a taken name
        _merge(figures, sections[name].to_dict(found[name]), name)
    return Report(figures, results, labels, graph.schema, rules, found)


def _merge(whole: dict[str, Any], part: Mapping[str, Any], section: str) -> None:
    """Adds what a section says to the figures.

    Raises:
        InputError: Something else stands there under the same name.
    """
    for name, value in part.items():
        if isinstance(value, Mapping) and isinstance(whole.get(name), dict):
            _merge(whole[name], value, section)
        elif name in whole:
            raise InputError(
                f"report section {section!r}: metrics.json has another {name!r}; choose another name for it"
            )
        else:
            whole[name] = value


def _description(model: ProbabilisticModel) -> dict[str, Any]:
    describe = getattr(model, "describe", None)
    return dict(describe()) if callable(describe) else {}


def _label(key: str, model: ProbabilisticModel, described: Mapping[str, Any]) -> str:
    """What tables call a model: its backbone and debiasing, its own name, or its key."""
    if isinstance(described.get("backbone"), str):
        debias = described.get("debias", "none")
        return described["backbone"] if debias == "none" else f"{described['backbone']} + {debias}{_network(model)}"
    name = getattr(model, "name", None)
    return name if isinstance(name, str) and name else key


def _network(model: Any) -> str:
    """Which network stands behind the name of a debiased model, where it is not the one the name promises."""
    guard, choice = getattr(model, "guard", None), getattr(model, "choice", None)
    if guard is None:
        return ""
    if choice == "reference":
        return " (declined: ERM)" if guard.choice == "reference" else " (set by hand: ERM)"
    return " (forced)" if guard.choice == "reference" else ""
