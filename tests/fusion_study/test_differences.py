"""Which interval a difference gets: by whether seeds judge the same patients."""

from __future__ import annotations

import numpy as np
import pytest

from gdsfd.fusion_study.differences import difference
from gdsfd.fusion_study.paired_auroc import paired_auroc
from gdsfd.fusion_study.resampled import resampled
from tests.fusion_study.material import material

SHIFTS = {("concat", "natural"): 1.0, ("muse", "natural"): 1.3}


def test_splits_drawn_anew_have_the_corrected_interval() -> None:
    made = material(SHIFTS)
    assert not made.one_split
    found = difference(made, "muse", "concat")
    gaps = np.array(made.by_seed("muse")) - np.array(made.by_seed("concat"))
    expected = resampled(gaps, 800, 400)
    assert (found.mean, found.low, found.high) == pytest.approx((expected.mean, expected.low, expected.high))
    assert found.verdict == "better"


@pytest.mark.parametrize("seeds", [(0,), (0, 1, 2)])
def test_on_one_split_the_draw_of_patients_enters(seeds) -> None:
    made = material(SHIFTS, seeds=seeds, same_patients=True)
    assert made.one_split
    found = difference(made, "muse", "concat")
    within = []
    for seed in seeds:
        own = made.predictions[made.predictions["seed"] == seed]
        mine, other = (own[own["learner"] == name] for name in ("muse", "concat"))
        y = mine["y"].to_numpy()
        within.append(paired_auroc(y, mine["p"].to_numpy(), other["p"].to_numpy(), np.arange(len(y))).error)
    assert found.error >= np.sqrt(np.mean(np.square(within))) * (1 - 1e-9)
    if len(seeds) == 1:
        assert found.error == pytest.approx(within[0])
    assert difference(made, "concat", "concat").mean == 0
