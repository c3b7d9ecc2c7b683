from __future__ import annotations

import numpy as np
import pytest

from gdsfd.cohort.columns import by_column as module
from gdsfd.cohort.columns.by_column import by_column


@pytest.mark.parametrize("cells", [1, 20, 10**6])
@pytest.mark.parametrize("shape", [(17, 5), (4, 0), (0, 3)])
def test_columns_are_those_of_the_matrix(cells: int, shape: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CELLS", cells)
    random = np.random.default_rng(0)
    matrix, rows = random.normal(size=shape).astype(np.float32), random.random(shape[0]) < 0.5
    for wanted in (None, rows):
        expected = matrix if wanted is None else matrix[wanted]
        found = list(by_column(matrix, wanted))
        assert len(found) == shape[1]
        for place, column in enumerate(found):
            np.testing.assert_array_equal(column, expected[:, place])
