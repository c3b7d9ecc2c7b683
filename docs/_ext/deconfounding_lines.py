"""Lines of the studies of deconfounding as tables and sentences; every word about a result follows from its figures.

Needs nothing of Sphinx; writes reStructuredText.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path

from deconfounding_arms import ABLATIONS, REFERENCE, Arm, Point, arm_words, curves, read_arm
from deconfounding_fits import Study, commands, gap_text, mechanism_words, read_lines, read_studies
from rst_table import list_table

from gdsfd.comparison.statistics import Paired

CONFOUNDED = "mnar"  # the mechanism in which the confounder acts on presence
_PRACTICE = {
    "test_unbiased": "care practice independent of the outcome",
    "test": "care practice as in training",
}
#: Mechanism trained under, figure, and both in words: the shifts that bars are of.
_SHIFTS = (
    ("all", "elsewhere", "mean over all pairs of different mechanisms"),
    (CONFOUNDED, "elsewhere", "trained under MNAR by confounder, mean over the other mechanisms"),
    (CONFOUNDED, "silent", "trained under MNAR by confounder, mean over MCAR and MAR"),
)
_TAKEN = {"without": "Without one modality", "only": "With one modality only"}


def missingness_shift(file: Path) -> list[str]:
    """The bars, then the tables of each design and backbone."""
    out: list[str] = []
    for study in read_studies([file]):
        out += ["", f".. rubric:: {title(study)}", "", f"{size_words(study)}.", ""]
        out += [f"- {sentence}" for sentence in bars(study)]
        out += ["", "AUROC of ERM, and AUROC minus ERM of the others:", "", *shift_table(study)]
        placebos = placebo_table(study)
        if placebos:
            out += ["", "Real minus placebo, AUROC:", "", *placebos]
        out += _folded("Modalities taken away: 4 tables", modality_tables(study))
    return out


def ablation(name: str, files: Sequence[Path]) -> list[str]:
    """What varying one part of the prototypes does: sentences and a table; nothing where no curve is measured."""
    out: list[str] = []
    studies = [study for study in read_studies(files) if curves(study.arms, name)]
    for study in studies:
        found = curves(study.arms, name)
        rows = [row for trained in study.trained for row in _ablation_rows(study, trained, found)]
        if rows:
            out += ["", f".. rubric:: {title(study)}", ""] if len(studies) > 1 else []
            out += [f"- {sentence}" for trained in study.trained for sentence in verdicts(study, trained, found)]
            header = ["trained under", "arms", ", ".join(key.replace("_", " ") for key in ABLATIONS[name])]
            header += ["MCAR, MAR: minus ERM", "as trained: minus ERM", "MCAR, MAR: minus default", "seeds"]
            out += ["", *list_table([header, *rows])]
    return out


def fits_made(files: Sequence[Path]) -> list[str]:
    """How the fits were made, as a list."""
    return [f"- {each}" for each in commands(read_lines(files))] or ["None yet."]


def bars(study: Study) -> list[str]:
    """Whether what was asked of the study is kept: a gain under mechanism shift, and over both placebos."""
    said = []
    for arm in ("streams", "prototypes"):
        for trained, figure, words in _SHIFTS:
            gap = study.gap(arm, REFERENCE, trained, figure)
            if gap.n:
                said.append(f"``{arm}`` minus ERM, {words}: {_judged(gap)}.")
    for real, placebo in placebo_pairs(study.arms):
        for trained, figure, words in _SHIFTS[1:]:
            gap = study.gap(real, placebo, trained, figure)
            if gap.n:
                said.append(
                    f"{arm_words(real)} minus its placebo *{read_arm(placebo).placebo}*, {words}: {_judged(gap)}."
                )
    return said or ["Too few fits so far for any difference."]


def shift_table(study: Study) -> list[str]:
    """Mechanism trained under x arm against mechanism tested under."""
    header = ["trained under", "arm", *(f"on {mechanism_words(name)}" for name in study.tested)]
    rows = [[*header, "mean over the others", "MCAR and MAR of them", "``test_unbiased``", "guard uses it"]]
    figures = [*(f"on {name}" for name in study.tested), "elsewhere", "silent", "unbiased"]
    for trained in study.trained:
        for arm in study.arms:
            words = [mechanism_words(trained), arm_words(arm)]
            if arm == REFERENCE:
                means = [study.mean(arm, trained, figure) for figure in figures]
                rows.append([*words, *(f"{mean:.3f}" if math.isfinite(mean) else "–" for mean in means), ""])
                continue
            gaps = [study.gap(arm, REFERENCE, trained, figure) for figure in figures]
            if any(gap.n for gap in gaps):
                rows.append([*words, *map(gap_text, gaps), _guard(study, trained, arm)])
    return list_table(rows)


def placebo_table(study: Study) -> list[str]:
    """Every arm with prototypes minus each of its placebos; empty without placebos."""
    header = ["trained under", "arm", "placebo", "as trained", "mean over the others", "MCAR and MAR of them"]
    rows = [[*header, "verdict there", "``test_unbiased``"]]
    for trained in study.trained:
        for real, placebo in placebo_pairs(study.arms):
            figures = ("alike", "elsewhere", "silent", "unbiased")
            gaps = [study.gap(real, placebo, trained, figure) for figure in figures]
            if gaps[0].n:
                words = [mechanism_words(trained), arm_words(real), read_arm(placebo).placebo]
                *cells, unbiased = map(gap_text, gaps)
                rows.append([*words, *cells, gaps[2].verdict, unbiased])
    return list_table(rows) if len(rows) > 1 else []


def modality_tables(study: Study) -> list[str]:
    """AUROC of ERM and differences to it with one modality taken away, or one left."""
    out = []
    others = [arm for arm in study.arms if arm != REFERENCE]
    for word, what in _TAKEN.items():
        names = list(dict.fromkeys(name for line in study.fits.values() for name in line.get(word, {})))
        for split, practice in _PRACTICE.items():
            rows = [["trained under", "modality", "ERM", *(f"{arm_words(arm)} minus ERM" for arm in others)]]
            for trained in study.trained:
                for name in names:
                    figure = f"{word} {name} {split}"
                    mean = study.mean(REFERENCE, trained, figure)
                    gaps = [study.gap(arm, REFERENCE, trained, figure) for arm in others]
                    cells = [f"{mean:.3f}" if math.isfinite(mean) else "–", *map(gap_text, gaps)]
                    rows.append([mechanism_words(trained), name, *cells])
            if len(rows) > 1:
                out += ["", f"{what}, ``{split}`` ({practice}):", "", *list_table(rows)]
    return out


def verdicts(study: Study, trained: str, found: dict[str, list[Point]]) -> list[str]:
    """A sentence per curve: what differs from the default, tested under MCAR and MAR."""
    said = []
    for curve, points in found.items():
        default = next((point for point in points if point.default), None)
        if default is None:
            continue
        gaps = {
            point.label: study.gap(point.arm, default.arm, trained, "silent") for point in points if point != default
        }
        gaps = {label: gap for label, gap in gaps.items() if gap.n > 1}
        if not gaps:
            continue
        by_verdict: dict[str, list[str]] = {}
        for label, gap in gaps.items():
            by_verdict.setdefault(gap.verdict, []).append(f"{label} ({gap_text(gap)})")
        parts = [
            f"{words}: {'; '.join(by_verdict[verdict])}"
            for verdict, words in (
                ("better", "better"),
                ("worse", "worse"),
                ("equivalent", "equivalent"),
                ("undecided", "not to be told from it"),
            )
            if verdict in by_verdict
        ]
        said.append(
            f"{curve}, trained under {mechanism_words(trained)}, against the default {default.label}: "
            f"{'. '.join(parts)}."
        )
    return said


def placebo_pairs(names: Sequence[str]) -> list[tuple[str, str]]:
    """Arms with real prototypes and their placebos, both measured."""
    arms: list[Arm] = [read_arm(name) for name in names]
    return [(arm.real, arm.name) for arm in arms if arm.placebo != "none" and arm.real in names]


def title(study: Study) -> str:
    """The heading of a study."""
    settings = f"; {study.settings}" if study.settings else ""
    return f"{study.design}, {study.backbone}{settings}"


def size_words(study: Study) -> str:
    """Seeds and mechanisms of a study."""
    trained, tested = len(study.trained), len(study.tested)
    return f"{seeds_words(len(study.seeds))}; trained under {trained}, tested under {tested} mechanisms"


def seeds_words(count: int) -> str:
    """A number of seeds."""
    return f"{count} seed{'' if count == 1 else 's'}"


def kept(gap: Paired) -> str:
    """Whether an interval is above 0."""
    if gap.verdict == "identical":
        return "**missed**"
    if not math.isfinite(gap.low):
        return f"open: {'one seed' if gap.n < 2 else 'the same difference on every seed'} has no interval"
    return "**kept**" if gap.low > 0 else "**missed**"


def _judged(gap: Paired) -> str:
    return f"{gap_text(gap)} over {seeds_words(gap.n)}; the bar of an interval above 0 is {kept(gap)}"


def _ablation_rows(study: Study, trained: str, found: dict[str, list[Point]]) -> list[list[str]]:
    rows = []
    for curve, points in found.items():
        default = next((point for point in points if point.default), None)
        for point in points:
            gaps = [study.gap(point.arm, REFERENCE, trained, figure) for figure in ("silent", "alike")]
            if not gaps[0].n:
                continue
            if point == default:
                change = "default"
            else:
                change = gap_text(study.gap(point.arm, default.arm, trained, "silent")) if default else "–"
            cells = [curve, point.label, *map(gap_text, gaps), change, str(gaps[0].n)]
            rows.append([mechanism_words(trained), *cells])
    return rows


def _guard(study: Study, trained: str, arm: str) -> str:
    choices = [
        line["guard"]
        for (one, name, _), line in study.fits.items()
        if (one, name) == (trained, arm) and "guard" in line
    ]
    return f"{choices.count('debiased')} of {len(choices)}" if choices else ""


def _folded(summary: str, lines: list[str]) -> list[str]:
    """Lines that open on a click; nothing for nothing."""
    if not lines:
        return []
    tables = sum(line == ".. list-table::" for line in lines)
    summary = summary.replace("4 tables", f"{tables} table{'' if tables == 1 else 's'}")
    start = ["", ".. raw:: html", "", f"   <details><summary>{summary}</summary>", ""]
    return [*start, *lines, "", ".. raw:: html", "", "   </details>", ""]


PAGES: dict[str, Callable[[Path], list[str]]] = {"missingness_shift": missingness_shift}
