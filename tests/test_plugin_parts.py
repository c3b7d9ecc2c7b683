"""A package of one's own with a part for every plug point goes the whole way, each step in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).parents[1]
PARTS = ("latest_split", "waveform_kind", "waveform_encoder", "attention_backbone", "presence_mask")
PARTS += ("moment_adjustment", "rv_dependence", "hard_loss_weight", "own_report")
PLUGINS = [word for part in PARTS for word in ("--plugin", f"tests.plugin_parts.{part}")]

SPEC = """
[cohort]
source = "cohort.csv"
id = "pid"
environment = "site"

[outcome]
name = "death"
column = "died"
positive = "yes"
negative = "no"

[split]
kind = "latest"
column = "day"
fractions = [0.6, 0.2, 0.2]

[[modality]]
name = "labs"
kind = "table"
source = "labs.csv"
id = "pid"

[[modality]]
name = "ecg"
kind = "waveform"
source = "ecg.csv"
id = "pid"
columns = "s_*"
"""

TRAIN = """
import sys
from gdsfd import Debiaser, load_graph
from gdsfd.plugins import load_plugins

load_plugins(sys.argv[3:])
own = {"head": "causal", "mask": "by-modality", "weight": "hard-for-bias", "information": "rv", "adjustment": "moments",
       "stage_one": 0.0}
debias = {"none": "none", "full": "full", "own": own}[sys.argv[1]]
suspects = ["environment"] if sys.argv[1] == "full" else []
settings = dict(members=1, channels=4, max_epochs=2, guard_folds=0, seed=0)
if sys.argv[1] != "none":
    settings |= {"suspects": suspects, "guard": "debiased"}
Debiaser("attention-pool", debias, **settings).fit(load_graph("graph"), out=sys.argv[2])
"""

ALONE = """
import sys
from gdsfd import Debiaser, load_graph
from gdsfd.plugins import load_plugins

load_plugins(sys.argv[3:])
print(Debiaser.load(sys.argv[1]).predict_proba(load_graph("graph"), ids=[sys.argv[2]])[0, 1])
"""


def ran(folder: Path, *command: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "PATH": "/usr/bin:/bin", "HOME": str(folder)},
    )
    assert done.returncode == code, done.stderr
    return done


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Exports of 120 patients of two sites, their spec, and the graph built from them."""
    place = tmp_path_factory.mktemp("own")
    random = np.random.default_rng(0)
    ids = [f"P{k:03d}" for k in range(120)]
    died = random.random(120) < 0.4
    pd.DataFrame(
        {
            "pid": ids,
            "site": random.choice(["north", "south"], 120),
            "day": range(120),
            "died": np.where(died, "yes", "no"),
        }
    ).to_csv(place / "cohort.csv", index=False)
    pd.DataFrame({"pid": ids, "wbc": (8 + 2 * died + random.normal(size=120)).round(2)})[:100].to_csv(
        place / "labs.csv", index=False
    )
    signal = random.normal(size=(120, 8)) + died[:, None] * np.sin(np.arange(8))
    ecg = pd.DataFrame(signal.round(3), columns=[f"s_{k}" for k in range(8)])
    ecg.insert(0, "pid", ids)
    ecg[20:].to_csv(place / "ecg.csv", index=False)
    (place / "spec.toml").write_text(SPEC)
    ran(place, "-m", "gdsfd", "build", "spec.toml", "--out", "graph", *PLUGINS)
    return place


def test_without_the_plug_ins_the_spec_and_the_graph_say_what_is_missing(folder: Path) -> None:
    spec = ran(folder, "-m", "gdsfd", "build", "spec.toml", "--out", "other", code=2)
    assert "waveform" in spec.stderr or "latest" in spec.stderr
    assert not (folder / "other").exists()
    graph = ran(folder, "-m", "gdsfd", "train", "graph", "--out", "other", code=2)
    assert "needs the modality kind 'waveform'" in graph.stderr
    assert "--plugin tests.plugin_parts.waveform_kind" in graph.stderr


@pytest.mark.parametrize("debias", [*(pytest.param(name, marks=pytest.mark.slow) for name in ("none", "full")), "own"])
def test_trained_saved_and_read_in_other_processes(folder: Path, debias: str) -> None:
    run, names = f"run_{debias}", PLUGINS[1::2]
    ran(folder, "-c", TRAIN, debias, run, *names)
    needs = {need["part"]: need["name"] for need in json.loads((folder / run / "model.json").read_text())["plugins"]}
    expected = {"modality kind": "waveform", "encoder": "waveform", "backbone": "attention-pool"}
    if debias == "own":
        expected |= {"mask": "by-modality", "adjustment": "moments", "loss weight": "hard-for-bias"}
    assert needs == expected

    ran(folder, "-m", "gdsfd", "predict", run, "graph", "--split", "test", "--out", f"{debias}.csv", *PLUGINS)
    together = pd.read_csv(folder / f"{debias}.csv")
    assert len(together) == 24
    alone = float(ran(folder, "-c", ALONE, run, together.id[7], *names).stdout)
    np.testing.assert_allclose(alone, together.iloc[7, -1], atol=1e-5)

    ran(folder, "-m", "gdsfd", "evaluate", run, "graph", "--out", f"report_{debias}", *PLUGINS)
    stored = json.loads((folder / f"report_{debias}" / "metrics.json").read_text())
    page = (folder / f"report_{debias}" / "report.html").read_text()
    assert set(stored["how_frequent"]) == {"test"}
    assert "How frequent is it?" in page
    assert "F1 score" in page
    assert '"f1"' in json.dumps(stored)
    assert "counting modalities" in page

    without = ran(folder, "-m", "gdsfd", "predict", run, "graph", "--split", "test", "--out", "no.csv", code=2)
    assert "which is unknown here" in without.stderr
    assert not (folder / "no.csv").exists()
