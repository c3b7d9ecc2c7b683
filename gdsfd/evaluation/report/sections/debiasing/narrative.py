"""What a report says of debiasing in plain language, by fixed rules from its figures."""

from __future__ import annotations

import math
from collections.abc import Iterator

from gdsfd.cohort.schema import CohortSchema
from gdsfd.evaluation.diagnostics.mask_recovery import MaskRecovery
from gdsfd.evaluation.diagnostics.probes import Probe, Probes, ProbeScore
from gdsfd.evaluation.metrics.estimate import Estimate
from gdsfd.evaluation.report.numbers import number, percent, spelled
from gdsfd.evaluation.report.section import Paragraph
from gdsfd.evaluation.report.sections.debiasing.debiasing import BothNetworks, Debiasing

__all__ = ["STREAM_WORDS", "debiasing_narrative", "target_words"]

#: How a stream is called.
STREAM_WORDS = {
    "causal": "causal part",
    "biased": "biased part",
    "debiased": "debiased model",
    "reference": "model without debiasing",
}


def target_words(name: str, schema: CohortSchema) -> str:
    """How a probe's target, or a suspect, is called.

    Example:
        >>> target_words("column:labs.crp_rapid", CohortSchema((), ()))
        'crp rapid (labs)'
    """
    kind, _, rest = name.partition(":")
    if name == "true U":
        return "hidden practice of care"
    if name == "environment":
        return spelled(schema.environment).replace("+", " and ") if schema.environment else "environment"
    if name == "pattern":
        return "pattern of missing modalities"
    if name == "groups":
        return " and ".join(map(spelled, schema.groups)) or "groups"
    if kind == "column":
        modality, _, column = rest.partition(".")
        return f"{spelled(column)} ({spelled(modality)})"
    return spelled(rest if kind in ("group", "modality") else name)


def debiasing_narrative(found: Debiasing, schema: CohortSchema, level: float) -> list[Paragraph]:
    """The section's sentences.

    Args:
        found: Its figures.
        schema: The graph's schema.
        level: Coverage of the intervals.
    """
    paragraphs = [
        Paragraph("What was done", " ".join(_what(found, schema))),
        Paragraph("Which model predicts, and why", " ".join(_guard(found))),
        Paragraph("On the patients of this report", " ".join(_here(found, schema, level))),
    ]
    if found.reads_suspects:
        paragraphs.append(Paragraph("How much the distrusted facts tell", " ".join(_suspects(found, schema))))
    if found.probes is not None:
        paragraphs.append(Paragraph("What the models know", " ".join(_probes(found, found.probes, schema))))
    truth = " ".join(_truth(found, schema))
    if truth:
        paragraphs.append(Paragraph("Against the truth of this simulation", truth))
    return paragraphs


def _what(found: Debiasing, schema: CohortSchema) -> Iterator[str]:
    yield (
        "Two models were trained on the same patients: one learns whatever predicts, the other "
        f"(mode “{found.debias}”) is meant to do without shortcuts, that is, without what predicts only because of how "
        "care is organised."
    )
    if not found.reads_suspects:
        yield "This mode was not told what may be a shortcut."
    elif found.found:
        named = "; ".join(target_words(name, schema) for name in found.found)
        yield f"It was told to distrust: {named}."
    else:
        yield "Nothing that it was told to distrust varies among the training patients."
    if found.streams and any(one.practice is not None for one in found.both):
        yield (
            "Beside its prediction, the causal part, it keeps a biased part, trained afterwards on what the prediction "
            "leaves of the training patients' outcomes: what the practice of care that they met tells. The prediction "
            "does not rest on it. “Causal” is what the first is meant to be; no figure here proves a cause."
        )
    elif found.streams:
        yield (
            "It writes two summaries of each patient: a causal part, which predictions rest on, and a biased part, "
            "which is to take up the shortcuts. “Causal” is what it is meant to be; no figure here proves a cause."
        )
    if found.reads_biased:
        yield "In this mode predictions read the biased part as well, so shortcuts may still reach them."


def _guard(found: Debiasing) -> Iterator[str]:
    used = "debiased model" if found.predicts == "debiased" else "model without debiasing"
    yield f"All other figures of this report are those of the {used}."
    if found.forced:
        yield "That was set by hand; the check after training had chosen the other one."
    yield f"The check after training said: “{found.guard['words']}”"
    if found.guard["evidence"]:
        yield (
            "It looked at patients whom neither model was trained on. Concordance is the share of pairs (one patient "
            "with, one without the outcome) that are ranked rightly. The check sees what changes between the groups of "
            "patients it was given; a shortcut that holds in all of them escapes it."
        )


def _here(found: Debiasing, schema: CohortSchema, level: float) -> Iterator[str]:
    for one in found.both:
        yield from _split(one, level)
    places = spelled(schema.environment).replace("+", " and ") if schema.environment else ""
    old = [one for one in found.both if not one.new_environments > 0.99]
    if old:
        where = ", ".join(f"“{one.split}”" for one in old)
        who = f"come from a {places} that is also in training" if places else "were recorded as those in training"
        yield (
            f"Where patients {who} (here {where}), a shortcut usually works as it did in training: the model without "
            "debiasing then looks better than it will be where care is organised differently. A loss on such patients "
            "does not speak against debiasing by itself, nor does a gain prove it."
        )
    new = [one for one in found.both if one.new_environments > 0.99]
    if new:
        where = ", ".join(f"“{one.split}”" for one in new)
        yield f"No patient of {where} comes from a {places} in training: this is the comparison that counts."


def _split(one: BothNetworks, level: float) -> Iterator[str]:
    gain, plain, debiased = one.difference["auroc"], one.reference["auroc"], one.debiased["auroc"]
    if not gain.defined:
        yield f"On “{one.split}” the two cannot be compared: {gain.reason}."
        return
    figures = f"AUROC {number(debiased.value)} against {number(plain.value)} without debiasing"
    yield f"On “{one.split}”: {figures}, {_verdict(gain, level)}"
    if one.practice is not None and one.together is not None and one.together.defined:
        yield (
            f"The biased part would move a patient's log-odds by {number(one.practice, 2)} nats on average; with it "
            f"added, AUROC is {number(one.together.value)}: what the debiased model has once it follows the practice "
            "of the training patients as well."
        )


def _verdict(gain: Estimate, level: float) -> str:
    shown = f"a difference of {number(gain.value, signed=True)}"
    if not gain.has_interval:
        why = f" ({gain.reason})" if gain.reason else ""
        return f"{shown}, without an interval to judge that by{why}."
    ends = f"{percent(level, 0)} interval {number(gain.low, signed=True)} to {number(gain.high, signed=True)}"
    if gain.low > 0:
        return f"{shown} ({ends}): debiasing ranks these patients better."
    if gain.high < 0:
        return f"{shown} ({ends}): debiasing ranks these patients worse."
    return f"{shown} ({ends}): no difference is shown."


def _suspects(found: Debiasing, schema: CohortSchema) -> Iterator[str]:
    for name, nats in found.tells.items():
        whole = found.uncertainty.get(name, float("nan"))
        if not nats > 0:
            yield f"From them alone nothing of {spelled(name)} can be guessed, so there is nothing to adjust for."
            continue
        share = f", {percent(nats / whole, 0)} of the {number(whole, 2)} nats there are to know" if whole > 0 else ""
        yield (
            f"A guess of {spelled(name)} from them alone removes {number(nats, 2)} nats of uncertainty{share} "
            "(a nat is a unit of information; the toss of a coin holds 0.69)."
        )
    if any(nats > 0 for nats in found.tells.values()):
        yield (
            "That much goes with the outcome; whether it is a shortcut or an effect of the illness itself no figure "
            "can tell. If it is the illness, debiasing throws away something true."
        )


def _probes(found: Debiasing, probes: Probes, schema: CohortSchema) -> Iterator[str]:
    yield (
        f"A simple classifier was asked to read each fact from {'each part' if found.streams else 'each model'}: 0.5 "
        "is a guess, 1 means that the fact is plainly written there, and grey is what chance alone gives. Among all "
        "patients a fact that goes with the outcome can always be read from whatever knows the outcome, so the right "
        "half of the picture counts: patients with the same outcome."
    )
    yield from _each(found, probes, "suspect", schema)
    yield (
        "What can be read is not always used, and what a simple classifier cannot read may still be there. Nothing was "
        "chosen by these figures."
    )


def _truth(found: Debiasing, schema: CohortSchema) -> Iterator[str]:
    if found.probes is not None:
        yield from _each(found, found.probes, "truth", schema)
    if found.masks is not None:
        yield from _masks(found.masks)


def _each(found: Debiasing, probes: Probes, kind: str, schema: CohortSchema) -> Iterator[str]:
    """One sentence per target: what the part that predicts knows of it, beside the others."""
    main = "causal" if found.streams else "debiased"
    for one in probes.probes:
        if (one.stream, one.kind) == (main, kind):
            others = [probes.find(stream, one.target) for stream in probes.streams if stream != main]
            yield _known(one, [other for other in others if other is not None], schema)


def _known(one: Probe, others: list[Probe], schema: CohortSchema) -> str:
    name, here = f"“{target_words(one.target, schema)}”", one.same_outcome
    if not math.isfinite(here.auc + here.high):
        return f"Of {name} too few patients are known to say."
    rest = ", ".join(f"{STREAM_WORDS.get(other.stream, other.stream)} {_area(other.same_outcome)}" for other in others)
    rest = f" ({rest})" if rest else ""
    words = STREAM_WORDS.get(one.stream, one.stream)
    if here.beyond_chance:
        band = f"chance {number(here.low, 2)} to {number(here.high, 2)}"
        return f"Of {name} the {words} knows something: {_area(here)}, {band}{rest}."
    return f"Of {name} the {words} shows no more than chance: {_area(here)}{rest}."


def _area(reading: ProbeScore) -> str:
    return number(reading.auc, 2)


def _masks(masks: MaskRecovery) -> Iterator[str]:
    yield (
        "It is known, too, which columns are causes and which only follow the practice of care. "
        "Each column was hidden in turn, to see which part of the model noticed."
    )
    if masks.auc != masks.auc:
        yield "Only one kind is there, so nothing can be ranked."
        return
    yield (
        f"Ranked by how much of a column goes to the causal part, a cause stands above a follower in "
        f"{percent(masks.auc, 0)} of pairs (50 % by chance). On average {percent(masks.causal_share, 0)} of a cause "
        f"and {percent(masks.biased_share, 0)} of a follower went there; perfect separation would be 100 % and 0 %."
    )
