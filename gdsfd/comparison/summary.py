"""All fits of a comparison as tables: one per design and evaluation split, a row per backbone and arm."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from gdsfd.comparison.fit_log import Record
from gdsfd.comparison.fits import MATCHED, ORACLE, REFERENCE
from gdsfd.comparison.statistics import MARGIN, Paired, holm, mean_estimate, paired, share_closed
from gdsfd.evaluation.metrics.estimate import Estimate

__all__ = ["Design", "GuardCount", "Row", "Table", "is_forced", "summarise"]

#: What a figure can be at all.
_BOUNDS = {"auroc": (0.0, 1.0), "auprc": (0.0, 1.0), "loss": (0.0, float("inf"))}

#: Figure -> value per (seed, held-out environment).
Cells = dict[tuple[int, Any], float]

FIGURES = ("auroc", "auprc", "loss")


@dataclass(frozen=True)
class GuardCount:
    """How often the guard let the debiased network predict.

    Args:
        used: Fits in which it did.
        fits: All fits.
        failed: Fits in which the debiased network had failed grossly.
    """

    used: int
    fits: int
    failed: int


@dataclass(frozen=True)
class Row:
    """One arm on one split.

    Args:
        backbone: "" for baselines and the oracle.
        arm: Its name.
        means: Figure -> mean with its t interval over seeds.
        minus_erm: AUROC minus ERM's of the same backbone, paired by seed; None for ERM, baselines and the oracle.
        minus_erm_auprc: The same of AUPRC.
        minus_matched: AUROC minus that of ERM of the same size.
        minus_boosting: AUROC minus boosting's.
        closed: Share of the distance from ERM to the oracle; undefined without an oracle.
        by_holdout: Held-out environment -> AUROC and its difference to ERM's, over seeds.
        guard: None for arms without one.
    """

    backbone: str
    arm: str
    means: dict[str, Estimate]
    minus_erm: Paired | None
    minus_erm_auprc: Paired | None
    minus_matched: Paired | None
    minus_boosting: Paired | None
    closed: Estimate
    by_holdout: dict[str, tuple[Estimate, Paired | None]]
    guard: GuardCount | None

    @property
    def declined(self) -> bool:
        """Whether the guard declined the debiased network in every fit, so that all figures here are ERM's."""
        return self.guard is not None and self.guard.fits > 0 and self.guard.used == 0

    @property
    def label(self) -> str:
        """The arm's name, and how often what it delivers is ERM."""
        if self.guard is None or self.guard.used == self.guard.fits:
            return self.arm
        if self.declined:
            return f"{self.arm} (declined: ERM)"
        return f"{self.arm} (declined in {self.guard.fits - self.guard.used} of {self.guard.fits})"

    @property
    def verdict(self) -> str:
        """The verdict on the difference to ERM; ``declined`` where it is ERM itself."""
        if self.declined:
            return "declined"
        return self.minus_erm.verdict if self.minus_erm is not None else ""

    def to_dict(self) -> dict[str, Any]:
        """A JSON-able copy; NaN stays NaN."""
        return {
            "backbone": self.backbone,
            "arm": self.arm,
            "label": self.label,
            "verdict": self.verdict,
            **{name: estimate.to_dict() for name, estimate in self.means.items()},
            **{
                name: None if found is None else found.to_dict()
                for name, found in (
                    ("minus_erm", self.minus_erm),
                    ("minus_erm_auprc", self.minus_erm_auprc),
                    ("minus_matched", self.minus_matched),
                    ("minus_boosting", self.minus_boosting),
                )
            },
            "closed": self.closed.to_dict(),
            "by_holdout": {
                name: {"auroc": figure.to_dict(), "minus_erm": None if gap is None else gap.to_dict()}
                for name, (figure, gap) in self.by_holdout.items()
            },
            "guard": None if self.guard is None else vars(self.guard),
        }


@dataclass(frozen=True)
class Table:
    """All arms on one evaluation split.

    Args:
        split: The split.
        rows: ERM, other arms, baselines, the oracle.
    """

    split: str
    rows: tuple[Row, ...]

    def row(self, backbone: str, arm: str) -> Row | None:
        """The row of an arm, if it was fitted."""
        return next((row for row in self.rows if (row.backbone, row.arm) == (backbone, arm)), None)


@dataclass(frozen=True)
class Design:
    """Everything of one design (a graph, a simulated preset, a cohort).

    Args:
        name: Its name.
        seeds: The seeds of which something was fitted.
        holdouts: Environments that were left out in turn; empty when none was.
        alike: The split that is like the training patients: the IID cost is read there.
        shifted: The split that is not; None when there is no other.
        tables: One per split.
    """

    name: str
    seeds: tuple[int, ...]
    holdouts: tuple[str, ...]
    alike: str
    shifted: str | None
    tables: dict[str, Table]

    def to_dict(self) -> dict[str, Any]:
        """A JSON-able copy."""
        return {
            "design": self.name,
            "seeds": list(self.seeds),
            "holdouts": list(self.holdouts),
            "alike": self.alike,
            "shifted": self.shifted,
            "splits": {split: [row.to_dict() for row in table.rows] for split, table in self.tables.items()},
        }


def summarise(records: Sequence[Record], margin: float = MARGIN, shifted: str | None = None) -> list[Design]:
    """Tables of every design.

    Over seeds and held-out environments, environments are averaged inside a seed first and intervals are over seeds; a
    seed counts for a difference when both arms have all environments.

    Args:
        records: Lines of fits (:func:`~gdsfd.comparison.fit_log.read_fits`).
        margin: Difference in AUROC that counts as none.
        shifted: The split for the shifted gain; default: the held-out environment's, ``test_unbiased``, or the first
            further split.
    """
    found = []
    for name in dict.fromkeys(record["design"] for record in records):
        own = [record for record in records if record["design"] == name]
        holdouts = tuple(dict.fromkeys(record["holdout"] for record in own if record["holdout"] is not None))
        splits = list(dict.fromkeys(split for record in own for split in record["splits"]))
        alike, other = _roles(splits, bool(holdouts), shifted)
        tables = {split: _table(own, split, holdouts, margin) for split in splits}
        seeds = tuple(sorted({int(record["seed"]) for record in own}))
        found.append(Design(name, seeds, holdouts, alike, other, tables))
    return found


def is_forced(arm: str) -> bool:
    """Whether a row is the debiased network whatever the guard says."""
    return arm.endswith(" (forced)")


def _roles(splits: list[str], left_out: bool, shifted: str | None) -> tuple[str, str | None]:
    if left_out:
        return ("tuning" if "tuning" in splits else "test"), "test"
    others = [split for split in splits if split not in ("test", "tuning")]
    if shifted in others:
        return "test", shifted
    return "test", "test_unbiased" if "test_unbiased" in others else (others[0] if others else None)


def _table(records: list[Record], split: str, holdouts: tuple[str, ...], margin: float) -> Table:
    cells: dict[tuple[str, str], dict[str, Cells]] = {}
    for record in records:
        figures = record["splits"].get(split)
        if figures is None:
            continue
        own = cells.setdefault((record["backbone"], record["arm"]), {name: {} for name in FIGURES})
        for name in FIGURES:
            value = figures.get(name)
            own[name][int(record["seed"]), record["holdout"]] = math.nan if value is None else float(value)
    rows = [_row(backbone, arm, cells, records, holdouts, margin) for backbone, arm in cells]
    rows.sort(key=_order)
    tested = [
        number
        for number, row in enumerate(rows)
        if row.minus_erm is not None and row.arm != MATCHED and not row.declined
    ]
    for number, p in zip(tested, holm([rows[number].minus_erm.p for number in tested])):  # type: ignore[union-attr]
        rows[number] = replace(rows[number], minus_erm=replace(rows[number].minus_erm, p_adjusted=p))  # type: ignore[type-var]
    return Table(split, tuple(rows))


def _order(row: Row) -> tuple[Any, ...]:
    return (not row.backbone, row.backbone, row.arm not in (REFERENCE, MATCHED), is_forced(row.arm), row.arm)


def _row(
    backbone: str,
    arm: str,
    cells: dict[tuple[str, str], dict[str, Cells]],
    records: list[Record],
    holdouts: tuple[str, ...],
    margin: float,
) -> Row:
    own = cells[backbone, arm]
    erm = cells.get((backbone, REFERENCE)) if backbone and arm != REFERENCE else None
    matched = cells.get((backbone, MATCHED)) if backbone and arm not in (REFERENCE, MATCHED) else None
    boosting = cells.get(("", "boosting")) if arm not in ("boosting", ORACLE) else None

    def minus(other: dict[str, Cells] | None, figure: str = "auroc") -> Paired | None:
        if other is None:
            return None
        mine, theirs = _by_seed([own[figure], other[figure]], holdouts)
        return paired(mine, theirs, margin)

    oracle = cells.get(("", ORACLE))
    closed = Estimate.undefined("there is no oracle")
    if oracle is not None and erm is not None:
        mine, theirs, best = _by_seed([own["auroc"], erm["auroc"], oracle["auroc"]], holdouts)
        closed = share_closed(mine, theirs, best)
    by_holdout = {}
    for name in holdouts:
        here = {key: value for key, value in own["auroc"].items() if key[1] == name}
        gap = None
        if erm is not None:
            pairs = [(value, erm["auroc"][key]) for key, value in here.items() if key in erm["auroc"]]
            gap = paired([one for one, _ in pairs], [other for _, other in pairs], margin)
        by_holdout[name] = (mean_estimate(list(here.values()), *_BOUNDS["auroc"]), gap)
    guards = [
        record["guard"]
        for record in records
        if (record["backbone"], record["arm"]) == (backbone, arm) and record.get("guard") is not None
    ]
    used = sum(guard["choice"] == "debiased" for guard in guards)
    failed = sum(bool(guard["failed"]) for guard in guards)
    return Row(
        backbone,
        arm,
        {name: mean_estimate(_by_seed([own[name]], holdouts)[0], *_BOUNDS.get(name, ())) for name in FIGURES},
        minus(erm),
        minus(erm, "auprc"),
        minus(matched),
        minus(boosting),
        closed,
        by_holdout,
        GuardCount(used, len(guards), failed) if guards else None,
    )


def _by_seed(arms: list[Cells], holdouts: tuple[str, ...]) -> list[list[float]]:
    """One number per seed and arm: the mean over held-out environments of seeds in which every arm has them all.

    An environment whose figure is undefined (one label only) for every arm and seed is no environment.
    """
    every = [name for name in holdouts if any(math.isfinite(arm[key]) for arm in arms for key in arm if key[1] == name)]
    wanted: list[str | None] = [*every] or [None]
    seeds = sorted({seed for seed, _ in arms[0]})
    whole = [seed for seed in seeds if all((seed, name) in arm for arm in arms for name in wanted)]
    return [[sum(arm[seed, name] for name in wanted) / len(wanted) for seed in whole] for arm in arms]
