from __future__ import annotations

import pandas as pd
import pytest

from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.patients.split_kind import SPLIT_KINDS
from gdsfd.errors import InputError, SpecError
from tests.cohort.small_exports import patients, spec
from tests.plugin_parts import declared


@pytest.fixture
def latest():
    with declared("latest_split"):
        yield


def cohort_table() -> pd.DataFrame:
    """Persons of one site each, admitted in the order of their numbers."""
    frame = patients()
    person = frame.index // 2
    return frame.assign(minute=person * 10, site=["north" if one % 4 == 0 else "south" for one in person])


def fields(**split: object) -> dict[str, object]:
    return {
        "cohort": {"source": cohort_table(), "subject": "person", "environment": "site"},
        "split": {"fractions": [0.6, 0.2, 0.2], **split},
    }


def test_an_own_kind_of_split_shares_out_the_patients(latest):
    cohort = build_cohort(spec(**fields(kind="latest", column="minute")))
    for site in ("north", "south"):
        order = [split for split, own in zip(cohort.split, cohort.environment or []) if own == site]
        assert order == sorted(order, key=["train", "tuning", "test"].index)
        assert order.count("test") == round(0.2 * len(order))
    assert len({(person, split) for person, split in zip(cohort.subject, cohort.split)}) == 20


def test_what_it_needs_is_asked_for(latest):
    with pytest.raises(SpecError, match="kind 'latest' needs 'column'"):
        spec(**fields(kind="latest"))
    with pytest.raises(SpecError, match=r"split\.kind 'latest' needs cohort\.environment"):
        spec(split={"kind": "latest", "column": "minute"})
    with pytest.raises(SpecError, match="folds go with kind 'subject', got kind 'latest'"):
        spec(**fields(kind="latest", column="minute", folds=3))


def test_a_kind_that_tears_subjects_apart_is_refused(latest):
    with pytest.raises(InputError, match="'torn' put patients of one subject into several splits"):
        build_cohort(spec(**fields(kind="torn")))


def test_new_patients_are_one_set(latest):
    fitted = build_cohort(spec(**fields(kind="latest", column="minute")))
    new = build_cohort(spec(**fields(kind="latest", column="minute")), like=fitted.schema)
    assert set(new.split) == {"new"}


def test_an_unknown_kind_is_refused_with_near_names():
    with pytest.raises(
        SpecError, match=r"split\.kind: expected one of \['subject', .*got 'tim'\. Did you mean 'time'\?"
    ):
        spec(split={"kind": "tim"})
    assert SPLIT_KINDS.names()[:4] == ("subject", "environment", "time", "column")
