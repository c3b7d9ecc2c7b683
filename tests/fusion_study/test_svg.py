"""Figures: names and values are in them, and they are the same every time."""

from __future__ import annotations

import numpy as np

from gdsfd.fusion_study.svg import _look, bumps, curves, forest, heat


def test_both_kinds() -> None:
    lines = curves({"muse": [0.8, 0.7], "concat": [0.9, 0.6]}, [0.0, 0.5], "hidden", "AUROC")
    assert lines == curves({"muse": [0.8, 0.7], "concat": [0.9, 0.6]}, [0.0, 0.5], "hidden", "AUROC")
    assert lines.startswith("<svg")
    for word in ("muse", "concat", "hidden", "AUROC"):
        assert f">{word}<" in lines
    rows = [("muse", 0.01, -0.01, 0.03), ("concat", 0.0, float("nan"), float("nan"))]
    found = forest(rows, "gain", 0.01)
    assert ">muse<" in found
    assert ">gain<" in found


def test_places_and_squares() -> None:
    found = bumps({"muse": [1, 2], "concat": [2, 1]}, ["natural", "random 0.5"])
    assert found.count(">muse<") == 2
    assert ">natural<" in found
    grid = heat(np.array([[0.91, np.nan]]), ["muse"], ["natural", "by risk 0.5"], "lost", "trained")
    for word in ("muse", "0.91", "by risk 0.5", "lost", "trained"):
        assert f">{word}<" in grid
    assert "nan" not in grid


def test_a_learner_looks_the_same_in_every_picture_and_a_floor_like_no_learner() -> None:
    one = _look(["muse", "concat", "boosting", "floor: boosting trained for it"])
    other = _look(["boosting", "muse", "concat"])
    assert {name: one[name] for name in other} == other
    assert len({own["color"] for own in one.values()}) == 4
    assert one["floor: boosting trained for it"]["marker"] == "None"
    assert len({(own["color"], own["linestyle"]) for own in _look([f"l{n}" for n in range(30)]).values()}) == 30


def test_long_names_of_columns_are_broken_so_that_neighbours_do_not_meet() -> None:
    found = bumps({"muse": [1, 2]}, ["hidden in ill 0.8: chemistry", "hidden in well 0.8: chemistry"])
    words = {part.split("<")[0] for part in found.split(">")}
    assert {"hidden in", "ill 0.8:", "well 0.8:", "chemistry"} <= words
