"""A trained model's folder and an export of new patients are all that a prediction needs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

import gdsfd
from gdsfd.cli import main

QUICK = ["--epochs", "1", "--set", "channels=8", "--set", "members=1", "--backbone", "concat", "--quiet"]


def test_a_patient_alone_without_outcome_and_split_gets_the_same_number(tmp_path, capsys):
    exports = gdsfd.simulate(tmp_path / "exports", patients=200, seed=3)
    spec, graph, run = str(exports / "spec.toml"), str(tmp_path / "graph"), str(tmp_path / "run")
    assert main(["build", spec, "--out", graph, "--quiet"]) == 0
    assert main(["train", graph, "--out", run, *QUICK]) == 0
    assert main(["predict", run, graph, "--out", str(tmp_path / "all.csv")]) == 0

    patients = pd.read_csv(exports / "patients.csv", dtype=str)
    patients.loc[[7]].drop(columns=["deteriorated", "split"]).to_csv(exports / "patients.csv", index=False)
    new = str(tmp_path / "new")
    assert main(["build", spec, "--like", run, "--out", new, "--quiet"]) == 0
    assert main(["predict", run, new, "--out", str(tmp_path / "one.csv")]) == 0
    before, alone = (read(tmp_path / name) for name in ("all.csv", "one.csv"))
    (patient,) = alone.index
    np.testing.assert_allclose(alone.loc[patient, "p_yes"], before.loc[patient, "p_yes"], rtol=1e-6)
    assert capsys.readouterr().err == ""


def read(file: Path) -> pd.DataFrame:
    return pd.read_csv(file, dtype={"id": str}).set_index("id")
