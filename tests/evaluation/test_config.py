"""Settings of an evaluation."""

from __future__ import annotations

import pytest

from gdsfd.errors import InputError
from gdsfd.evaluation.metrics.metric_set import EvaluationConfig


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("resamples", -1),
        ("level", 1.0),
        ("sensitivity", 0.0),
        ("bins", 1),
        ("resamples", 10**12),
        ("seed", -1),
        ("level", float("nan")),
        ("min_patients", True),
    ],
)
def test_options_out_of_range_are_refused_by_name(option, value):
    with pytest.raises(InputError, match=f"{option}': expected"):
        EvaluationConfig(**{option: value})
