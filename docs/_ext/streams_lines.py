"""Lines on two streams in a default model: what training them together costs, and how far ``full``'s lie apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from delivered_lines import PRACTICES, interval
from result_lines import Line, newest
from rst_table import list_table

SPLITS = ("test_unbiased", "test_flipped")
#: Designs with a practice, clean labels, and causes that are no harder to read than it.
BIASED = (*PRACTICES, "graded")


def gaps_of(lines: Sequence[Line]) -> dict[str, np.ndarray]:
    """Design -> ``streams`` less ``full`` on both splits, a row per cohort that has both; [cohorts, 2]."""
    found: dict[str, list[list[float]]] = {}
    for line in newest(list(lines), lambda line: (line["design"], line["seed"], line["backbone"])).values():
        arms = line["auroc"]
        if "streams" in arms:
            gap = [arms["streams"][split] - arms["full"][split] for split in SPLITS]
            found.setdefault(line["design"], []).append(gap)
    return {design: np.array(rows) for design, rows in found.items() if len(rows) > 1}


def by_kind(gaps: dict[str, np.ndarray]) -> dict[str, dict[str, np.ndarray]]:
    """The designs in which a practice is to be found and goes with the outcome, and the others."""
    found: dict[str, dict[str, np.ndarray]] = {"designs with a practice": {}, "the other designs": {}}
    for design, each in gaps.items():
        found["designs with a practice" if design in BIASED else "the other designs"][design] = each
    return {kind: each for kind, each in found.items() if len(each) > 1}


def over_designs(gaps: dict[str, np.ndarray]) -> list[str]:
    """The mean over designs of their means, with an interval over designs, of both splits."""
    means = np.array([each.mean(0) for each in gaps.values()])
    return [_text(means[:, split]) for split in range(len(SPLITS))]


def streams_together(lines: list[Line]) -> list[str]:
    """The table of ``forced_and_delivered.py``'s lines, by backbone."""
    out: list[str] = []
    for backbone in dict.fromkeys(line["backbone"] for line in lines):
        gaps = gaps_of([line for line in lines if line["backbone"] == backbone])
        if not gaps:
            continue
        rows = [[f"design (``{backbone}``)", "seeds", "unbiased", "flipped"]]
        for design, each in gaps.items():
            rows.append([f"``{design}``", str(len(each)), *(_text(each[:, split]) for split in range(len(SPLITS)))])
        for kind, own in by_kind(gaps).items():
            rows.append([f"mean over {len(own)} {kind}".replace("the other designs", "others"), "", *over_designs(own)])
        out += [*list_table(rows), ""]
    return out


def apart_rows(lines: Sequence[Line]) -> list[list[str]]:
    """How well each part of ``full`` tells the practice inside outcome classes, and what the parts predict together."""
    streams = ("causal", "biased", "none", "biased, GCE")
    together = ("causal", "sum", "none", "sum, GCE")
    head = [
        *(f"practice told by: {name}" for name in streams),
        *(f"AUROC on test: {name}" for name in together),
        *(f"log loss: {name}" for name in together[1:]),
    ]
    rows = [["design", "seeds", *(each.replace("none", "ERM") for each in head)]]
    found = newest(list(lines), lambda line: (line["design"], line["seed"], line["backbone"])).values()
    for design in dict.fromkeys(line["design"] for line in found):
        own = [line for line in found if line["design"] == design]
        cells = [_mean([line["inside"][name] for line in own]) for name in streams]
        cells += [_mean([line["auroc"][name] for line in own]) for name in together]
        cells += [_mean([line["log_loss"][name] for line in own]) for name in together[1:]]
        rows.append([f"``{design}``", str(len(own)), *cells])
    return rows


def apart_words(lines: Sequence[Line]) -> str:
    """The differences that the table is about, as means over the designs with a practice; intervals over designs."""
    found = newest(list(lines), lambda line: (line["design"], line["seed"], line["backbone"])).values()
    asked = {
        "the biased stream less ERM": ("inside", "biased", "none"),
        "the causal one less ERM": ("inside", "causal", "none"),
        "the sum less ERM in AUROC on `test`": ("auroc", "sum", "none"),
        "in log loss": ("log_loss", "sum", "none"),
    }
    said = []
    for words, (figure, one, other) in asked.items():
        designs = [design for design in dict.fromkeys(line["design"] for line in found) if design in BIASED]
        means = [
            np.mean([line[figure][one] - line[figure][other] for line in found if line["design"] == design])
            for design in designs
        ]
        if len(means) > 1:
            said.append(f"{words} {_text(np.array(means))}")
    text = f"Over the {len(designs)} designs with a practice: {', '.join(said)}." if said else ""
    return text.replace("`", "``")


def streams_apart(lines: list[Line]) -> list[str]:
    """The table of ``streams_apart.py``'s lines, and differences with intervals."""
    return [*list_table(apart_rows(lines)), "", apart_words(lines), ""]


def _mean(values: Sequence[float]) -> str:
    return f"{np.mean(values):.3f}"


def _text(values: np.ndarray) -> str:
    mean, low, high = interval(values)
    return f"{mean:+.3f} [{low:+.3f}, {high:+.3f}]"
