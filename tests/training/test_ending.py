"""Why a training ended."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.training import Debiaser, TrainConfig
from gdsfd.training.ending import why_ended
from gdsfd.training.state import TrainingState
from tests.cohort_factory import make_cohort


@pytest.mark.parametrize(
    ("epoch", "best", "settings", "words"),
    [
        (20, 5, {}, "stopped: no better tuning loss for 15 epochs"),
        (100, 85, {}, "stopped: no better tuning loss for 15 epochs"),
        (100, 100, {}, "ended by max_epochs=100 while the tuning loss was still falling: raise max_epochs"),
        (100, 90, {}, "ended by max_epochs=100, 10 epochs after the best tuning loss (patience is 15)"),
        (9, 9, {"max_epochs": 9, "monitor": "auprc"}, "ended by max_epochs=9 while the tuning AUPRC was still rising"),
    ],
)
def test_in_words(epoch: int, best: int, settings: dict, words: str) -> None:
    assert why_ended(TrainingState(epoch=epoch, best_epoch=best), TrainConfig(**settings)).startswith(words)


def test_the_run_says_it_of_each_network(tmp_path: Path) -> None:
    graph = graph_from_cohort(make_cohort(100))
    settings = {"channels": 4, "members": 1, "guard_folds": 0}
    stopped = Debiaser("concat", max_epochs=60, patience=1, learning_rate=0.1, **settings)
    stopped.fit(graph, out=tmp_path / "run")
    assert stopped.training["ended"] == {"reference": "stopped: no better tuning loss for 1 epochs"}
    stored = json.loads((tmp_path / "run" / "model.json").read_text())
    assert stored["training"]["ended"] == stopped.training["ended"]
    both = Debiaser("concat", "strata", max_epochs=1, **settings).fit(graph, baselines=False)
    assert set(both.describe()["ended"]) == {"reference", "debiased"}
    assert all("raise max_epochs" in words for words in both.training["ended"].values())
