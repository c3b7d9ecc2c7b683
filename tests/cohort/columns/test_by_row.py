from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gdsfd.cohort.columns import by_row as module
from gdsfd.cohort.columns.by_row import by_row


@pytest.mark.parametrize("cells", [1, 10, 10**6])
@pytest.mark.parametrize("shape", [(3, 17), (0, 5), (4, 0), (1, 1)])
@pytest.mark.parametrize("limit", ["0", "1000000"])
def test_pieces_are_the_rows_of_the_matrix(
    cells: int, shape: tuple[int, int], limit: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_CELLS", cells)
    monkeypatch.setenv("GDSFD_ARRAY_BYTES", limit)
    random = np.random.default_rng(0)
    columns, rows = random.normal(size=shape).astype(np.float32), random.random(shape[1]) < 0.6
    for wanted in (rows, np.ones(shape[1], bool), np.zeros(shape[1], bool)):
        found = by_row(columns, wanted, tmp_path)
        np.testing.assert_array_equal(found, columns.T[wanted])
        assert found.shape == (int(wanted.sum()), shape[0])
        assert (found.dtype, found.flags.c_contiguous) == (np.float32, True)
