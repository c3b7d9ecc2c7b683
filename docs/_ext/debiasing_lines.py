"""Lines of the comparison runs as tables and sentences. Every word about a result follows from its figures by a rule.

Needs nothing of Sphinx; writes reStructuredText. The statistics are the package's own (``gdsfd.comparison``).
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rst_table import list_table

from gdsfd.comparison.fit_log import read_fits
from gdsfd.comparison.fits import MATCHED, ORACLE, REFERENCE
from gdsfd.comparison.narrative import guard_words, negative_sentences
from gdsfd.comparison.statistics import Paired
from gdsfd.comparison.summary import Design, Row, Table, is_forced, summarise

Line = dict[str, Any]

GAIN, GAIN_LOW, CLOSED = 0.05, 0.03, 0.60  # what `streams` has to reach on the confounded design
SAME, NO_GAIN, NO_LOSS = "no difference", "no gain", "no loss"
#: Preset -> number of the control, what is expected, why.
CONTROLS = {
    "label_noise": ("N1", SAME, "labels are flipped at random, nothing is biased"),
    "sensor_offset": ("N2", SAME, "analysers are off, independently of the outcome"),
    "no_bias": ("N3", SAME, "nothing to remove"),
    "causal_bias": ("N4", NO_GAIN, "what looks like bias is a cause; removing it costs"),
    "collider": ("N5", NO_GAIN, "presence follows practice and illness, which are independent"),
    "harder_bias": ("N6", NO_LOSS, "the bias is harder to read than the causes; streams may swap roles"),
    "placebo_strata": ("N7", SAME, "the declared suspects say nothing of the bias"),
}


def run_lines(file: Path) -> list[Line]:
    """The lines that say how each run was made, oldest first."""
    if not file.is_file():
        return []
    found = []
    for text in file.read_text(encoding="utf-8").splitlines():
        try:
            line = json.loads(text)
        except ValueError:
            continue
        if isinstance(line, dict) and "command" in line and "arm" not in line:
            found.append(line)
    return found


def simulated(file: Path) -> list[str]:
    """The bars on the confounded design, the controls against what is expected of them, and a table per design."""
    designs = summarise(read_fits(file))
    out = ["**Where debiasing should help**", ""]
    out += [f"- {sentence}" for design in designs if _preset(design) == "confounded" for sentence in bars(design)]
    controls = [design for design in designs if _preset(design) in CONTROLS]
    if controls:
        out += [
            "",
            "**Controls**, `streams` as `fit` delivers it and forced:".replace("`", "``"),
            "",
            *_controls(controls),
        ]
    for design in designs:
        out += ["", f".. rubric:: {_title(design)}", "", f"{_size(design)}.", ""]
        for split in dict.fromkeys([design.shifted, design.alike]):
            if split in design.tables:
                out += [f"On ``{split}``:", "", *_table(design.tables[split]), ""]
        out += [f"- {sentence}" for sentence in negative_sentences(design)]
    return [*out, "", *_commands(file)]


def shifts(file: Path) -> list[str]:
    """The bars over all cohorts, then per cohort the mean over held-out environments and each of them."""
    designs = summarise(read_fits(file))
    out = [f"- {sentence}" for sentence in shift_bars(designs)]
    for design in designs:
        out += ["", f".. rubric:: {design.name}", "", f"{_size(design)}; mean over {_listed(design.holdouts)}.", ""]
        table = design.tables.get(design.shifted or design.alike)
        if table is None:
            continue
        out += [*_table(table, shift=True), "", "By held-out environment, AUROC minus ERM (ERM, baselines: AUROC):", ""]
        out += [*_by_holdout(design, table), ""]
        out += [f"- {sentence}" for sentence in negative_sentences(design)]
    return [*out, "", *_commands(file)]


def bars(design: Design) -> list[str]:
    """Whether ``streams`` keeps what was asked of it on the confounded design, per backbone."""
    said = []
    shifted, alike = design.tables.get(design.shifted or ""), design.tables[design.alike]
    for row in shifted.rows if shifted is not None else ():
        if row.arm != "streams" or row.minus_matched is None:
            continue
        gap = row.minus_matched
        kept = gap.mean >= GAIN and gap.low > GAIN_LOW
        said.append(
            f"{row.backbone}: ``streams`` minus ERM of the same size on ``{design.shifted}`` is {_gap(gap)} over "
            f"{gap.n} seeds; the bar of {GAIN:g} with a lower end above {GAIN_LOW:g} is {_kept(kept)}."
        )
        if row.closed.defined:
            ends = f" [{row.closed.low:.0%}, {row.closed.high:.0%}]" if row.closed.has_interval else ""
            kept = row.closed.value >= CLOSED
            said.append(
                f"{row.backbone}: it covers {row.closed.value:.0%}{ends} of the distance from ERM to the oracle; the "
                f"bar of {CLOSED:.0%} is {_kept(kept)}."
            )
        mine, oracle, erm = (
            alike.row(row.backbone, "streams"),
            alike.row("", ORACLE),
            alike.row(row.backbone, REFERENCE),
        )
        if mine is not None and mine.minus_erm is not None and oracle is not None and erm is not None:
            paid = oracle.means["auroc"].value - erm.means["auroc"].value
            said.append(
                f"{row.backbone}: on ``{design.alike}`` it changes AUROC by {_gap(mine.minus_erm)}, the oracle by "
                f"{paid:+.3f}; the bar of losing no more than the oracle is {_kept(mine.minus_erm.mean >= paid)}."
            )
    return said


def came_out(expected: str, gaps: Sequence[Paired | None]) -> str:
    """Whether a control came out as expected, on all splits given.

    Args:
        expected: ``no difference``, ``no gain`` or ``no loss``.
        gaps: Differences to ERM, one per split.
    """
    # An arm that is its reference, declined by its guard on every seed, makes no difference.
    verdicts = ["equivalent" if gap.verdict == "identical" else gap.verdict for gap in gaps if gap is not None]
    if not verdicts or "no interval" in verdicts:
        return "too few seeds"
    if expected == SAME:
        if all(verdict == "equivalent" for verdict in verdicts):
            return "as expected"
        return "**not as expected**" if {"better", "worse"} & set(verdicts) else "not shown"
    wrong = "better" if expected == NO_GAIN else "worse"
    return "**not as expected**" if wrong in verdicts else "as expected"


def shift_bars(designs: Sequence[Design]) -> list[str]:
    """Whether ``streams`` is nowhere worse than ERM, where it is better, and how it stands to boosting."""
    found: list[tuple[str, Row]] = []
    for design in designs:
        table = design.tables.get(design.shifted or design.alike)
        found += [(design.name, row) for row in (table.rows if table is not None else ()) if row.arm == "streams"]
    judged = [
        (name, row)
        for name, row in found
        if row.minus_erm is not None and (math.isfinite(row.minus_erm.low) or row.minus_erm.verdict == "identical")
    ]
    if not judged:
        return ["Too few seeds so far for intervals."]
    worse = [f"{name}, {row.backbone}" for name, row in judged if row.minus_erm.high < 0]  # type: ignore[union-attr]
    better = {name for name, row in judged if row.minus_erm.low > 0}  # type: ignore[union-attr]
    said = [
        f"``streams`` is significantly worse than its ERM {'nowhere' if not worse else 'on ' + '; '.join(worse)} "
        f"({len(judged)} pairs of cohort and backbone, means over held-out environments): {_kept(not worse)}.",
        f"It is significantly better on {len(better)} of {len(designs)} cohorts"
        f"{' (' + ', '.join(sorted(better)) + ')' if better else ''}; the aim of two is {_kept(len(better) >= 2)}.",
    ]
    boosted = [(name, row.minus_boosting) for name, row in found if row.minus_boosting is not None]
    known = [gap.mean for _, gap in boosted if math.isfinite(gap.mean)]
    if known:
        mean = sum(known) / len(known)
        said.append(
            f"Over all cohorts and backbones its mean AUROC minus boosting's is {mean:+.3f}; the aim of being above "
            f"boosting is {_kept(mean > 0)}."
        )
    return said


def _controls(designs: Sequence[Design]) -> list[str]:
    rows = [["control", "expected", "backbone", "``streams``: test, test_unbiased", "forced", "guard", "came out"]]
    for design in sorted(designs, key=lambda one: (CONTROLS[_preset(one)][0], one.name)):
        name, expected, why = CONTROLS[_preset(design)]
        tables = [design.tables[split] for split in dict.fromkeys([design.alike, design.shifted]) if split is not None]
        backbones = dict.fromkeys(row.backbone for row in tables[0].rows if row.backbone)
        for backbone in backbones:
            delivered = [table.row(backbone, "streams") for table in tables]
            forced = [table.row(backbone, "streams (forced)") for table in tables]
            if delivered[0] is None:
                continue
            gaps = [row.minus_erm if row is not None else None for row in delivered]
            first = f"{name}: {_title(design)}", f"{expected} ({why})"
            rows.append(
                [
                    *first,
                    backbone,
                    "; ".join(f"{_gap(gap)} {gap.verdict}" for gap in gaps if gap is not None),
                    "; ".join(_gap(row.minus_erm) for row in forced if row is not None and row.minus_erm is not None),
                    guard_words(delivered[0]) or "–",
                    came_out(expected, gaps),
                ]
            )
    return list_table(rows)


def _table(table: Table, shift: bool = False) -> list[str]:
    header = ["backbone", "arm", "AUROC", "minus ERM", "minus ERM of the same size", "AUPRC", "verdict", "guard"]
    header.insert(5, "minus boosting" if shift else "share of oracle's distance")
    rows = [header]
    for row in table.rows:
        gap = row.minus_erm
        verdict = ""
        if gap is not None:
            verdict = row.verdict
            if math.isfinite(gap.p_equivalent):
                verdict += f" (TOST p {gap.p_equivalent:.3f}"
                verdict += f", Holm p {gap.p_adjusted:.3f})" if math.isfinite(gap.p_adjusted) else ")"
        middle = _gap(row.minus_boosting) if shift else _share(row)
        rows.append(
            [
                row.backbone or "–",
                "ERM" if row.arm == REFERENCE else "ERM of the same size" if row.arm == MATCHED else row.label,
                _mean(row, "auroc"),
                _gap(gap),
                _gap(row.minus_matched),
                middle,
                _mean(row, "auprc") if not shift else f"{_mean(row, 'auprc')}; {_gap(row.minus_erm_auprc)}",
                verdict or "–",
                guard_words(row) or "–",
            ]
        )
    if shift:
        rows[0][6] = "AUPRC; minus ERM"
    return list_table(rows)


def _by_holdout(design: Design, table: Table) -> list[str]:
    rows = [["backbone", "arm", *design.holdouts]]
    for row in table.rows:
        if is_forced(row.arm):
            continue
        cells = []
        for name in design.holdouts:
            figure, gap = row.by_holdout[name]
            cells.append(_gap(gap) if gap is not None else f"{figure.value:.3f}" if figure.defined else "–")
        rows.append([row.backbone or "–", "ERM" if row.arm == REFERENCE else row.label, *cells])
    return list_table(rows)


def _preset(design: Design) -> str:
    return design.name.split(":")[0]


def _title(design: Design) -> str:
    preset, *rest = design.name.split(":")
    return f"{preset}{' (' + ', '.join(rest) + ')' if rest else ''}"


def _size(design: Design) -> str:
    return f"{len(design.seeds)} seed{'s' if len(design.seeds) > 1 else ''}"


def _mean(row: Row, figure: str) -> str:
    found = row.means[figure]
    if not found.defined:
        return "–"
    return f"{found.value:.3f}" + (f" [{found.low:.3f}, {found.high:.3f}]" if found.has_interval else "")


def _gap(gap: Paired | None) -> str:
    if gap is None or not math.isfinite(gap.mean):
        return "–"
    return f"{gap.mean:+.3f}" + (f" [{gap.low:+.3f}, {gap.high:+.3f}]" if math.isfinite(gap.low) else "")


def _share(row: Row) -> str:
    if not row.closed.defined:
        return "–"
    ends = f" [{row.closed.low:.0%}, {row.closed.high:.0%}]" if row.closed.has_interval else ""
    return f"{row.closed.value:.0%}{ends}"


def _kept(kept: bool) -> str:
    return "**kept**" if kept else "**missed**"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "no environment"


def _commands(file: Path) -> list[str]:
    """The runs: command, day, commit, settings."""
    shown: dict[str, None] = {}
    for line in run_lines(file):
        settings = ", ".join(f"{name} = {value}" for name, value in line.get("settings", {}).items())
        commit = f"``{line['commit'][:8]}``{' +' if line['dirty'] else ''}"
        shown[f"``{line['command']}`` ({str(line['time'])[:10]}, {commit}; {settings or 'default settings'})\n"] = None
    return list(shown)


PAGES: dict[str, Callable[[Path], list[str]]] = {"compare_simulated": simulated, "real_shifts": shifts}
