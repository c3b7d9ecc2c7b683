"""CONTRIBUTING's examples of parts of one's own run, and what they declare works."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import gdsfd
from gdsfd.evaluation.report.sections import presence
from gdsfd.registry import REGISTRIES
from tests.cohort.small_exports import patients, spec
from tests.plugin_parts import declared

TEXT = (Path(__file__).parents[1] / "CONTRIBUTING.md").read_text(encoding="utf-8")
SECTION = TEXT[TEXT.index("## How to add a ...") : TEXT.index("## Benchmark")]
BLOCKS = re.findall(r"^\*\*(.+?)\*\*.*?^```python\n(.*?)^```", SECTION, flags=re.MULTILINE | re.DOTALL)
#: Registry -> the part that its example declares.
DECLARED = {
    "modality kind": "spectrum",
    "encoder": "spectrum",
    "split kind": "initial",
    "backbone": "sum",
    "mask": "one-number",
    "adjustment": "mean-bias",
    "dependence measure": "covariance",
    "loss weight": "unsure",
    "objective": "worst-site",
    "metric": "f1",
    "report section": "frequency",
    "baseline": "coin",
}


@pytest.fixture
def examples() -> Iterator[None]:
    """All examples, run one after the other as one user's module; undeclared afterwards."""
    with declared():
        for number, (_, code) in enumerate(BLOCKS):
            exec(compile(code, f"CONTRIBUTING.md, {number}", "exec", dont_inherit=True), {"__name__": "my_parts"})
        yield


def test_there_is_one_for_every_plug_point(examples: None) -> None:
    assert len(BLOCKS) == len(DECLARED)
    open_registries = {what for what in REGISTRIES if what != "backend"}  # of gdsfd.ops, see docs/message-passing.md
    assert set(DECLARED) == open_registries
    for what, name in DECLARED.items():
        assert name in REGISTRIES[what]
        assert REGISTRIES[what].plugin_of(name) == "my_parts"


def test_they_work_together(examples: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence, "presence_picture", lambda graph: None)
    cohort = patients()
    cohort["person"] = [f"{'ABCQTU'[k % 6]}{k}" for k in range(len(cohort))]
    bands = pd.DataFrame(np.random.default_rng(0).normal(size=(len(cohort), 6)), columns=[f"b_{k}" for k in range(6)])
    entry = {"name": "eeg", "kind": "spectrum", "source": bands.assign(pid=cohort.pid), "id": "pid", "columns": "b_*"}
    graph = gdsfd.build_graph(
        spec([entry], cohort={"source": cohort, "subject": "person"}, split={"kind": "initial"}), progress=False
    )
    assert set(graph["patient"].split) == {"train", "tuning", "test"}
    debias: dict[str, Any] = {
        "head": "causal", "mask": "one-number", "adjustment": "mean-bias", "information": "covariance",
        "weight": "unsure", "stage_one": 0.0,
    }  # fmt: skip
    settings: dict[str, Any] = {"members": 1, "channels": 4, "max_epochs": 2, "guard_folds": 0, "guard": "debiased"}
    model = gdsfd.Debiaser("sum", debias, **settings).fit(graph)
    report = gdsfd.evaluate(model, graph, resamples=20, progress=False)
    assert report.metrics["frequency"] == pytest.approx(
        np.nanmean(graph["patient"].y.numpy()[[s == "test" for s in graph["patient"].split]])
    )
    page = report.html()
    for words in ("F1 score", "How frequent is the outcome?", "a coin"):
        assert words in page


def test_the_objective_is_trained_by_and_not_needed_afterwards(examples: None, tmp_path: Path) -> None:
    cohort = patients()
    cohort["site"] = ["north", "south"] * (len(cohort) // 2) + ["north"] * (len(cohort) % 2)
    bands = pd.DataFrame(np.random.default_rng(0).normal(size=(len(cohort), 2)), columns=["a", "b"])
    entry = {"name": "labs", "kind": "table", "source": bands.assign(pid=cohort.pid), "id": "pid"}
    graph = gdsfd.build_graph(spec([entry], cohort={"source": cohort, "environment": "site"}), progress=False)
    settings: dict[str, Any] = {"members": 2, "channels": 4, "max_epochs": 2, "guard_folds": 0, "guard": "debiased"}
    debias = {"streams": False, "objective": "worst-site"}
    model = gdsfd.Debiaser("concat", debias, suspects="environment", **settings).fit(graph, baselines=False)
    model.save(tmp_path / "run")
    together = model.predict_proba(graph)
    del REGISTRIES["objective"]._parts["worst-site"]
    np.testing.assert_array_equal(gdsfd.Debiaser.load(tmp_path / "run").predict_proba(graph), together)
