"""Lines of ``benchmarks/forced_and_delivered.py``: means by arm, paired differences, and what tests say of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from rst_table import list_table
from scipy.stats import t

Line = dict[str, Any]
Row = tuple[str, ...]

SPLITS = ("test_unbiased", "test_flipped")
#: How many practices there are, in designs where that is a number and the outcome leans on it.
PRACTICES = {
    **dict.fromkeys(("latent", "latent_nonlinear", "nonlinear", "confounded", "latent_faint", "no_environment"), 2),
    "three_practices": 3,
    "coded_practice": 2,
}
#: A difference in AUROC that does not matter.
MARGIN = 0.01
#: One that does not matter to the guard.
ALIKE = 0.005
TRUE_U = "margin of the true U"
PAIRS = (
    ("full", "none"),
    ("delivered", "none"),
    ("full", "margin"),
    ("full", "logistic_margin"),
    ("full", "boosting_margin"),
    ("full", "latent_linear"),
    ("full", "boosting_strata"),
    ("full", TRUE_U),
)
#: The model's own arms have the same members; the others are of the flattened table.
WITHOUT_STRATA = ("margin", "logistic_margin", "boosting_margin")


def differences(lines: Sequence[Line], one: str, other: str, split: str) -> np.ndarray:
    """Paired over the cohorts that have both arms."""
    both = [line["auroc"] for line in lines if one in line["auroc"] and other in line["auroc"]]
    return np.array([each[one][split] - each[other][split] for each in both])


def interval(gaps: np.ndarray) -> tuple[float, float, float]:
    """Mean with the 95 % t interval."""
    half = t.ppf(0.975, len(gaps) - 1) * gaps.std(ddof=1) / len(gaps) ** 0.5
    return float(gaps.mean()), float(gaps.mean() - half), float(gaps.mean() + half)


def verdict(gaps: np.ndarray, margin: float = MARGIN) -> str:
    """What one-sided t tests at 5 % say: within the margin, not below by it, above 0.

    Example:
        >>> verdict(np.array([0.001, 0.002, 0.0])), verdict(np.array([0.02, 0.03, 0.025]))
        ('within .01', 'above 0')
    """
    reach = t.ppf(0.95, len(gaps) - 1) * gaps.std(ddof=1) / len(gaps) ** 0.5
    low, high = gaps.mean() - reach, gaps.mean() + reach
    if low > -margin and high < margin:
        return "within .01"
    return "above 0" if low > 0 else "not below by .01" if low > -margin else ""


def means_of(lines: Sequence[Line]) -> Iterator[Row]:
    """Design, seeds, how often the guard delivered the debiased network, and each arm's unbiased / flipped means."""
    arms = list(dict.fromkeys(arm for line in lines for arm in line["auroc"]))
    yield ("design", "seeds", "debiased delivered", *arms)
    for design in dict.fromkeys(line["design"] for line in lines):
        own = [line for line in lines if line["design"] == design]
        cells = []
        for arm in arms:
            found = [line["auroc"][arm] for line in own if arm in line["auroc"]]
            means = [np.mean([each[split] for each in found]) for split in SPLITS] if found else []
            cells.append(" / ".join(f"{mean:.3f}".lstrip("0") for mean in means) or "–")
        taken = sum(line["choice"] == "debiased" for line in own)
        yield (design, str(len(own)), str(taken), *cells)


def differences_of(lines: Sequence[Line]) -> Iterator[Row]:
    """Design, difference, seeds, unbiased, flipped, and what tests say of the unbiased one."""
    yield ("design", "difference", "seeds", "unbiased", "flipped", "unbiased, by one-sided tests")
    for design in dict.fromkeys(line["design"] for line in lines):
        own = [line for line in lines if line["design"] == design]
        for pair in PAIRS:
            gaps = {split: differences(own, *pair, split) for split in SPLITS}
            if len(gaps[SPLITS[0]]) < 2:
                continue
            cells = ("{:+.3f} [{:+.3f}, {:+.3f}]".format(*interval(each)) for each in gaps.values())
            yield (design, " − ".join(pair), str(len(gaps[SPLITS[0]])), *cells, verdict(gaps[SPLITS[0]]))


def over_designs(lines: Sequence[Line]) -> str:
    """``full`` less boosting beside found strata: mean of the designs' means, with a t interval over designs."""
    found = []
    for design in dict.fromkeys(line["design"] for line in lines):
        gaps = differences([line for line in lines if line["design"] == design], "full", "boosting_strata", SPLITS[0])
        if len(gaps):
            found.append(float(gaps.mean()))
    if len(found) < 2:
        return ""
    mean, low, high = interval(np.array(found))
    return (
        f"Over {len(found)} designs ``full`` less boosting beside found strata is {mean:+.3f} [{low:+.3f}, {high:+.3f}]"
        " unbiased (mean of the designs' means, interval over designs)."
    )


#: Designs with nothing to take out: two networks differ there by chance.
NULLS = (
    "no_bias",
    "label_noise",
    "label_noise_10",
    "label_noise_40",
    "sensor_offset",
    "causal_bias",
    "collider",
    "placebo_strata",
)
#: Designs in which wrong labels meet a practice: what is left once it is out is little more than chance.
WRONG_LABELS = "confounded_noise"


def verdicts(lines: Sequence[Line]) -> str:
    """How often the guard was right: it takes what gains more than .005 unbiased, and leaves what loses more."""
    wrong = [line for line in lines if line["design"].startswith(WRONG_LABELS)]
    right = [line for line in lines if not line["design"].startswith(WRONG_LABELS)]
    said = [_verdicts(right)] if right else []
    return " ".join([*said, *([f"Where labels are wrong beside a practice: {_verdicts(wrong)}"] if wrong else [])])


def _verdicts(lines: Sequence[Line]) -> str:
    gains = [line["auroc"]["full"][SPLITS[0]] - line["auroc"]["none"][SPLITS[0]] for line in lines]
    taken = [line["choice"] == "debiased" for line in lines]
    by_gain = [abs(gain) <= ALIKE or took == (gain > 0) for gain, took in zip(gains, taken)]
    null = [line["design"] in NULLS for line in lines]
    known = [not took if nothing else own for own, took, nothing in zip(by_gain, taken, null)]
    missed = max((gain for gain, took, nothing in zip(gains, taken, null) if not took and not nothing), default=0.0)
    lost = min((gain for gain, took in zip(gains, taken) if took), default=0.0)
    also = (
        ""
        if not any(null)
        else (
            f"; in the {sum(null)} with nothing to take out it is right to leave them alone; by the gain alone it was"
            f" right in {sum(by_gain)}"
        )
    )
    return (
        f"The guard was right in {sum(known)} of {len(lines)} cohorts (either choice counts where the two differ by at"
        f" most {ALIKE:g} unbiased{also}); the largest gain that it missed is {max(missed, 0.0):.3f}, the largest loss"
        f" that it delivered {max(-lost, 0.0):.3f}."
    )


def right_number(lines: Sequence[Line]) -> str:
    """In how many cohorts of designs with a number of practices that number was found."""
    own = [line for line in lines if line["design"] in PRACTICES]
    right = sum(line["strata"].get("classes") == PRACTICES[line["design"]] for line in own)
    return f"The number of practices was right in {right} of {len(own)} cohorts that have one." if own else ""


#: Parts of ``full``, one on top of the other: its words, and which two arms say what it gives.
PARTS = (
    ("the margin of the declared suspects", "margin", "none"),
    ("found strata in its place, where they are a practice", "full", "margin"),
    ("both, forced", "full", "none"),
    ("both, as the guard delivers them", "delivered", "none"),
)


def with_margin(line: Line) -> Line:
    """The line with the arm ``margin`` where it was not fitted: without strata ``full`` is ``margin`` to the bit."""
    if "margin" in line["auroc"] or line["strata"].get("used", True):
        return line
    return {**line, "auroc": {**line["auroc"], "margin": line["auroc"]["full"]}}


def default_parts(lines: Sequence[Line]) -> list[str]:
    """By backbone and part: the designs on which it pays, those on which it costs, and the others."""
    found: list[str] = []
    for backbone in dict.fromkeys(line["backbone"] for line in lines):
        own = part_rows([line for line in lines if line["backbone"] == backbone])
        found += ["", *list_table([(f"part (``{backbone}``)", "pays", "costs", "neither is shown"), *own]), ""]
    return found


def part_rows(lines: Sequence[Line]) -> Iterator[Row]:
    """Part, and the designs whose interval lies above 0, below it, or neither; of one backbone."""
    own = [with_margin(line) for line in lines]
    for words, one, other in PARTS:
        yield (words, *_by_sign(own, one, other))


def _by_sign(lines: Sequence[Line], one: str, other: str) -> Row:
    """Designs whose interval lies above 0, below 0, and the others, each with its mean."""
    above: list[str] = []
    below: list[str] = []
    others: list[str] = []
    for design in dict.fromkeys(line["design"] for line in lines):
        gaps = differences([line for line in lines if line["design"] == design], one, other, SPLITS[0])
        if len(gaps) < 2:
            continue
        mean, low, high = interval(gaps)
        (above if low > 0 else below if high < 0 else others).append(f"{design} {mean:+.3f}")
    return tuple(", ".join(each) or "none" for each in (above, below, others))


def forced_and_delivered(lines: list[Line]) -> list[str]:
    """Both tables as reStructuredText, by backbone."""
    found: list[str] = []
    for backbone in dict.fromkeys(line["backbone"] for line in lines):
        own = [line for line in lines if line["backbone"] == backbone]
        found += ["", f"Backbone ``{backbone}``:", "", *list_table(means_of(own)), ""]
        found += [over_designs(own), "", verdicts(own), right_number(own), ""]
        found += list_table(differences_of(own))
    return found


def boosting_verdicts(lines: list[Line]) -> list[str]:
    """How often the guard's rule is right about boosting, by design and in words."""
    own = [_as_network(line) for line in lines]
    rows = [("design", "seeds", "debiased taken", "gain unbiased", "largest gain missed")]
    for design in dict.fromkeys(line["design"] for line in own):
        found = [line for line in own if line["design"] == design]
        gaps = differences(found, "full", "none", SPLITS[0])
        missed = max((gap for gap, line in zip(gaps, found) if line["choice"] == "reference"), default=0.0)
        text = "{:+.3f} [{:+.3f}, {:+.3f}]".format(*interval(gaps)) if len(gaps) > 1 else f"{gaps[0]:+.3f}"
        taken = sum(line["choice"] == "debiased" for line in found)
        rows.append((f"``{design}``", str(len(found)), str(taken), text, f"{max(missed, 0.0):.3f}"))
    return [*list_table(rows), "", verdicts(own), ""]


def _as_network(line: Line) -> Line:
    """The line with the words that lines of networks have for the two models."""
    return {**line, "auroc": {"none": line["auroc"]["reference"], "full": line["auroc"]["debiased"]}}
