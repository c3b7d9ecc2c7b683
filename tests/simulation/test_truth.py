from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gdsfd.errors import InputError
from gdsfd.simulation import SimulationConfig, load_truth, simulate
from gdsfd.simulation.population import draw_population


def test_rows_follow_the_cohort_table(everything: Path) -> None:
    cohort = pd.read_csv(everything / "patients.csv", dtype=str, keep_default_na=False)
    truth = load_truth(everything)
    assert list(truth.patients.index) == list(cohort["patient_id"])
    assert (truth.patients["split"].to_numpy() == cohort["split"].to_numpy()).all()
    recorded = cohort["deteriorated"].map({"no": 0, "yes": 1, "": -1}).to_numpy()
    assert (truth.patients["label"].to_numpy() == recorded).all()
    practice = cohort["site"].map(truth.extra["sites"]).to_numpy()
    assert (truth.patients["site_practice"].to_numpy() == practice).all()


def test_configuration_comes_back_and_makes_the_same_cohort(everything: Path) -> None:
    truth = load_truth(everything)
    assert truth.config == SimulationConfig(patients=600, modalities=8, seed=4)
    assert (draw_population(truth.config).y == truth.patients["y"].to_numpy()).all()


def test_suspects_are_the_biased_columns(everything: Path) -> None:
    suspects = load_truth(everything).suspects()
    assert "column:labs.crp_rapid" in suspects
    assert "column:imaging.e_02" in suspects
    assert not any("lactate" in name or "vitals" in name for name in suspects)


def test_coefficients_say_how_the_data_came_about(everything: Path) -> None:
    found = load_truth(everything).coefficients
    assert found["outcome"]["confounder"] == pytest.approx(np.log(9.0))
    assert found["outcome"]["causal"]["labs"]["lactate"] == pytest.approx(2 * found["causal"]["labs"]["lactate"])
    assert set(found["biased"]) == {"labs", "imaging"}
    assert found["presence"]["imaging"]["mechanism"] == "mnar"
    assert found["presence"]["demographics"]["intercept"] is None


def test_a_folder_without_truth_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"written by gdsfd\.simulate"):
        load_truth(tmp_path)
    (tmp_path / "truth.json").write_text("{")
    with pytest.raises(InputError, match="is not JSON"):
        load_truth(tmp_path)
    (tmp_path / "truth.json").write_text(json.dumps({"format": "else"}))
    with pytest.raises(InputError, match="expected the truth of a simulated cohort"):
        load_truth(tmp_path)


def test_what_makes_a_harder_confounder_is_written_down(tmp_path: Path) -> None:
    options = {"patients": 200, "modalities": ("labs", "vitals"), "interactions": True}
    truth = load_truth(simulate(tmp_path / "three", preset="three_practices", **options))
    assert [each["level"] for each in truth.coefficients["practices"]] == [-1, 0, 1]
    shifts = [each["biased"]["labs"]["crp_rapid"] for each in truth.coefficients["practices"]]
    assert shifts[0] > 0 > shifts[1] == shifts[2]
    kinds = [each["kind"] for each in truth.coefficients["interactions"]]
    assert kinds == ["product", "band", "band", "xor"]
    assert set(truth.patients["u"]) == {0, 1, 2}
    evidence = truth.patients.filter(regex="^causal_")
    assert "causal_between_modalities" in evidence
    assert truth.patients["oracle"].to_numpy() == pytest.approx(1 / (1 + np.exp(-evidence.sum(axis=1).to_numpy())))
    graded = load_truth(simulate(tmp_path / "graded", preset="graded", patients=200, modalities=2))
    assert graded.patients["u"].nunique() == len(graded.patients)
    assert 4 < graded.coefficients["outcome"]["confounder"] < 7
    assert draw_population(graded.config).u == pytest.approx(graded.patients["u"].to_numpy())
