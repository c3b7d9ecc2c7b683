"""The plain-text table."""

from __future__ import annotations

import numpy as np
import pandas as pd

from gdsfd.cli.headline import headline, text_table


def test_text_left_numbers_right_nan_as_dash():
    frame = pd.DataFrame(
        {"model": ["muse", "boosting"], "n": [750, 12], "auroc": [0.81234, np.nan], "95 %": ["[.78, .84]", "-"]}
    )
    assert text_table(frame).splitlines() == [
        "model       n  auroc  95 %",
        "--------  ---  -----  ----------",
        "muse      750  0.812  [.78, .84]",
        "boosting   12      -  -",
    ]


def test_a_figure_and_its_interval_in_one_cell():
    frame = pd.DataFrame(
        {
            "model": ["muse", "boosting"],
            "auroc": [0.8, 0.75],
            "auroc_low": [0.7, np.nan],
            "auroc_high": [0.9, np.nan],
            "brier": [0.1, 0.125],
        }
    )
    assert headline(frame).splitlines()[1:] == [
        "--------  --------------------  -----",
        "muse      0.800 [0.700, 0.900]  0.100",
        "boosting  0.750                 0.125",
    ]


def test_no_rows():
    assert text_table(pd.DataFrame({"model": [], "auroc": []})).splitlines() == ["model  auroc", "-----  -----"]


SPLITS = pd.DataFrame(
    {
        "split": ["test", "test", "unbiased"],
        "model": ["muse", "gradient boosting", "muse"],
        "n": [60, 60, 50],
        "positives": [26, 26, 20],
        "prevalence": [0.4333, 0.4333, 0.4],
        "auroc": [0.8, 0.75, 0.6],
        "auroc_low": [0.7, np.nan, 0.5],
        "auroc_high": [0.9, np.nan, 0.7],
        "brier": [0.1, 0.125, 0.2],
        "log_loss": [0.3, 0.25, 0.4],
    }
)


def test_where_it_does_not_fit_each_split_has_a_table_and_what_is_left_out_is_named():
    assert headline(SPLITS, 60).splitlines() == [
        "test: 60 patients, 26 positive, prevalence 0.433",
        "",
        "model              auroc                 brier  log_loss",
        "-----------------  --------------------  -----  --------",
        "muse               0.800 [0.700, 0.900]  0.100     0.300",
        "gradient boosting  0.750                 0.125     0.250",
        "",
        "unbiased: 50 patients, 20 positive, prevalence 0.400",
        "",
        "model  auroc                 brier  log_loss",
        "-----  --------------------  -----  --------",
        "muse   0.600 [0.500, 0.700]  0.200     0.400",
    ]
    narrow = headline(SPLITS, 50).splitlines()
    assert all(len(line) <= 50 for line in narrow[:-1] if ":" not in line)
    assert "muse               0.800 [0.700, 0.900]  0.100" in narrow
    assert narrow[-1] == "(no room here for log_loss: see the report, or a wider terminal)"


def test_where_it_fits_or_nobody_looks_it_is_one_table():
    assert headline(SPLITS, 200) == headline(SPLITS)
    assert len(headline(SPLITS).splitlines()) == 5
