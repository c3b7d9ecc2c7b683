"""How often the report's intervals hold the truth, figure by figure, at 5, 10, 30 and 300 positives.

    python benchmarks/interval_coverage.py
    python benchmarks/interval_coverage.py --positives 5 --repetitions 1000

Scores are drawn from two normal distributions, so that the true AUROC is known; all other truths come from one sample
of 200,000. Designs vary the AUROC, the spread of the positives, how many patients a subject has, whether the number of
positives is fixed or drawn, and whether risks are too extreme. Each repetition goes through the functions that make the
report (``score``, ``calibration_line``, ``difference``, ``macro``, ``gaps_of``), and of the comparison ``paired``,
``mean_estimate`` and ``share_closed``. Counted is how often an interval that was printed holds the truth, and how often
none was printed. One line per design is appended to ``results/interval_coverage.jsonl``.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

import numpy as np
from results_line import append_line
from scipy.special import expit, logit, ndtri
from sklearn.metrics import average_precision_score, roc_auc_score

from gdsfd.comparison.statistics import mean_estimate, paired, share_closed
from gdsfd.evaluation.config import EvaluationConfig
from gdsfd.evaluation.metrics.bootstrap import SubjectBootstrap
from gdsfd.evaluation.metrics.calibration import calibration_line
from gdsfd.evaluation.metrics.estimate import Estimate
from gdsfd.evaluation.metrics.metric_set import difference, macro, score
from gdsfd.evaluation.metrics.operating_point import OperatingPoint, rates
from gdsfd.evaluation.subgroups.gaps import gaps_of
from gdsfd.evaluation.subgroups.slices import Slice, score_slices
from gdsfd.evaluation.targets import Target

LARGE = 200_000
SEEDS_DRAWN = 4000  #: Repetitions of figures over seeds, which cost little.


@dataclass(frozen=True)
class Design:
    """Where samples come from.

    Args:
        positives: Positives drawn, or expected.
        negatives: Negatives drawn, or expected.
        auroc: True area of the model judged.
        spread: Standard deviation of the positives' score; the negatives' is 1.
        per_subject: Patients of each subject; they share the label and most of the score.
        drawn: Whether the number of positives is drawn too.
        sharpened: Factor on the log-odds: above 1 risks are too extreme.
    """

    positives: int
    negatives: int
    auroc: float
    spread: float = 1.0
    per_subject: int = 1
    drawn: bool = False
    sharpened: float = 1.0


@dataclass(frozen=True)
class Sample:
    """Patients; ``p`` and ``other`` are two models' risks."""

    y: np.ndarray
    p: np.ndarray
    other: np.ndarray
    second: np.ndarray
    group: np.ndarray
    subject: np.ndarray


def draw(design: Design, generator: np.random.Generator, scale: float = 1.0) -> Sample:
    """A sample; ``scale`` multiplies its size."""
    k = design.per_subject
    positives, negatives = (max(1, round(n * scale / k)) for n in (design.positives, design.negatives))
    share = design.positives / (design.positives + design.negatives)
    people = positives + negatives
    label = generator.random(people) < share if design.drawn else np.arange(people) < positives
    subject = np.repeat(np.arange(people), k)
    y = label[subject].astype(float)
    common, own = generator.normal(size=people)[subject], generator.normal(size=len(subject))
    noise = math.sqrt(0.6) * common + math.sqrt(0.4) * own if k > 1 else own
    shift = math.sqrt(1 + design.spread**2) * float(ndtri(design.auroc))
    x = np.where(y == 1, shift + design.spread * noise, noise)
    odds = 0.5 * x**2 - 0.5 * ((x - shift) / design.spread) ** 2 - math.log(design.spread) + logit(share)
    worse = 0.8 * x + 0.6 * generator.normal(size=len(x))
    second = generator.permutation(label)[subject].astype(float)
    group = generator.integers(0, 2, people)[subject]
    p = expit(design.sharpened * odds)
    return Sample(y, p, expit(worse + logit(share) - 0.5), second, group, subject)


@cache
def truth(design: Design) -> tuple[float, dict[str, float]]:
    """The threshold, and every true figure."""
    share = design.positives / (design.positives + design.negatives)
    whole = Design(
        round(LARGE * share), LARGE - round(LARGE * share), design.auroc, design.spread, 1, False, design.sharpened
    )
    big = draw(whole, np.random.default_rng(7))
    threshold = float(np.quantile(big.p[big.y == 1], 0.25))
    found: dict[str, float] = {}
    for name, p in (("", big.p), ("other ", big.other)):
        clipped = np.clip(p, 1e-7, 1 - 1e-7)
        figures = {
            "auroc": roc_auc_score(big.y, p),
            "auprc": average_precision_score(big.y, p),
            "brier": np.mean((p - big.y) ** 2),
            "log_loss": -np.mean(big.y * np.log(clipped) + (1 - big.y) * np.log1p(-clipped)),
            "calibration_gap": np.mean(p - big.y),
            **rates(big.y, p, threshold),
        }
        found |= {f"{name}{figure}": float(value) for figure, value in figures.items()}
    found["auroc"] = design.auroc
    line = calibration_line(big.y, big.p, np.arange(len(big.y)))
    found |= dict(zip(("calibration_intercept", "calibration_slope"), (one.value for one in line)))
    return threshold, found


def estimates(design: Design, sample: Sample, resamples: int, seed: int) -> Iterator[tuple[str, Estimate, float]]:
    """Every figure of one sample as the report makes it, with its truth."""
    threshold, true = truth(design)
    point, rules = OperatingPoint(threshold, 0.75), EvaluationConfig(resamples=resamples)
    bootstrap = SubjectBootstrap(sample.subject.astype(str).tolist(), resamples, seed)
    rows = np.arange(len(sample.y))
    target, other = Target("a", rows, sample.y, sample.p), Target("a", rows, sample.y, sample.other)
    own, theirs = score(target, bootstrap, point), score(other, bootstrap, point)
    for name, estimate in own.estimates.items():
        yield name, estimate, true[name]
    line = calibration_line(sample.y, sample.p, bootstrap.code)
    for name, estimate in zip(("calibration_intercept", "calibration_slope"), line):
        yield name, estimate, true[name]
    for name in ("auroc", "auprc", "brier", "log_loss"):
        yield f"difference of {name}", difference(own, theirs, name), true[name] - true[f"other {name}"]
    blind = Target("b", rows, sample.second, sample.other)
    mean = macro([own, score(blind, bootstrap, point, metrics=("auroc",))], [target, blind])
    yield "mean of two auroc", mean["auroc"], (true["auroc"] + 0.5) / 2
    slices = [Slice("group: g", str(value), sample.group == value) for value in (0, 1)]
    scored = score_slices(slices, target, bootstrap, point, rules)
    for gap in gaps_of(slices, scored, target, bootstrap.code, threshold):
        yield f"gap of {gap.figure}", gap.estimate, 0.0


def coverage(design: Design, repetitions: int, resamples: int, seed: int = 0) -> dict[str, dict[str, Any]]:
    """Figure -> share of intervals that hold the truth, share of repetitions with one, and mean width."""
    held: dict[str, list[bool]] = {}
    width: dict[str, list[float]] = {}
    for repetition in range(repetitions):
        sample = draw(design, np.random.default_rng([seed, repetition]))
        for name, estimate, true in estimates(design, sample, resamples, repetition):
            held.setdefault(name, [])
            if estimate.has_interval:
                held[name].append(estimate.low - 1e-9 <= true <= estimate.high + 1e-9)
                width.setdefault(name, []).append(estimate.high - estimate.low)
    return {
        name: {
            "coverage": float(np.mean(own)) if own else None,
            "printed": len(own) / repetitions,
            "width": float(np.mean(width[name])) if own else None,
        }
        for name, own in held.items()
    }


def coverage_over_seeds(seeds: int, repetitions: int, skewed: bool, seed: int = 0) -> dict[str, dict[str, Any]]:
    """The same of a comparison's figures: means, paired differences and the share of the oracle's distance."""
    generator = np.random.default_rng([seed, seeds])
    held: dict[str, list[bool]] = {}
    for _ in range(repetitions):
        shared, noise = generator.normal(0.8, 0.02, seeds), generator.normal(0, 0.01, (3, seeds))
        if skewed:
            noise[0] = generator.exponential(0.01, seeds) - 0.01
        erm, arm, oracle = shared + noise[1], shared + 0.01 + noise[0], shared + 0.03 + noise[2]
        gap = paired(arm, erm)
        found = {
            "mean over seeds": (mean_estimate(arm), 0.81),
            "paired difference": (Estimate(gap.mean, gap.low, gap.high), 0.01),
            "share closed": (share_closed(arm, erm, oracle), 1 / 3),
        }
        for name, (estimate, true) in found.items():
            held.setdefault(name, [])
            if estimate.has_interval:
                held[name].append(estimate.low <= true <= estimate.high)
    return {
        name: {"coverage": float(np.mean(own)) if own else None, "printed": len(own) / repetitions}
        for name, own in held.items()
    }


def designs(positives: int) -> list[Design]:
    """What is tried with so many positives."""
    rare, common = positives * (20 if positives < 300 else 5), positives * 4
    return [
        *(Design(positives, common, auroc) for auroc in (0.6, 0.75, 0.97)),
        Design(positives, rare, 0.9),
        Design(positives, common, 0.9, spread=1.6),
        Design(positives, common, 0.75, drawn=True),
        Design(positives, common, 0.97, sharpened=1.6),
        Design(2 * positives, 2 * common, 0.75, per_subject=2),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--positives", type=int, nargs="+", default=[5, 10, 30, 300])
    parser.add_argument("--repetitions", type=int, default=150)
    parser.add_argument("--resamples", type=int, default=100)
    parser.add_argument("--dry", action="store_true", help="print, but append no line")
    arguments = parser.parse_args()
    for positives in arguments.positives:
        for design in designs(positives):
            repetitions = arguments.repetitions if positives < 300 else max(1, 2 * arguments.repetitions // 3)
            found = coverage(design, repetitions, arguments.resamples)
            worst = sorted((one["coverage"], name) for name, one in found.items() if one["printed"] > 0.05)[:4]
            print(design, *(f"{name} {value:.3f}" for value, name in worst), sep="  ", flush=True)
            if not arguments.dry:
                append_line(
                    "interval_coverage.jsonl",
                    design=asdict(design),
                    repetitions=repetitions,
                    resamples=arguments.resamples,
                    figures=found,
                )
    for seeds in (2, 3, 5, 10):
        for skewed in (False, True):
            found = coverage_over_seeds(seeds, SEEDS_DRAWN, skewed)
            print(f"{seeds} seeds", "skewed" if skewed else "", *(f"{k} {v}" for k, v in found.items()), flush=True)
            if not arguments.dry:
                append_line(
                    "interval_coverage.jsonl", seeds=seeds, skewed=skewed, repetitions=SEEDS_DRAWN, figures=found
                )


if __name__ == "__main__":
    main()
