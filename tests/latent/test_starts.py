from __future__ import annotations

import numpy as np
import pytest

from gdsfd.latent.starts import starts
from tests.latent.drawn import a_mixture, draw


@pytest.mark.parametrize("classes", [2, 3])
def test_every_start_shares_patients_out(classes):
    seen, y, _ = draw(a_mixture(), 200)
    found = list(starts(seen.content, y, seen.views, classes, seed=0, draws=2))
    assert len(found) == 1 + len(seen.views) + 2
    for share in found:
        assert share.shape == (200, classes)
        assert share.sum(1) == pytest.approx(np.ones(200))
        assert (share.sum(0) > 5).all()


def test_the_start_along_a_view_finds_what_tells_it():
    seen, y, u = draw(a_mixture(3.0), 800, missing=0.0)
    by_site = list(starts(seen.content, y, {"site": u}, 2, seed=0, draws=0))[1]
    agree = np.mean(by_site.argmax(1) == u)
    assert max(agree, 1 - agree) > 0.8
