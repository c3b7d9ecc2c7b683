"""Which slices stand out below the whole, in words."""

from __future__ import annotations

from collections.abc import Sequence

from gdsfd.evaluation.assess import SplitResult
from gdsfd.evaluation.config import EvaluationConfig
from gdsfd.evaluation.metrics.metric_set import MetricSet
from gdsfd.evaluation.report.numbers import count, interval
from gdsfd.evaluation.subgroups.gaps import Gap
from gdsfd.evaluation.subgroups.slices import Slice, kind_word

__all__ = ["standing_out", "subgroup_findings"]


#: An average risk that is off by this much is worth a sentence.
NOTABLE_GAP = 0.05


def standing_out(
    slices: Sequence[Slice], scored: Sequence[MetricSet], overall: MetricSet
) -> list[tuple[Slice, MetricSet]]:
    """Slices whose whole AUROC interval lies below the AUROC of everybody, worst first.

    Args:
        slices: The slices of one target.
        scored: Their figures.
        overall: The figures of all patients.
    """
    whole = overall["auroc"].value
    below = [
        (one, found)
        for one, found in zip(slices, scored)
        if found["auroc"].has_interval and found["auroc"].high < whole and not one.pooled
    ]
    return sorted(below, key=lambda pair: pair[1]["auroc"].value)


def subgroup_findings(result: SplitResult, rules: EvaluationConfig) -> str:
    """One paragraph on the slices of a split's targets.

    Args:
        result: The split.
        rules: How figures were made.
    """
    sentences = []
    several = len(result.names) > 1
    looked_at = too_small = found_any = 0
    for number, name in enumerate(result.names):
        slices, scored = result.slices[number], result.model.slices[number]
        looked_at += sum(found["auroc"].has_interval and not one.pooled for one, found in zip(slices, scored))
        # Small environments are listed one by one beside their pool; small patterns are only in theirs.
        too_small += sum(
            one.pooled or 1
            for one, found in zip(slices, scored)
            if not found["auroc"].defined and (not one.pooled or one.kind == "pattern")
        )
        worst = standing_out(slices, scored, result.model.targets[number])
        if worst:
            found_any += 1
            shown = "; ".join(f"{_slice_word(one)}, AUROC {interval(found['auroc'])}" for one, found in worst[:4])
            more = f" and {len(worst) - 4} more" if len(worst) > 4 else ""
            lead = f"For {name} it ranks" if several else "It ranks"
            sentences.append(f"{lead} less well than among all patients in: {shown}{more}.")
        sentences += _risk_sentences(slices, scored, name if several else "")
        sentences += _gap_sentences(result.model.gaps[number], name if several else "")
    if not looked_at:
        least = f"at least {rules.min_patients} patients and {rules.min_per_class} with and without the outcome"
        return f"No environment, pattern or group is large enough to be judged ({least})."
    if not found_any:
        what = "environments, patterns, modalities and groups that are large enough"
        counted = f"comparisons ({what}; each target counts)" if several else what
        sentences.insert(0, f"None of the {looked_at} {counted} stands out below the whole.")
    else:
        by_chance = looked_at * (1 - rules.level) / 2
        if by_chance >= 0.5:
            expected = max(1, round(by_chance))
            sentences.append(f"Of {looked_at} such comparisons up to {expected} would stand out by chance alone.")
    if too_small:
        small = count(too_small, "slice is", "slices are") + (" (each target counts)" if several else "")
        sentences.append(f"{small} too small to be judged and may be better or worse.")
    return " ".join(sentences)


def _risk_sentences(slices: Sequence[Slice], scored: Sequence[MetricSet], target: str) -> list[str]:
    """Slices whose average risk is off by at least five percentage points, beyond its interval; the furthest first."""
    about = f" (for {target})" if target else ""
    sentences = []
    for sign, word in ((1, "higher"), (-1, "lower")):
        off = []
        for one, found in zip(slices, scored):
            gap = found["calibration_gap"]
            beyond = gap.has_interval and min(gap.low * sign, gap.high * sign) > 0
            if beyond and gap.value * sign >= NOTABLE_GAP and not one.pooled:
                off.append((gap.value * sign, _slice_word(one)))
        off.sort(reverse=True)
        if off:
            listed = "; ".join(f"{who}, by {value * 100:.0f} points" for value, who in off[:4])
            more = f" and {len(off) - 4} more" if len(off) > 4 else ""
            sentences.append(f"Predicted risks{about} are {word} than observed ones in: {listed}{more}.")
    return sentences


def _slice_word(one: Slice) -> str:
    if one.kind == "environment" or one.kind.startswith("group: "):
        return f"{kind_word(one.kind)} {one.name}"
    if one.kind == "observed":
        return f"patients with {one.name} modalities"
    if one.kind == "pattern" and one.name.startswith("without "):  # beside all who lack it, whatever else they lack
        return f"patients who lack only {one.name.removeprefix('without ')}"
    if one.name.startswith("only "):
        return f"patients with {one.name}"
    return f"patients {one.name}" if one.name.startswith("with") else f"patients with “{one.name}”"


def _gap_sentences(gaps: Sequence[Gap], target: str) -> list[str]:
    """Sensitivity and false alarms that differ between the values of a group, beyond their interval."""
    words = {
        "tpr": "share of patients with the outcome who are found",
        "fpr": "share of patients without the outcome who are flagged",
    }
    sentences = []
    for gap in gaps:
        if gap.figure in words and gap.kind != "environment" and gap.estimate.has_interval and gap.estimate.low > 0:
            about = f" (for {target})" if target else ""
            sentences.append(
                f"At the threshold, the {words[gap.figure]}{about} is {gap.estimate.value * 100:.0f} percentage points "
                f"larger in {kind_word(gap.kind)} {gap.highest} than in {gap.lowest}."
            )
    return sentences
