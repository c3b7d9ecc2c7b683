"""The long runs of benchmarks/: what counts as done, and how designs are written."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from gdsfd.comparison.fit_log import FitLog
from gdsfd.comparison.fits import EVERY_BASELINE, Plan
from gdsfd.errors import InputError
from gdsfd.nn.streams.config import PRESETS, StreamConfig
from gdsfd.training.config import TrainConfig

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
import compare_simulated
import fit_jobs

sys.path.pop(0)


def plan(**other: Any) -> Plan:
    given: dict[str, Any] = {"config": TrainConfig(max_epochs=3), **other}
    return Plan({"none": None, "full": PRESETS["full"]} | given.pop("arms", {}), ("muse",), **given)


@pytest.fixture
def file(tmp_path):
    """A run in which everything was fitted."""
    file = tmp_path / "fits.jsonl"
    FitLog(file).append([{"run": "1", "command": "x", **fit_jobs.made_with(plan())}])
    rows = [{"backbone": backbone, "arm": arm} for backbone, arm in plan().rows()]
    lines = [{"design": "d", "holdout": None, "seed": 0, **row, "splits": {}} for row in rows]
    FitLog(file, {"run": "1"}).append(lines)
    return file


def test_the_same_plan_is_done(file):
    assert fit_jobs.finished(file, plan()) == {("d", None, 0): set(plan().rows())}
    assert fit_jobs.finished(file.with_name("none.jsonl"), plan()) == {}


def test_another_arm_is_not_done_and_the_rest_is(file):
    changed = plan(arms={"full": StreamConfig(streams=False, margin=True)})
    done = fit_jobs.finished(file, changed)["d", None, 0]
    assert set(changed.rows()) - done == {("muse", "full"), ("muse", "full (forced)")}
    more = plan(arms={"strata": PRESETS["strata"]})
    done = fit_jobs.finished(file, more)["d", None, 0]
    assert set(more.rows()) - done == {("muse", "strata"), ("muse", "strata (forced)")}


def test_other_suspects_or_folds_concern_debiased_arms_only_and_suspects_what_stands_beside_their_margin(file):
    margins = {("", "boosting_margin"), ("", "logistic_margin")}
    for changed, further in ((plan(suspects=("pattern",)), margins), (plan(folds={"full": 0}), set())):
        done = fit_jobs.finished(file, changed)["d", None, 0]
        assert set(changed.rows()) - done == {("muse", "full"), ("muse", "full (forced)")} | further


def test_parts_that_came_later_are_at_their_defaults_in_earlier_runs(file):
    lines = [json.loads(text) for text in file.read_text().splitlines()]
    del lines[0]["arms"]["full"]["objective"]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert fit_jobs.finished(file, plan()) == {("d", None, 0): set(plan().rows())}
    lines[0]["arms"]["full"]["batch"] = True  # a part that there is no more
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert set(plan().rows()) - fit_jobs.finished(file, plan())["d", None, 0] == {
        ("muse", "full"),
        ("muse", "full (forced)"),
    }


def test_other_training_settings_concern_all_networks(file):
    done = fit_jobs.finished(file, plan(config=TrainConfig(max_epochs=4)))["d", None, 0]
    assert done == {("", name) for name in EVERY_BASELINE}


def test_designs():
    assert compare_simulated.options_of("confounded") == ("confounded", {})
    assert compare_simulated.options_of("label_noise:0.3") == ("label_noise", {"label_noise": 0.3})
    assert compare_simulated.options_of("collider:patients=600:sites=4") == ("collider", {"patients": 600, "sites": 4})
    with pytest.raises(InputError, match="no setting 'confounded'"):
        compare_simulated.options_of("confounded:0.8")


def test_a_short_line_keeps_the_figures():
    record = {
        "arm": "none (matched)",
        "splits": {"test": {"n": 3, "positives": 1, "auroc": 0.1234567}},
        "config": {"channels": 76, "members": 1},
        "guard": {"choice": "debiased", "words": "long"},
        "told": {"suspects": ["pattern"], "nats": [0.1]},
    }
    assert fit_jobs._short(record) == {
        "arm": "none (matched)",
        "splits": {"test": {"n": 3, "auroc": 0.12346}},
        "channels": 76,
        "guard": {"choice": "debiased"},
        "told": [0.1],
    }
