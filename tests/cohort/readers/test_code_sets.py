"""Sets of codes against Python's own sets, whatever the pieces they come in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gdsfd.cohort.packing import pieces_of_runs
from gdsfd.cohort.readers import code_sets
from gdsfd.cohort.readers.code_sets import TokenSets

#: Tokens of each cell; the third cell has none, two cells share one.
CELLS = [[0], [1, 2], [], [2, 3, 0], [4]]
PATIENTS = 12


def taken(pairs: list[tuple[int, int]], piece: int, train: np.ndarray, folder: Path) -> TokenSets:
    ptr = np.concatenate([[0], np.cumsum([len(cell) for cell in CELLS])])
    tokens = np.array([token for cell in CELLS for token in cell])
    sets = TokenSets(ptr, tokens, 5, train, folder)
    patient, cell = np.array(pairs, np.int64).reshape(-1, 2).T
    for start in range(0, len(pairs), piece):
        sets.add(patient[start : start + piece], cell[start : start + piece])
    return sets


@pytest.mark.parametrize("piece", [1, 2, 5, 100])
@pytest.mark.parametrize("limit", ["0", "1000000"])
def test_pieces_of_any_size(piece: int, limit: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GDSFD_ARRAY_BYTES", limit)
    monkeypatch.setattr(code_sets, "pieces_of_runs", lambda ptr: pieces_of_runs(ptr, piece))
    random = np.random.default_rng(3)
    pairs = sorted({(int(random.choice([0, 2, 3, 7, 11])), int(random.integers(0, 5))) for _ in range(20)})
    train = np.arange(PATIENTS) < 7
    sets = taken(pairs, piece, train, tmp_path)
    patient, ptr, token = sets.finish()
    of = {p: set() for p, cell in pairs if CELLS[cell]}
    for p, cell in pairs:
        of.setdefault(p, set()).update(CELLS[cell])
    of = {p: tokens for p, tokens in of.items() if tokens}
    assert patient.tolist() == sorted(of)
    assert [token[ptr[k] : ptr[k + 1]].tolist() for k in range(len(patient))] == [sorted(of[p]) for p in sorted(of)]
    assert token.dtype == np.int32
    assert isinstance(token, np.memmap) == (limit == "0")
    came = [one for _, cell in pairs for one in CELLS[cell]]
    assert sets.frequency.tolist() == [came.count(one) for one in range(5)]
    assert sets.patients_in_train.tolist() == [sum(one in of[p] for p in of if train[p]) for one in range(5)]
    codes = np.array([0, 3, 0, 2, 1])
    code_ptr, code = sets.as_codes(ptr, token, codes)
    expected = [sorted({int(codes[one]) for one in of[p]}) for p in sorted(of)]
    assert [code[code_ptr[k] : code_ptr[k + 1]].tolist() for k in range(len(patient))] == expected


def test_nobody_has_a_code(tmp_path: Path) -> None:
    sets = taken([], 1, np.ones(PATIENTS, bool), tmp_path)
    patient, ptr, token = sets.finish()
    assert (patient.tolist(), ptr.tolist(), token.tolist()) == ([], [0], [])
    assert [part.tolist() for part in sets.as_codes(ptr, token, np.arange(5))] == [[0], []]
