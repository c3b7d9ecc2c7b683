"""The wrapper of fairlearn, and what is said without it."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from gdsfd.errors import InputError
from gdsfd.evaluation.fairness import metric_frame


def test_figures_by_group():
    pytest.importorskip("fairlearn", reason="fairlearn is not installed (extra: fairness)")
    frame = metric_frame(np.array([1.0, 1, 0, 1, 0, 0]), np.array([0.9, 0.1, 0.8, 0.9, 0.1, 0.2]), list("aaabbb"), 0.5)
    assert frame.by_group["tpr"].to_dict() == {"a": 0.5, "b": 1.0}
    assert frame.by_group["fpr"].to_dict() == {"a": 1.0, "b": 0.0}


def test_without_fairlearn_the_message_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "fairlearn.metrics", None)
    with pytest.raises(InputError, match=r"pip install 'gdsfd\[fairness\]'"):
        metric_frame(np.array([1.0]), np.array([0.5]), ["a"], 0.5)
