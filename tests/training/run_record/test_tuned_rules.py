"""Thresholds and lines of all targets, kept as JSON; damaged ones are refused."""

from __future__ import annotations

import copy
import json
import math

import numpy as np
import pytest

from gdsfd.errors import InputError
from gdsfd.training.run_record.operating_point import choose_threshold
from gdsfd.training.run_record.recalibration import fit_recalibration
from gdsfd.training.run_record.tuned_rules import SENSITIVITIES, TunedRules, tune_rules


def rules() -> TunedRules:
    rng = np.random.default_rng(0)
    p = rng.random((300, 2))
    y = (rng.random((300, 2)) < p).astype(float)
    y[:40, 0] = np.nan
    y[:, 1] = np.where(np.arange(300) < 3, 1.0, 0.0)  # too few for a threshold
    return tune_rules(("death", "stroke"), y, p)


def test_each_target_has_its_thresholds_and_its_line():
    rng = np.random.default_rng(0)
    p = rng.random((300, 2))
    y = (rng.random((300, 2)) < p).astype(float)[40:, 0]
    own = rules()
    for place, aim in enumerate(SENSITIVITIES):
        assert own.points[0][place] == choose_threshold(y, p[40:, 0], aim)
        assert own.at(aim)[0] == own.points[0][place]
        assert "only 3 positive" in own.points[1][place].reason
    assert own.lines[0] == fit_recalibration(y, p[40:, 0])
    assert "only 3 positive" in own.lines[1].reason
    assert own.at(0.1 + 0.7)[0].target == 0.8  # as close as numbers with a point come
    assert own.at(0.81) is None


def test_it_survives_json_bit_for_bit():
    own = rules()
    stored = json.loads(json.dumps(own.to_dict(), allow_nan=False))
    again = TunedRules.from_dict(stored, "model.json")
    assert again.points[0] == own.points[0]
    assert again.lines[0] == own.lines[0]
    assert [point.reason for point in again.points[1]] == [point.reason for point in own.points[1]]
    assert math.isnan(again.points[1][0].threshold)


@pytest.mark.parametrize(
    "change",
    [
        lambda stored: stored.pop("sensitivities"),
        lambda stored: stored.update(sensitivities=[0.5]),
        lambda stored: stored.update(targets=None),
        lambda stored: stored["targets"]["death"].pop("thresholds"),
        lambda stored: stored["targets"]["death"].update(thresholds=[2.0] * 12),
        lambda stored: stored["targets"]["death"].update(thresholds=["high"] * 12),
        lambda stored: stored["targets"]["death"]["thresholds"].pop(),
        lambda stored: stored["targets"]["death"].update(slope=-1.0),
        lambda stored: stored["targets"]["death"].update(slope=None),
    ],
)
def test_damaged_rules_are_refused(change):
    stored = copy.deepcopy(rules().to_dict())
    change(stored)
    with pytest.raises(InputError, match=r"model\.json: the thresholds kept with the model are damaged"):
        TunedRules.from_dict(stored, "model.json")
