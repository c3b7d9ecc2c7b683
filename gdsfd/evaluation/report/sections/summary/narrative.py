"""The report's summary in plain language, made from its figures by fixed rules.

No sentence here is a judgement of taste: each follows from a figure and its interval, and an interval that holds "no
difference" is always said to. A sentence never claims what the figures cannot show.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gdsfd.cohort.schema import CohortSchema
from gdsfd.evaluation.assess import SplitResult
from gdsfd.evaluation.config import EvaluationConfig
from gdsfd.evaluation.metrics.estimate import Estimate
from gdsfd.evaluation.metrics.metric_set import MetricSet
from gdsfd.evaluation.population import JudgedPopulation
from gdsfd.evaluation.report.numbers import count, interval, number, per_hundred, percent, spelled
from gdsfd.evaluation.report.section import Paragraph
from gdsfd.evaluation.report.sections.summary.outcome_share import share_sentences
from gdsfd.evaluation.report.sections.summary.subgroup_findings import subgroup_findings
from gdsfd.evaluation.report.tables import prevalence

__all__ = ["plain_summary"]


def plain_summary(
    results: list[SplitResult],
    labels: Mapping[str, str],
    schema: CohortSchema,
    rules: EvaluationConfig,
    population: JudgedPopulation | None = None,
) -> list[Paragraph]:
    """The summary, paragraph by paragraph.

    Args:
        results: One per split; the first is the headline.
        labels: Model -> what it is called.
        schema: The graph's schema.
        rules: How figures were made.
        population: Whose patients the headline's are, if known.
    """
    first = results[0]
    paragraphs = [
        Paragraph("What was predicted, and for whom", _whom(first, schema, population)),
        Paragraph("How well it ranks patients", _ranking(first, schema, population)),
    ]
    if first.differences:
        paragraphs.append(Paragraph("Against simpler models", " ".join(_against(first, labels, rules))))
    said = [*_calibration(first), *share_sentences(first, population)]
    paragraphs.append(Paragraph("Whether its risks can be taken at face value", " ".join(said)))
    threshold = _threshold(first, rules)
    if threshold:
        paragraphs.append(Paragraph("What a decision threshold would do", threshold))
    paragraphs.append(Paragraph("Where it does worse", subgroup_findings(first, rules)))
    if len(results) > 1:
        paragraphs.append(Paragraph("On the other evaluation sets", " ".join(_elsewhere(results))))
    paragraphs.append(Paragraph("What may not be concluded", " ".join(_limits(first, schema, population))))
    return paragraphs


def _whom(result: SplitResult, schema: CohortSchema, population: JudgedPopulation | None) -> str:
    scored = result.model.overall
    outcome = schema.outcomes[0]
    if schema.multiclass:
        what = f"a probability for every class of {spelled(outcome.name)}: {', '.join(outcome.classes)}"
    elif len(schema.outcomes) == 1:
        what = f"a probability of {spelled(outcome.name)} ({outcome.column} = {outcome.classes[-1]})"
    elif schema.survival is not None:
        what = (
            f"a curve of the time to {spelled(schema.survival.name)}, made of the hazards of {len(result.names)} "
            "intervals. What follows is about these hazards, each among the patients at risk when its interval began"
        )
    else:
        what = f"one probability for each of {len(schema.outcomes)} outcomes: {', '.join(result.names)}"
    people = "" if result.subjects == result.n else f" ({count(result.subjects, 'person', 'persons')})"
    judged = f"{scored.n:,} of " if scored.n < result.n else ""
    known = ": those whose outcome is known" if judged else ""
    whom = f"{judged}the {count(result.n, 'patient')}{people} of the split “{result.split}”"
    if population is not None and population.kind == "new":
        whom = f"{judged}{count(result.n, 'patient')}{people} of another cohort than the one it was trained on"
    elif population is not None and population.kind in ("training", "tuning"):
        use = "it was trained on" if population.kind == "training" else "its epoch and threshold were chosen on"
        whom = f"{judged}the {count(result.n, 'patient')}{people} that {use}, and not on others"
    text = f"The model gives each patient {what}. It was judged on {whom}{known}."
    if len(result.names) == 1:
        share = f", {percent(prevalence(scored))}" if scored.n else ""
        text += f" {scored.positives:,} of {scored.n:,} had the outcome{share}"
        unlabelled = result.n - scored.n
        if not unlabelled:
            return text + "."
        verb = "is" if unlabelled == 1 else "are"
        return f"{text}; {count(unlabelled, 'patient')} without a known outcome {verb} left out."
    own = outcome.classes if schema.multiclass else result.names
    targets = result.model.targets
    known = "" if len({one.n for one in targets}) == 1 else " of {n:,} labelled"
    rates = [f"{name} {percent(prevalence(one))}{known.format(n=one.n)}" for name, one in zip(own, targets)]
    text += f" How common each is: {', '.join(rates)}."
    absent = [name for name, found in zip(own, result.names) if found not in scored.mean_of]
    if absent:
        text += (
            f" Means over targets are taken over {len(scored.mean_of)} of {len(own)}, for every model: of "
            f"{', '.join(absent)} there is one answer only."
        )
    return text


#: AUROC from which a word applies, to the point estimate.
_FAR, _TIMES = 0.1, 2.0  #: what is far off between predicted and observed risks: a difference, a ratio
_GRADES = ((0.9, "very good"), (0.8, "good"), (0.7, "moderate"), (0.6, "weak"), (0.0, "hardly better than chance"))


def _ranking(result: SplitResult, schema: CohortSchema, population: JudgedPopulation | None) -> str:
    overall = result.model.overall
    auroc, auprc = overall["auroc"], overall["auprc"]
    if not auroc.defined:
        return f"This cannot be said: {auroc.reason}."
    single = len(result.names) == 1
    if single:
        text = (
            f"Take one patient who had the outcome and one who did not: in {per_hundred(auroc.value)} of 100 such "
            f"pairs the model gives the first the higher risk; a coin would manage 50. AUROC is {interval(auroc)}."
        )
    else:
        kind = "class against the rest" if schema.multiclass else "outcome"
        over = len(overall.mean_of)
        which = f"{over} targets" if over == len(result.names) else f"{over} of {len(result.names)} targets"
        text = f"AUROC is {interval(auroc)} on average over {which} (each {kind})."
    if not auroc.has_interval:
        text += f" How far that can be trusted cannot be said ({auroc.reason or 'no interval'})."
    elif auroc.high < 0.5:
        text += " That is worse than a coin: what it learned points the wrong way here."
        if population is not None and population.kind == "new":
            text += (
                f" Before anything else see whether {'values' if single else 'classes and columns'} of the outcome "
                f"mean here what they meant in training ({_as_read(schema)}); exchanged, they look like this."
            )
    elif auroc.low <= 0.5:
        text += " The interval includes 0.5: better than chance is not shown."
    else:
        text += f" By a common rule of thumb that is {next(word for low, word in _GRADES if auroc.value >= low)}."
    if single and auprc.defined:
        text += (
            f" Average precision is {interval(auprc)}, where a score that knows nothing would reach "
            f"{number(prevalence(overall))}, the share of patients with the outcome."
        )
    if "accuracy" in overall.estimates and overall["accuracy"].defined:
        share = interval(overall["accuracy"], as_percent=True)
        text += f" The most probable class is the right one in {share} of patients."
    return text


def _as_read(schema: CohortSchema) -> str:
    """The classes as this cohort's were read."""
    if schema.multiclass:
        return f"{schema.outcomes[0].column}: {', '.join(map(spelled, schema.outcomes[0].classes))}"
    return "; ".join(f"{one.column} = {one.classes[-1]} counts as {spelled(one.name)}" for one in schema.outcomes[:5])


def _against(result: SplitResult, labels: Mapping[str, str], rules: EvaluationConfig) -> Iterator[str]:
    better, not_better = [], []
    for other, figures in result.differences.items():
        name, gain = labels.get(other, other), figures["auroc"]
        if not gain.defined:
            yield f"A comparison with {name} cannot be made: {gain.reason}."
            continue
        shown = number(gain.value, signed=True)
        if not gain.has_interval:
            why = f" ({gain.reason})" if gain.reason else ""
            yield f"By AUROC it differs from {name} by {shown}, without an interval to judge that by{why}."
            continue
        ends = f"{_level(rules)} interval {number(gain.low, signed=True)} to {number(gain.high, signed=True)}"
        if gain.low > 0:
            better.append(name)
            yield f"By AUROC it is better than {name} by {number(gain.value)} ({ends})."
        elif gain.high < 0:
            not_better.append(name)
            ends = f"{_level(rules)} interval {number(-gain.high)} to {number(-gain.low)}"
            yield f"By AUROC it is worse than {name} by {number(-gain.value)} ({ends})."
        else:
            not_better.append(name)
            yield (
                f"It is not shown to rank better than {name}: the difference in AUROC is {shown} ({ends}), so there "
                "may be none."
            )
    if not_better and not better:
        listed = " or ".join(not_better)
        yield f"These figures give no reason to prefer it to {listed}, which had the same patients and information."


def _level(rules: EvaluationConfig) -> str:
    return percent(rules.level, 0)


def _calibration(result: SplitResult) -> Iterator[str]:
    if len(result.names) > 1:
        off = [name for name, one in zip(result.names, result.model.targets) if _miscalibrated(one)]
        if off:
            yield (
                f"For {len(off)} of {len(result.names)} targets predicted and observed risks differ by more than "
                f"chance allows: {', '.join(off)}."
            )
        else:
            yield "For no target do predicted and observed risks differ by more than chance allows."
        return
    scored = result.model.overall
    error, chance, gap = scored["ece"], scored["ece_by_chance"], scored["calibration_gap"]
    slope = scored["calibration_slope"]
    if not error.defined:
        yield f"This cannot be said: {error.reason}."
        return
    observed = prevalence(scored)
    faults = []
    far = _far_off(gap, observed)
    if gap.has_interval and gap.low > 0:
        faults.append(f"Risks are {'much ' if far else ''}too high overall.")
    elif gap.has_interval and gap.high < 0:
        faults.append(f"Risks are {'much ' if far else ''}too low overall.")
    turned = slope.has_interval and slope.high < 0
    if turned:
        faults.append(
            f"The higher the risk, the fewer have the outcome (slope {interval(slope)}, ideally 1): find out why "
            "before anything is done with them."
        )
    elif slope.has_interval and slope.high < 1:
        faults.append(
            f"They are too extreme: high ones overstated, low ones understated (slope {interval(slope)}, ideally 1)."
        )
    elif slope.has_interval and slope.low > 1:
        faults.append(f"They are too cautious: too close to the average (slope {interval(slope)}, ideally 1).")
    miscalibrated = _miscalibrated(scored)
    far |= miscalibrated and error.value - chance.value >= _FAR
    answer = "Not quite" if miscalibrated or faults else "As far as these patients can tell, yes"
    answer = "No" if far else answer
    yield (
        f"{answer}: predicted and observed risks differ by {error.value * 100:.1f} percentage points on average, "
        f"{'more than' if miscalibrated else 'within'} the {chance.value * 100:.1f} that chance would allow a "
        "perfectly calibrated model here."
    )
    yield f"The average predicted risk is {percent(observed + gap.value)}; {percent(observed)} had the outcome."
    yield from faults
    if far and not turned:
        yield "Recalibrate them on patients of this kind before they are read as risks, or a threshold is set by them."


def _far_off(gap: Estimate, observed: float) -> bool:
    """Whether average predicted and observed risk differ by ten percentage points or a factor of two, by no chance."""
    if not gap.has_interval or gap.low <= 0 <= gap.high:
        return False
    predicted = observed + gap.value
    return abs(gap.value) >= _FAR or max(predicted, observed) >= _TIMES * min(predicted, observed)


def _miscalibrated(scored: MetricSet) -> bool:
    return scored["ece"].defined and scored["ece"].value > scored["ece_by_chance"].value


def _threshold(result: SplitResult, rules: EvaluationConfig) -> str:
    if len(result.names) > 1:
        return ""
    point, scored = result.model.points[0], result.model.overall
    if point.reason:
        return f"This cannot be said: {point.reason}."
    if not scored["tpr"].defined:
        return f"This cannot be said: {scored['tpr'].reason}."
    text = (
        f"A threshold of {percent(point.threshold)} was fixed beforehand, on the tuning patients, as the highest that "
        f"finds {percent(rules.sensitivity, 0)} of those with the outcome. Here it would flag "
        f"{per_hundred(scored['flagged'].value)} of 100 patients and find {per_hundred(scored['tpr'].value)} of 100 "
        f"who had the outcome ({_ends(scored['tpr'])})"
    )
    ppv = scored["ppv"]
    return text + (f"; of 100 flagged, {per_hundred(ppv.value)} had it ({_ends(ppv)})." if ppv.defined else ".")


def _ends(estimate: Estimate) -> str:
    return f"{per_hundred(estimate.low)} to {per_hundred(estimate.high)}" if estimate.has_interval else "no interval"


def _elsewhere(results: list[SplitResult]) -> Iterator[str]:
    first = results[0]
    here = first.model.overall["auroc"]
    for other in results[1:]:
        there = other.model.overall["auroc"]
        if not there.defined:
            yield f"On “{other.split}”: no figure ({there.reason})."
            continue
        judged = count(other.model.overall.n, "labelled patient")
        text = f"On “{other.split}” ({judged}) AUROC is {interval(there)}"
        if there.has_interval and there.high < 0.5:
            yield f"{text}: worse than a coin, so what it learned points the wrong way there."
        elif not (here.has_interval and there.has_interval):
            yield f"{text}; without two intervals the sets cannot be compared."
        elif there.high < here.low:
            yield f"{text}, clearly lower than on “{first.split}”."
        elif there.low > here.high:
            yield f"{text}, clearly higher than on “{first.split}”."
        else:
            yield f"{text}; the intervals of the two sets overlap."


def _limits(result: SplitResult, schema: CohortSchema, population: JudgedPopulation | None) -> Iterator[str]:
    counts = [(one.positives or 0, one.n) for one in result.model.targets]
    fewest = min((min(positives, n - positives) for positives, n in counts), default=0)
    if fewest < 100:
        seen = "in one patient" if fewest == 1 else f"in {fewest} patients"
        yield f"The rarer answer was seen {seen} only, so differences of a few points are within the noise."
    new = population is not None and population.kind == "new"
    yield (
        f"These are past patients of the places in {'one other' if new else 'this'} cohort; "
        f"{'further' if new else 'other'} hospitals, later years and other ways of recording may give other figures."
    )
    if schema.environment is not None and not new:
        where = schema.environment.replace("+", " and ")
        yield f"Unless the split holds whole ones out, patients of the same {where} stood in training."
    yield (
        "A risk that predicts well is not a cause: nothing here says that changing a measured value changes the "
        "outcome. Whether using the model would help anybody has not been studied."
    )
