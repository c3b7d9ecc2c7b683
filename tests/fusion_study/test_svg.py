"""Figures: names and values are in them, and they are the same every time."""

from __future__ import annotations

import numpy as np

from gdsfd.fusion_study.svg import bumps, curves, forest, heat


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
