from __future__ import annotations

import logging

import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold

from gdsfd.training.run_record.choose_calibration import choose_calibration
from gdsfd.training.run_record.isotonic_steps import fit_isotonic
from gdsfd.training.run_record.recalibration import fit_recalibration


def drawn(shape, n: int = 1500, seed: int = 0):
    """Risks, and outcomes whose chance is a shape of them."""
    rng = np.random.default_rng(seed)
    p = expit(rng.normal(0, 1.2, n))
    return (rng.random(n) < shape(p)).astype(float)[:, None], p[:, None], [f"s{k}" for k in range(n)]


def stepped(p):
    """No line on log-odds comes near it."""
    return np.where(p < 0.3, 0.05, np.where(p < 0.7, 0.5, 0.55))


@pytest.mark.parametrize(
    ("shape", "expected"),
    [(lambda p: p, "none"), (lambda p: expit(1.5 + 0.5 * logit(p)), "logistic"), (stepped, "isotonic")],
    ids=["calibrated", "line", "steps"],
)
def test_auto_finds_the_shape(shape, expected) -> None:
    found = choose_calibration("o", "auto", *drawn(shape))
    assert (found.method, found.reason) == (expected, "")
    assert min(found.losses, key=found.losses.__getitem__) == expected


def test_the_losses_are_those_of_folds_by_hand() -> None:
    y, p, who = drawn(stepped, 400)
    found = choose_calibration("o", "auto", y, p, who)
    total = {"none": [], "logistic": [], "isotonic": []}
    label = y[:, 0].astype(int)
    for inside, outside in StratifiedKFold(5, shuffle=True, random_state=0).split(label, label):
        line, curve = (fit(y[inside, 0], p[inside, 0]) for fit in (fit_recalibration, fit_isotonic))
        for name, given in (
            ("none", p[outside, 0]),
            ("logistic", line(p[outside, 0])),
            ("isotonic", curve(p[outside, 0])),
        ):
            total[name].append(log_loss(label[outside], given) * len(outside))
    assert found.losses == pytest.approx({name: sum(parts) / 400 for name, parts in total.items()})
    whole = fit_isotonic(y[:, 0], p[:, 0])
    assert choose_calibration("o", "isotonic", y, p, who).corrections == (whole,)


def test_unlabelled_rows_say_nothing() -> None:
    y, p, who = drawn(stepped, 400)
    more = np.full((50, 1), np.nan)
    padded = choose_calibration("o", "auto", np.vstack([y, more]), np.vstack([p, more * 0 + 0.5]), [*who, *who[:50]])
    assert padded == choose_calibration("o", "auto", y, p, who)


def test_a_persons_rows_stay_together() -> None:
    """Every row stands twice: kept apart, the copy of a row would be in its own fit."""
    y, p, who = drawn(stepped, 300)
    twice = choose_calibration("o", "auto", np.repeat(y, 2, 0), np.repeat(p, 2, 0), np.repeat(who, 2).tolist())
    apart = choose_calibration("o", "auto", np.repeat(y, 2, 0), np.repeat(p, 2, 0), [str(k) for k in range(600)])
    assert apart.losses["isotonic"] < twice.losses["isotonic"]


def test_too_few_patients_are_told(caplog) -> None:
    y, p, who = drawn(lambda p: p, 30)
    y[:] = 0
    y[:4] = 1
    with caplog.at_level(logging.WARNING):
        found = choose_calibration("died", "auto", y, p, who)
    assert (found.method, found.corrections) == ("none", ())
    assert "only 4 positive patients" in found.reason
    assert "died: risks are not recalibrated: no line" in caplog.text
    assert choose_calibration("o", "isotonic", *drawn(lambda p: p, 50)).method == "none"


def test_where_no_fold_can_be_left_out_it_is_told() -> None:
    y, p, who = drawn(lambda p: p, 24)
    y[:, 0] = np.arange(24) % 2  # twelve of each: enough for a line, not for one on four fifths
    found = choose_calibration("o", "auto", y, p, who)
    assert found.method == "none"
    assert "too few tuning patients to judge a correction" in found.reason


def test_classes_are_judged_together() -> None:
    rng = np.random.default_rng(0)
    p = rng.dirichlet([1.0, 1.0, 1.0], 1200)
    sharper = p**0.4 / (p**0.4).sum(1, keepdims=True)
    label = np.array([rng.choice(3, p=row) for row in sharper])
    y = (label[:, None] == np.arange(3)).astype(float)
    found = choose_calibration("o", "auto", y, p, [str(k) for k in range(1200)])
    assert found.method != "none"
    assert len(found.corrections) == 3
    assert log_loss(label, found(p)) < log_loss(label, p)
