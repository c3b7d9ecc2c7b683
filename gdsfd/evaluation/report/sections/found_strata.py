"""The section "Was a hidden confounder found?": how many kinds of practice, told from what, and how surely."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gdsfd.cohort.schema import CohortSchema
from gdsfd.evaluation.config import EvaluationConfig
from gdsfd.evaluation.report.numbers import count, number, spelled
from gdsfd.evaluation.report.section import SECTIONS, Paragraph, Section, SectionContext
from gdsfd.latent.beside_severity import MOST_OVERLAP, STRONG_LOG_ODDS
from gdsfd.latent.evidence import OVERLAP_PRACTICE, OVERLAP_SEVERITY, TIE_P

__all__ = ["FoundStrataSection", "evidence_words"]

Stored = Mapping[str, Any]

_HEADLINES = {
    "practice": "{classes} of practice",
    "severity": "{classes}, of severity by the look of them",
    "cannot tell": "{classes}, and no telling what they are",
    "none": "No latent confounder found",
}


@SECTIONS.register("found_strata")
class FoundStrataSection(Section[Stored]):
    """What the mode found when it was trained, from the run's own record; nothing is worked out anew."""

    name = "found_strata"
    title = "Was a hidden confounder found?"
    template = "found_strata.html"

    def judge(self, context: SectionContext) -> Stored | None:
        stored = getattr(context.model, "training", None)
        return stored.get("strata") if isinstance(stored, Mapping) else None

    def paragraphs(self, data: Stored, schema: CohortSchema, config: EvaluationConfig) -> Sequence[Paragraph]:
        return tuple(evidence_words(data))

    def fill(self, data: Stored, schema: CohortSchema, config: EvaluationConfig) -> dict[str, Any]:
        rows: list[dict[str, Any]] = []
        if data.get("classes", 1) > 1:
            rows = [
                {"patients": mass, "outcomes": chances}
                for mass, chances in zip(data["masses"], data["outcome_by_class"], strict=True)
            ]
        outcome = schema.outcomes[0]
        names = [str(each) for each in outcome.classes]
        shown = list(range(len(names))) if len(names) > 2 else [len(names) - 1]
        return {
            "words": self.paragraphs(data, schema, config),
            "rows": rows,
            "columns": [f"{spelled(outcome.name)} = {names[each]}" for each in shown],
            "shown": shown,
            "kind": "level" if data.get("graded") else "practice" if data.get("verdict") == "practice" else "class",
        }

    def to_dict(self, data: Stored) -> dict[str, Any]:
        return {"found_strata": dict(data)}


def evidence_words(data: Stored) -> Iterator[Paragraph]:
    """The evidence of a run in sentences.

    Args:
        data: What :meth:`gdsfd.training.suspects.latent_targets.LatentTargets.to_dict` gave when the model was trained.
    """
    if "by_outcome" in data:
        for name, own in data["by_outcome"].items():
            yield Paragraph(spelled(name), f"{own['sentence']} {_done(own)}")
        return
    if "verdict" not in data:
        yield Paragraph("Not looked for", f"{data['sentence']} {_done(data)}")
        return
    what = "kind" if data["verdict"] == "practice" else "class"
    classes = count(data["classes"], what, f"{what}s" if what == "kind" else "classes")
    graded = bool(data.get("graded"))  # models stored before there were levels on a line do not say
    headline = "A graded practice" if graded else _HEADLINES[data["verdict"]].format(classes=classes)
    yield Paragraph(headline, f"{data['sentence']} {_done(data)}")
    if data["classes"] > 1:
        yield Paragraph("Told from what", _ties(data))
    yield Paragraph("How surely", " ".join(_sureness(data)))
    if data["used"]:
        yield Paragraph(
            "What no data can tell",
            "A cause of the outcome that comes in kinds, differs between the declared suspects and shows where nothing "
            "else of the illness does looks like a practice; averaging it out costs accuracy. Ask whoever knows the "
            "wards whether such a practice exists.",
        )


def _done(data: Stored) -> str:
    """What training did with it."""
    if data["used"]:
        return (
            "The debiased model was trained as if every patient stood in each of them to a degree, beside what they "
            "say of the outcome; its predictions leave that out."
        )
    return "The debiased model was trained beside the margin of the declared suspects instead."


def _ties(data: Stored) -> str:
    ties = data["ties"]
    if not ties:
        return "No suspect is declared, or all patients are alike in it: nothing could say what the classes are."
    each = ", ".join(f"{spelled(name)} {_chance(p)}" for name, p in ties.items())
    return (
        "Apart from the outcome, and by what was measured without it, they go with a declared suspect more than chance "
        f"would have it (p): {each}. Below {TIE_P:g} counts as tied."
    )


def _sureness(data: Stored) -> Iterator[str]:
    gains = list(zip(data["held_out_gain"], data["held_out_error"], strict=True))
    if gains:
        each = "; ".join(
            f"the {_ORDINALS[place]} {number(gain, 2, True)} (standard error {number(error, 2)})"
            for place, (gain, error) in enumerate(gains[: len(_ORDINALS)])
        )
        yield (
            f"Fitted on {count(data['patients'], 'training patient')}. What each further class adds to the likelihood "
            f"of held-out patients, in nats per patient: {each}. A class counts from two standard errors on."
        )
    else:
        yield f"Fitted on {count(data['patients'], 'training patient')}; the number of classes was given."
    if data.get("graded"):
        yield (
            f"Those classes write along one line: {count(data['classes'], 'level')} on it, each a little more of the "
            "same practice, describe the patients better than the classes do."
        )
    if data["overlap"] is not None:
        strong = data["verdict"] == "practice" and data["overlap"] > OVERLAP_PRACTICE
        rule = (
            f"up to {MOST_OVERLAP:g} counts as a practice where classes go with the outcome by log-odds of "
            f"{STRONG_LOG_ODDS:g} or more, here {number(data['log_odds'], 1)}."
            if strong
            else f"up to {OVERLAP_PRACTICE:g} counts as a practice, from {OVERLAP_SEVERITY:g} on as severity."
        )
        yield (
            f"Where they show in the data overlaps with where the outcome shows by {number(data['overlap'], 2)} (0: "
            f"elsewhere, 1: the same places); {rule}"
        )


_ORDINALS = ("second", "third", "fourth", "fifth")


def _chance(p: float) -> str:
    return "below 0.001" if p < 0.001 else number(p, 3 if p < 0.1 else 2)
