"""The page shows what the tables say, and no more of it than it should."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from gdsfd.training.explanation import page as module
from gdsfd.training.explanation.explanation import Explanation
from gdsfd.training.explanation.page import page


def made(of: str = "prediction", seen: int = 0) -> Explanation:
    """Two patients; the second has nothing."""
    patients = pd.DataFrame(
        {"id": ["<a>", "b"], "split": "test", "log_odds": [1.5, -1.0], "probability": [0.8176, 0.2689]}
    ).assign(log_odds_without_any=-1.0)
    modalities = pd.DataFrame({"id": "<a>", "modality": ["labs", "note"], "deletion": 0.1, "shapley": [2.0, 0.5]})
    values = pd.DataFrame(
        {"id": "<a>", "modality": "labs", "column": ["x", "y"], "value": ["3", ""], "effect": [-0.4, 1.0]}
    )
    return Explanation("ill", of, patients, modalities, values, seen)


def test_bars_are_as_long_as_effects_and_names_are_escaped() -> None:
    html = page(made())
    assert "&lt;a&gt;" in html
    assert "<a>" not in html
    bars = re.findall(r'class="(up|down)" style="width: ([\d.]+)%"', html)
    assert bars == [("up", "50.0"), ("up", "12.5"), ("up", "25.0"), ("down", "10.0")]
    assert html.count("nothing measured") == 2  # the second patient, both tables
    assert "81.8%" in html
    assert 'labs.x <span class="value">= 3</span>' in html
    assert "href" not in html
    assert 'class="warning"' not in html


def test_what_has_to_be_said_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "2 of 2 patients were trained on" in page(made(seen=2))
    assert "not the prediction" in page(made(of="biased"))
    monkeypatch.setattr(module, "MOST_PATIENTS", 1)
    html = page(made())
    assert "Not shown here, but in the tables: 1 of 2 patients." in html
    assert html.count("<section>") == 1
