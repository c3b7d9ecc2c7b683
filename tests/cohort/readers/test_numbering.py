from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from gdsfd.cohort.readers.numbering import NUMBER, number_texts
from gdsfd.cohort.sources.internal_names import ROW
from gdsfd.cohort.sources.sources import Sources
from gdsfd.errors import InputError

CODES = ["b", "a", None, "b", " c ", "", "out"]


@pytest.mark.parametrize(
    ("first", "texts"),
    [((), ["a", "b", "c"]), (("z", "c"), ["z", "c", "a", "b"])],  # of a fitted schema, also what is not there
)
def test_each_row_has_the_number_of_its_text(first: tuple[str, ...], texts: list[str]) -> None:
    frame = pd.DataFrame({"code": CODES, "at": range(len(CODES))})
    with Sources(Path()) as sources:
        view = sources.open(frame, "m", where="code <> 'out' OR code IS NULL")
        rows, found = number_texts(view, "code", sources, first)
        read = sources.database.fetch(rows.order_by(ROW))
    assert found == texts
    expected = ["b", "a", None, "b", "c", None, None]  # a text that where leaves out has no number
    assert [None if k is None else texts[k] for k in read[NUMBER].to_pylist()] == expected
    assert read["at"].to_pylist() == list(range(len(CODES)))
    assert [name for name in read.column_names if not name.startswith("__")] == ["code", "at"]


def test_whole_floats_are_numbered_like_the_integers_they_are() -> None:
    with Sources(Path()) as sources:
        view = sources.open(pd.DataFrame({"code": [401.0, 250.5, None, 401.0]}), "m")
        rows, texts = number_texts(view, "code", sources)
        assert texts == ["250.5", "401"]
        assert sources.database.fetch(rows.order_by(ROW))[NUMBER].to_pylist() == [1, 0, None, 1]


def test_an_endless_name_is_refused_where_a_cell_is_one_name() -> None:
    frame = pd.DataFrame({"code": ["a", "x" * 100_000]})
    with Sources(Path()) as sources:
        view = sources.open(frame, "m")
        assert len(number_texts(view, "code", sources)[1]) == 2  # a list of names may be long
        with pytest.raises(InputError, match="'code'"):
            number_texts(view, "code", sources, field="item of modality 'm'")
