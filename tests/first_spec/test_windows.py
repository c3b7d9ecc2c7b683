"""When the prediction is made, and which rows lie before it."""

from __future__ import annotations

import numpy as np
import pytest

from gdsfd.first_spec.windows import bin_of, prediction_time, window_of

TWO_DAYS = np.linspace(0, 2879, 1000)
MONTH = np.linspace(0, 43200, 1000)


@pytest.mark.parametrize(
    ("lags", "hours", "known", "end", "words"),
    [
        ([MONTH], 12, 48, 720, "as told"),
        ([MONTH], None, 48, 2880, "usual for this export"),
        ([MONTH], None, 0, 0, "prediction time itself"),
        (
            [TWO_DAYS],
            None,
            None,
            1440,
            "The export ends after 48 hours",
        ),  # what comes after a day may follow the outcome
        ([MONTH], None, None, 1440, "a guess"),
        ([], None, None, 1440, "a guess"),
    ],
)
def test_the_prediction(lags, hours, known, end, words):
    found, why = prediction_time(lags, hours, known)
    assert found == end
    assert words in why


@pytest.mark.parametrize(
    ("lags", "end", "steps", "window"),
    [
        (MONTH, 1440, True, (0, 1440)),
        (np.concatenate([np.full(500, -600.0), TWO_DAYS]), 1440, True, (-2880, 1440)),
        (np.concatenate([np.full(20, -600.0), TWO_DAYS]), 1440, True, (0, 1440)),
        (np.concatenate([np.full(500, -300 * 1440.0), TWO_DAYS]), 1440, False, (-365 * 1440, 1440)),
        (np.concatenate([np.full(500, -300 * 1440.0), TWO_DAYS]), 1440, True, (-2880, 1440)),
        (np.linspace(-3000, 100, 200), 0, True, (-365 * 1440, 0)),
        (np.zeros(0), 1440, True, (0, 1440)),
    ],
)
def test_a_window(lags, end, steps, window):
    assert window_of(lags, end, steps)[:2] == window


def test_bins_keep_the_number_of_steps_small():
    assert bin_of(0, 1440, True) == 60
    assert bin_of(-2880, 1440, True) == 240
    assert bin_of(0, 1440, False) == 1440
    for start in (-365 * 1440.0, -100 * 365 * 1440.0):
        assert (1440 - start) / bin_of(start, 1440, True) <= 310
