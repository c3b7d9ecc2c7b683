"""Suspects: their forms, and what they name."""

from __future__ import annotations

import pytest

from gdsfd.errors import InputError
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.training import Debiaser
from gdsfd.training.suspects import check_suspects, read_suspects
from tests.cohort_factory import make_cohort


def test_one_word_or_several() -> None:
    assert read_suspects("environment") == ("environment",)
    assert read_suspects(["modality:labs", "column:labs.a.b"]) == ("modality:labs", "column:labs.a.b")


@pytest.mark.parametrize("word", ["patterns", "modality:", "column:labs", "site:x", ""])
def test_other_forms_are_refused(word: str) -> None:
    with pytest.raises(InputError, match="suspects: expected 'pattern', 'environment'"):
        Debiaser(suspects=("environment", word))


def test_names_are_looked_up() -> None:
    schema = graph_from_cohort(make_cohort(30)).schema
    check_suspects(["pattern", "modality:labs", "column:labs.lactate"], schema)
    with pytest.raises(InputError, match=r"no modality 'lab'. Did you mean 'labs'"):
        check_suspects(["modality:lab"], schema)
    with pytest.raises(InputError, match=r"'labs' has no column 'lactat'. Did you mean 'lactate'"):
        check_suspects(["column:labs.lactat"], schema)
