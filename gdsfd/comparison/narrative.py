"""What the figures of a comparison say, in plain sentences made by rules; also where debiasing did not help."""

from __future__ import annotations

import math
from collections.abc import Sequence

from gdsfd.baselines.baseline import BASELINES
from gdsfd.comparison.fits import MATCHED, ORACLE, REFERENCE
from gdsfd.comparison.statistics import Paired
from gdsfd.comparison.summary import Design, Row, Table, is_forced
from gdsfd.evaluation.report.numbers import number

__all__ = ["arm_sentences", "design_sentences", "difference_words", "guard_words", "negative_sentences", "where_words"]

#: Verdict -> what follows the arm's name and "is".
_VERDICTS = {
    "better": "better than ERM",
    "worse": "worse than ERM",
    "equivalent": "equivalent to ERM, within {margin:g} AUROC,",
    "undecided": "neither told apart from ERM nor shown to be within {margin:g} AUROC of it",
    "no interval": "without an interval ({why})",
    "identical": "identical to ERM on every seed",
    "declined": "declined by its guard in every fit: what it delivers is ERM",
}


def difference_words(gap: Paired) -> str:
    """A difference with its interval: ``+0.012 [−0.001, +0.025]``."""
    if not math.isfinite(gap.mean):
        return "no figure"
    ends = f" [{number(gap.low, signed=True)}, {number(gap.high, signed=True)}]" if math.isfinite(gap.low) else ""
    return number(gap.mean, signed=True) + ends


def where_words(design: Design) -> str:
    """Where a gain is looked for: ``on test_unbiased``."""
    return "in held-out environments" if design.holdouts else f"on {design.shifted or design.alike}"


def guard_words(row: Row) -> str:
    """How often the debiased network was used; empty without a guard."""
    return _guards([row])


def arm_sentences(design: Design, arm: str) -> list[str]:
    """What came out for one arm on all backbones: gain, share of the oracle's distance, cost, guard.

    Args:
        design: The design.
        arm: The arm's name.
    """
    table = design.tables.get(design.shifted or design.alike)
    rows = [row for row in table.rows if row.arm == arm and row.minus_erm is not None] if table is not None else []
    groups: dict[str, list[Row]] = {}
    for row in rows:
        assert row.minus_erm is not None
        groups.setdefault(row.verdict, []).append(row)
    said: list[str] = []
    for verdict, members in groups.items():
        gaps = [(row.backbone, row.minus_erm) for row in members if row.minus_erm is not None]
        figures = _listed([f"{difference_words(gap)} on {backbone}" for backbone, gap in gaps])
        name = f"{arm} is" if not said else "It is"
        why = "one seed" if gaps[0][1].n < 2 else "the same difference on every seed"
        what = _VERDICTS[verdict].format(margin=gaps[0][1].margin, why=why)
        if verdict == "declined":
            said.append(f"{name} {what}, on {_listed([row.backbone for row in members])}.")
            continue
        chance = verdict in ("better", "worse") and any(gap.p_adjusted >= 0.05 for _, gap in gaps)
        after = " (not on all of them after correction for the number of arms)" if chance else ""
        said.append(f"{name} {what} {where_words(design)}: {figures}{after}.")
    if not rows:
        return said
    known = [row for row in rows if row.closed.defined and row.verdict not in ("equivalent", "declined")]
    if known:
        shares = _listed([f"{number(100 * row.closed.value, 0)} % on {row.backbone}" for row in known])
        said.append(f"Of the distance from ERM to the oracle it covers {shares}.")
    said += _costs(design, arm)
    if any(row.guard is not None for row in rows):
        said.append(f"Guard: {_guards(rows)}.")
    return said


def design_sentences(design: Design) -> list[str]:
    """A paragraph per delivered arm, then what did not come out."""
    table = design.tables.get(design.shifted or design.alike)
    if table is None:
        return []
    arms = dict.fromkeys(row.arm for row in table.rows if row.minus_erm is not None and not is_forced(row.arm))
    said = [" ".join(arm_sentences(design, arm)) for arm in arms if arm != MATCHED]
    return said + negative_sentences(design)


def negative_sentences(design: Design) -> list[str]:
    """Where debiasing did not help, where it harms, and which simpler models are above it."""
    table = design.tables.get(design.shifted or design.alike)
    if table is None:
        return []
    compared = [row for row in table.rows if row.minus_erm is not None and row.arm != MATCHED]
    delivered = [row for row in compared if not is_forced(row.arm) and not row.declined]
    said = []
    judged = [row.minus_erm for row in delivered if row.minus_erm is not None and math.isfinite(row.minus_erm.low)]
    if judged and not any(gap.verdict == "better" for gap in judged):
        said.append(f"No arm as delivered is better than ERM {where_words(design)}.")
    harmed = [row for row in compared if row.minus_erm is not None and row.minus_erm.verdict == "worse"]
    if harmed:
        said.append(f"Worse than ERM {where_words(design)}: {_rows_listed(harmed)}.")
    matched = [
        row
        for row in table.rows
        if row.arm == MATCHED and row.minus_erm is not None and row.minus_erm.verdict in ("better", "worse")
    ]
    for row in matched:
        assert row.minus_erm is not None
        said.append(f"ERM of the same size is {row.minus_erm.verdict} than ERM on {row.backbone}: mind both.")
    return said + _simpler(design, table)


def _costs(design: Design, arm: str) -> list[str]:
    """The change where nothing has shifted, beside what the oracle pays there."""
    alike = design.tables.get(design.alike)
    if design.shifted is None or alike is None:
        return []
    parts = []
    for row in alike.rows:
        if row.arm == arm and row.minus_erm is not None and math.isfinite(row.minus_erm.mean) and not row.declined:
            oracle, erm = alike.row("", ORACLE), alike.row(row.backbone, REFERENCE)
            beside = ""
            if oracle is not None and erm is not None:
                gap = oracle.means["auroc"].value - erm.means["auroc"].value
                beside = f", oracle {number(gap, signed=True)}"
            parts.append(f"{difference_words(row.minus_erm)} on {row.backbone}{beside}")
    return [f"On {design.alike}, which is like training, it changes AUROC by {'; '.join(parts)}."] if parts else []


def _simpler(design: Design, table: Table) -> list[str]:
    said = []
    known = BASELINES.names()
    others = [row.arm for row in table.rows if not row.backbone and row.arm != ORACLE]
    for name in sorted(others, key=lambda arm: known.index(arm) if arm in known else len(known)):
        simple = table.row("", name)
        if simple is None or not simple.means["auroc"].defined:
            continue
        below = [
            row
            for row in table.rows
            if row.backbone
            and not is_forced(row.arm)
            and row.arm != MATCHED
            and not row.declined
            and row.means["auroc"].value < simple.means["auroc"].value
        ]
        if below:
            mean = number(simple.means["auroc"].value)
            said.append(f"{name} has a higher mean ({mean}) {where_words(design)} than {_rows_listed(below)}.")
    return said


def _guards(rows: Sequence[Row]) -> str:
    counts = [row.guard for row in rows if row.guard is not None]
    if not counts:
        return ""
    failed = sum(count.failed for count in counts)
    said = f"debiased used in {sum(count.used for count in counts)} of {sum(count.fits for count in counts)} fits"
    return f"{said}, failed grossly in {failed}" if failed else said


def _rows_listed(rows: Sequence[Row]) -> str:
    """Rows by arm: ``dfd on concat and muse; full on grape``."""
    arms: dict[str, list[str]] = {}
    for row in rows:
        arms.setdefault("ERM" if row.arm == REFERENCE else row.arm, []).append(row.backbone)
    return "; ".join(f"{arm} on {_listed(backbones)}" for arm, backbones in arms.items())


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
