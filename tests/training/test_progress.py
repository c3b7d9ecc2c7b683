"""How a training is followed: a line of the log per epoch, the caller's own, and a bar where asked for."""

from __future__ import annotations

import logging

import pytest

from gdsfd.training.progress import followed

ROWS = [
    {"epoch": 1, "tuning_loss": 0.5, "model": "reference"},
    {"epoch": 2, "tuning_loss": 0.25, "model": "reference"},
    {"epoch": 1, "tuning_loss": 0.75, "model": "debiased"},
]


def test_a_line_per_epoch_and_the_callers_own(caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture) -> None:
    seen: list[dict] = []
    with caplog.at_level(logging.INFO, "gdsfd"), followed("fit", 9, None, seen.append) as watch:
        for row in ROWS:
            watch(row)
        watch({"epoch": 3, "tuning_loss": 1.0})
    assert seen == [*ROWS, {"epoch": 3, "tuning_loss": 1.0}]
    assert [record.getMessage() for record in caplog.records] == [
        "fit: reference, epoch 1 of at most 9, tuning loss 0.5000",
        "fit: reference, epoch 2 of at most 9, tuning loss 0.2500",
        "fit: debiased, epoch 1 of at most 9, tuning loss 0.7500",
        "fit: epoch 3 of at most 9, tuning loss 1.0000",
    ]
    assert capsys.readouterr().err == ""  # no terminal, no bar


def test_a_bar_where_it_is_asked_for(capsys: pytest.CaptureFixture) -> None:
    with followed("fit", 9, True, None) as watch:
        for row in ROWS[:2]:
            watch(row)
    shown = capsys.readouterr().err
    assert "fit (reference)" in shown
    assert "2/9" in shown
    assert "tuning_loss=0.250" in shown
