"""What a report says of strata in plain language, by fixed rules from its figures."""

from __future__ import annotations

import math
from collections.abc import Iterator

from gdsfd.cohort.schema import CohortSchema
from gdsfd.evaluation.report.numbers import count, number, percent, spelled
from gdsfd.evaluation.report.section import Paragraph
from gdsfd.evaluation.report.sections.strata.movement import Movement, SubgroupShift
from gdsfd.evaluation.report.sections.strata.strata import SplitStrata, Strata
from gdsfd.evaluation.subgroups.slices import kind_word

__all__ = ["points", "strata_narrative", "subgroup_label"]

#: Mean changes below this are not worth a sentence on who.
SMALL = 0.001

PLACEBO_WORDS = {
    "shuffled": "The strata of this model are a placebo: in training they were dealt out among patients, for "
    "comparison only.",
}


def points(change: float, digits: int = 1) -> str:
    """A change of a probability in percentage points.

    Example:
        >>> points(-0.0312), points(0.004)
        ('−3.1', '+0.4')
    """
    return number(change * 100, digits, signed=True)


def subgroup_label(one: SubgroupShift, schema: CohortSchema) -> str:
    """Who a subgroup is.

    Example:
        >>> subgroup_label(SubgroupShift("group: sex", "F", 9, 0.2, 0.2, 0.0, 0.0, 0.0, 0.0, 0.0), CohortSchema((), ()))
        'sex: F'
    """
    name = one.name
    if one.kind == "risk":
        return f"{name} of predicted risk"
    if one.kind == "modality":
        return spelled(name)
    if one.kind == "environment":
        word = spelled(schema.environment).replace("+", " and ") if schema.environment else "environment"
        return f"{word}: {name}"
    if one.kind == "pattern":
        return f"{name} patterns together" if one.pooled else f"pattern: {spelled(name)}"
    return f"{spelled(kind_word(one.kind))}: {name}"


def strata_narrative(found: Strata, schema: CohortSchema, level: float) -> list[Paragraph]:
    """The section's sentences.

    Args:
        found: Its figures.
        schema: The graph's schema.
        level: Coverage of the intervals.
    """
    paragraphs = [Paragraph("What is averaged", " ".join(_what(found, schema)))]
    if not found.fitted:
        return paragraphs
    first = found.splits[0]
    paragraphs.append(Paragraph("How far predictions move", " ".join(_moves(first))))
    paragraphs.append(Paragraph("For whom", " ".join(_whom(first, schema))))
    paragraphs.append(Paragraph("Which ranks better", " ".join(_ranks(found, level))))
    paragraphs.append(Paragraph("When this is wrong", " ".join(_wrong(found))))
    return paragraphs


def _what(found: Strata, schema: CohortSchema) -> Iterator[str]:
    if not found.fitted:
        yield (
            "This model was to average over strata of training patients, but the epoch that was kept came before "
            "strata were formed, so nothing was averaged and nothing adjusted for. Train for more epochs."
        )
        return
    strata = found.tables[0].strata
    one = "one stratum" if len(strata) == 1 else f"{len(strata)} strata"
    parts = "in proportion to how many of them each holds"
    if found.target:
        parts = "in proportion to their shares at the site that was set as target"
    learned = (
        "" if found.config["fit"] == "backdoor" else "learns the risk of patients within their own stratum. Then it "
    )
    yield (
        f"The debiased model {learned}predicts as if the patient had been in each of {one} of training patients in "
        f"turn, and averages the answers {parts}."
    )
    yield f"Strata are formed by {_factors(found, schema)}; outcomes are not asked."
    if found.config["placebo"] != "none":
        yield PLACEBO_WORDS[found.config["placebo"]]
    if len(strata) == 1:
        yield "With one stratum there is nothing to average over: predictions cannot be adjusted."
    if len(found.tables) > 1:
        yield (
            f"The model’s {sum(len(table.members) for table in found.tables)} networks formed strata of their own; the "
            "table shows those of the first, the others are in metrics.json."
        )
    if not found.predicts:
        yield "The other figures of this report are those of the model without debiasing, which averages over nothing."


def _factors(found: Strata, schema: CohortSchema) -> str:
    place = spelled(schema.environment).replace("+", " and ") if schema.environment else "environment"
    words = {
        "pattern": "which modalities are missing",
        "environment": place,
        "cluster": "likeness of the biased part of the summary",
    }
    named = [words[factor] for factor in ("pattern", "environment", "cluster") if factor in found.config["strata"]]
    return named[0] if len(named) == 1 else f"{', '.join(named[:-1])} and {named[-1]}"


def _moves(split: SplitStrata) -> Iterator[str]:
    yield (
        "Two predictions are compared: one given the stratum the patient is in (observed), and the average "
        "over strata (intervened)."
    )
    for each in split.movements:
        one = each.everyone
        if not one.patients:
            yield f"“{split.split}” has no patients."
            continue
        ends = f"{points(each.quantiles['0.05'])} to {points(each.quantiles['0.95'])}"
        yield (
            f"On “{split.split}” the risk of {spelled(each.target)} moves by {number(one.size * 100, 1)} percentage "
            f"points on average, for nine in ten patients by {ends}: up by more than one point for "
            f"{percent(one.up, 0)} of patients, down for {percent(one.down, 0)}."
        )
        yield (
            f"Between strata the log-odds of one and the same patient vary by {number(each.spread, 2)} (standard "
            f"deviation); the order of patients stays alike to {number(each.agreement, 2)} (rank correlation)."
            if math.isfinite(each.agreement)
            else f"Between strata the log-odds of one and the same patient vary by {number(each.spread, 2)}."
        )


def _whom(split: SplitStrata, schema: CohortSchema) -> Iterator[str]:
    for each in split.movements:
        ranked = sorted((one for one in each.shifts if math.isfinite(one.mean)), key=lambda one: one.mean)
        if not ranked or max(abs(ranked[0].mean), abs(ranked[-1].mean)) < SMALL:
            yield f"No group of patients has its risk of {spelled(each.target)} moved by a tenth of a point on average."
            continue
        sides = [(ranked[-1], "Most up")] if ranked[-1].mean > SMALL else []
        sides += [(ranked[0], "Most down")] if ranked[0].mean < -SMALL else []
        for one, word in sides:
            yield (
                f"{word}: {subgroup_label(one, schema)} ({count(one.patients, 'patient')}), mean risk of "
                f"{spelled(each.target)} from {percent(one.observed)} to {percent(one.intervened)}."
            )
    yield "Among many groups the extreme ones are extreme in part by chance."


def _ranks(found: Strata, level: float) -> Iterator[str]:
    for split in found.splits:
        for each in split.movements:
            yield _rank(split, each, level)
    yield (
        "Where strata tell of the outcome what they told in training, knowing the stratum helps; where care is "
        "organised differently it misleads. Patients like those in training cannot show the worth of averaging."
    )


def _rank(split: SplitStrata, each: Movement, level: float) -> str:
    here = f"On “{split.split}”" + (f", {spelled(each.target)}" if len(split.movements) > 1 else "")
    gain, before, after = (each.auroc[name] for name in ("difference", "observed", "intervened"))
    if not gain.defined:
        return f"{here}: {gain.reason}."
    text = f"{here} the AUROC is {number(before.value)} given the stratum and {number(after.value)} averaged"
    if not gain.has_interval:
        return f"{text}, without an interval to judge that by."
    ends = f"{percent(level, 0)} interval {number(gain.low, signed=True)} to {number(gain.high, signed=True)}"
    verdict = "averaging is better" if gain.low > 0 else "averaging is worse" if gain.high < 0 else "none is better"
    return f"{text} (difference {number(gain.value, signed=True)}, {ends}): {verdict}."


def _wrong(found: Strata) -> Iterator[str]:
    strata = found.tables[0].strata
    for target in strata[0].outcome if strata else ():
        rates = [one.outcome[target] for one in strata if math.isfinite(one.outcome[target])]
        if len(rates) > 1:
            yield (
                f"Among training patients {spelled(target)} occurs in {percent(min(rates))} to {percent(max(rates))} "
                "of a stratum."
            )
    yield (
        "Averaging takes out what the stratum itself says of the outcome. That is right as far as strata come about "
        "by how care is organised. Where tests are ordered because patients are ill, the stratum is a sign of the "
        "illness, and averaging discards it; the figures above look the same in both cases."
    )
