from __future__ import annotations

import numpy as np
import pytest

from gdsfd.latent.number_of_classes import number_of_classes
from gdsfd.latent.search import Search
from tests.latent.drawn import a_mixture, draw


def test_two_where_there_are_two():
    seen, y, _ = draw(a_mixture(2.5), 900)
    held_out, y_held_out, _ = draw(a_mixture(2.5), 300, seed=1)
    found = number_of_classes(Search(seen, y), held_out, y_held_out)
    assert found.chosen == 2
    assert found.gain[0] > 2 * found.error[0]
    assert len(found.gain) == 2


def test_one_where_there_is_one_and_no_more_than_allowed():
    seen, y, _ = draw(a_mixture(0.0), 600)
    plain = {name: np.random.default_rng(0).permutation(codes) for name, codes in seen.views.items()}
    seen = type(seen)(seen.content, seen.block, plain)
    search = Search(seen.rows(np.arange(450)), y[:450])
    assert number_of_classes(search, seen.rows(np.arange(450, 600)), y[450:]).chosen == 1
    seen, y, _ = draw(a_mixture(2.5), 600)
    assert number_of_classes(Search(seen, y), seen, y, most=2).chosen == 2
    assert number_of_classes(Search(seen, y), seen, y, most=1).gain == pytest.approx(())
