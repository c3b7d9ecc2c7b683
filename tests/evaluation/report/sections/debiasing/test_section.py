"""The picture of what codes know."""

from __future__ import annotations

import math
import re
from xml.etree import ElementTree

import pytest

from gdsfd.evaluation.diagnostics.probes import ProbeScore
from gdsfd.evaluation.report.sections.debiasing.section import HIGH, LOW, probe_cell, probe_header


def places(cell: str) -> list[float]:
    """Horizontal places of the marks, in the order they are drawn."""
    root = ElementTree.fromstring(cell)
    marks = [one for one in root if (one.get("class") or "").startswith("probe-")]
    return [float(one.get("cx") or re.match(r"M([\d.]+)", one.get("d")).group(1)) for one in marks]


def reading(auc: float) -> ProbeScore:
    return ProbeScore(auc, 0.5, 0.44, 0.56)


def test_marks_stand_in_the_order_of_their_figures():
    cell = probe_cell([("reference", reading(0.8)), ("biased", reading(0.9)), ("causal", reading(0.6))])
    reference, biased, causal = places(cell)
    assert causal < reference < biased
    band = next(one for one in ElementTree.fromstring(cell) if one.get("class") == "chance")
    left, width = float(band.get("x")), float(band.get("width"))
    at_half = places(probe_cell([("causal", reading(0.5))]))[0]
    assert left < at_half < left + width < causal
    assert cell.index("probe-plain") < cell.index("probe-causal")  # the most important one on top


def test_the_picture_says_its_figures():
    root = ElementTree.fromstring(probe_cell([("biased", reading(0.9)), ("causal", reading(0.61))]))
    assert root.get("aria-label") == "causal part 0.61; biased part 0.90"


@pytest.mark.parametrize(("value", "end"), [(0.1, LOW), (1.2, HIGH)])
def test_what_is_outside_stands_at_the_end(value, end):
    assert places(probe_cell([("causal", reading(value))])) == places(probe_cell([("causal", reading(end))]))


def test_nothing_where_nothing_is_defined():
    assert probe_cell([("causal", ProbeScore(math.nan))]) == ""
    assert probe_cell([]) == ""
    cell = probe_cell([("biased", ProbeScore(math.nan)), ("causal", reading(0.7))])
    assert len(places(cell)) == 1
    assert "nan" not in probe_cell([("causal", ProbeScore(0.7))])


def test_the_axis_is_well_formed():
    root = ElementTree.fromstring(probe_header())
    assert [one.text for one in root if one.tag == "text"] == ["0.4", "0.5", "0.6", "0.7", "0.8", "0.9", "1.0"]
