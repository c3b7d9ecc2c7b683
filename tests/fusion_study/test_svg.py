"""Figures: names and values are in them, and they are the same every time."""

from __future__ import annotations

from gdsfd.fusion_study.svg import curves, forest


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
