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
