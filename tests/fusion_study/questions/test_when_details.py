"""Question 1 in detail: which tables and figures there are."""

from __future__ import annotations

from gdsfd.fusion_study.questions.when_details import gain_forest, gains_in_detail
from tests.fusion_study.material import material, whole_and_restricted


def test_tables_and_figures_go_together() -> None:
    alone = {"labs": 1.0, "notes": 0.3, "imaging": 0.2}
    made = material(whole_and_restricted(2.0, alone, {}), patients=500)
    found = gains_in_detail(made, "labs")
    assert set(found.tables) == {"gains_in_strata", "do_strata_differ", "decision_curve"}  # no model of every set
    assert set(found.figures) == {"gains_in_strata", "decision_curve"}
    for name in ("labs alone", "all modalities", "act on everybody", "act on nobody"):
        assert name in found.figures["decision_curve"]
    assert "lowest third" in found.figures["gains_in_strata"]


def test_a_forest_names_its_rows() -> None:
    row = {"name": "south", "gain": 0.1, "gain_low": 0.05, "gain_high": 0.15}
    assert "south" in gain_forest([row], "name", 0.01)
