"""What the page on debiasing says follows from the figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gdsfd.comparison.statistics import paired
from tests.test_documentation import docs_module

pages = docs_module("debiasing_lines")

RUN = {"run": "1", "command": "python benchmarks/x.py", "commit": "0123456789ab", "dirty": False, "time": "2026-01-01"}
SEEDS = range(6)


def write(file: Path, fits: list[dict[str, Any]], run: bool = True) -> Path:
    file.write_text(
        "".join(json.dumps(line) + "\n" for line in [*([RUN | {"settings": {"members": 1}}] if run else []), *fits])
    )
    return file


def arm(name: str, shifted: float, alike: float, design: str = "confounded", holdout: str | None = None, **other: Any):
    """Lines of one arm over all seeds; figures wobble a little, those of ``streams`` a little more than the others'."""
    wobble = 0.0002 if name.startswith("streams") else 0.0
    bare = name in ("oracle", "boosting", "logistic")
    names = ("test", "tuning") if holdout is not None else ("test_unbiased", "test")
    return [
        {
            "design": design,
            "holdout": holdout,
            "seed": seed,
            "backbone": "" if bare else "muse",
            "arm": name,
            "splits": {
                split: {"n": 100, "auroc": value + 0.002 * seed + wobble * (seed % 2), "auprc": value, "loss": 0.5}
                for split, value in zip(names, (shifted, alike))
            },
            **other,
        }
        for seed in SEEDS
    ]


GUARD = {"guard": {"choice": "debiased", "failed": False}}


@pytest.mark.parametrize(
    ("gain", "cost", "verdicts"),
    [(0.06, -0.02, ["kept", "kept", "kept"]), (0.04, -0.05, ["missed", "missed", "missed"])],
)
def test_the_bars_on_the_confounded_design(tmp_path, gain, cost, verdicts):
    fits = arm("none", 0.80, 0.93) + arm("none (matched)", 0.80, 0.93) + arm("oracle", 0.89, 0.90)
    fits += arm("streams", 0.80 + gain, 0.93 + cost, **GUARD)
    text = pages.simulated(write(tmp_path / "fits.jsonl", fits))
    said = [line for line in text if line.startswith("- muse:")]
    assert [sentence.split("**")[1] for sentence in said] == verdicts
    assert f"{gain:+.3f}" in said[0]
    assert any("``python benchmarks/x.py`` (2026-01-01, ``01234567``; members = 1)" in line for line in text)


@pytest.mark.parametrize(
    ("expected", "shift", "verdict"),
    [
        ("no difference", 0.001, "as expected"),
        ("no difference", 0.05, "**not as expected**"),
        ("no difference", -0.05, "**not as expected**"),
        ("no gain", -0.05, "as expected"),
        ("no gain", 0.05, "**not as expected**"),
        ("no loss", 0.05, "as expected"),
        ("no loss", -0.05, "**not as expected**"),
    ],
)
def test_controls(expected, shift, verdict):
    reference = [0.80, 0.81, 0.82, 0.83]
    gap = paired([value + shift + 0.001 * (number % 2) for number, value in enumerate(reference)], reference)
    same = paired(reference, reference)
    assert pages.came_out(expected, [same, gap]) == verdict


def test_controls_that_are_open():
    wide = paired([0.9, 0.7, 0.8], [0.8, 0.8, 0.8])
    assert pages.came_out("no difference", [wide]) == "not shown"
    assert pages.came_out("no difference", [paired([0.9], [0.8])]) == "too few seeds"
    assert pages.came_out("no difference", []) == "too few seeds"


def test_the_table_of_controls_names_preset_rate_and_guard(tmp_path):
    fits = arm("none", 0.80, 0.80, "label_noise:0.3") + arm("streams", 0.80, 0.80, "label_noise:0.3", **GUARD)
    text = "\n".join(pages.simulated(write(tmp_path / "fits.jsonl", fits)))
    assert "N1: label_noise (0.3)" in text
    assert "debiased used in 6 of 6 fits" in text
    assert "as expected" in text


def test_real_shifts(tmp_path):
    fits = []
    for place, level in (("north", 0.8), ("south", 0.7)):
        fits += arm("none", level, 0.85, "ward", place) + arm("streams", level + 0.03, 0.85, "ward", place, **GUARD)
        fits += arm("boosting", level + 0.01, 0.85, "ward", place)
    text = "\n".join(pages.shifts(write(tmp_path / "fits.jsonl", fits)))
    assert "worse than its ERM nowhere (1 pairs" in text
    assert "significantly better on 1 of 1 cohorts (ward); the aim of two is **missed**" in text
    assert "minus boosting's is +0.020; the aim of being above boosting is **kept**" in text
    assert "mean over north, south" in text


@pytest.mark.parametrize("run", [True, False])
def test_whatever_lines_there_are_make_a_page(tmp_path, run):
    for number, fits in enumerate(
        [
            [],
            arm("none", 0.8, 0.9),
            arm("oracle", 0.8, 0.9),
            arm("streams", 0.8, 0.9)[:1],
            arm("none", 0.8, 0.9)[:1] + arm("streams", 0.8, 0.9, **GUARD)[:1],
            arm("none", 0.8, 0.9, "own design"),
        ]
    ):
        file = write(tmp_path / f"{number}.jsonl", fits, run)
        for page in pages.PAGES.values():
            assert all(isinstance(line, str) for line in page(file))
