"""How a training is followed: a line of the log per epoch, the caller's own, and a bar where asked for.

Each model has its own clock on the bar, and a resumed one starts in the middle.
"""

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
    assert "loss=0.250" in shown


def row(epoch, model=None, seconds=2.0):
    made = {"epoch": epoch, "tuning_loss": 0.5, "tuning_auprc": 0.25, "seconds": seconds}
    return made if model is None else {"model": model, **made}


def test_the_rate_is_that_of_the_model_that_is_trained(capsys):
    with followed("training muse", 10, True, None) as watch:
        for epoch in (1, 2, 3):
            watch(row(epoch, "reference"))
        watch(row(1, "debiased", seconds=4.0))
        facts = watch.bar.format_dict
        assert (facts["n"], facts["total"], facts["initial"]) == (1, 10, 0)
        assert facts["elapsed"] == pytest.approx(4.0, abs=0.5)  # the epoch that has just ended
    shown = capsys.readouterr().err
    assert "training muse (reference)" in shown
    assert "training muse (debiased)" in shown
    assert "loss=0.500" in shown


def test_a_resumed_run_starts_in_the_middle(capsys):
    with followed("training muse", 10, True, None) as watch:
        watch(row(6))
        watch(row(7))
        assert (watch.bar.format_dict["n"], watch.bar.format_dict["initial"]) == (7, 5)


def test_work_without_epochs_is_named_and_the_caller_is_told_of_each_row(capsys):
    told = []
    with followed("training muse", 10, True, told.append) as watch:
        watch(row(1))
        watch.stage("fitting baselines")
    assert told == [row(1)]
    assert "training muse: fitting baselines" in capsys.readouterr().err


def test_nothing_is_shown_unless_wanted(capsys):
    with followed("training muse", 10, False, None) as watch:
        watch(row(1))
        watch.stage("fitting baselines")
    assert capsys.readouterr().err == ""
