"""New patients, read with a fitted schema: one evaluation set, absent columns, and warnings that speak of them."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.cohort import Cohort
from gdsfd.cohort.receipt.text import receipt_text
from gdsfd.errors import SchemaError
from tests.cohort.small_exports import labs, patients, spec

COLUMNS = {"environment": "site", "groups": ["sex"]}


@pytest.fixture(scope="module")
def trained() -> Cohort:
    return build_cohort(spec(cohort=COLUMNS))


def read(trained: Cohort, frame: pd.DataFrame, **fields: Any) -> Cohort:
    table = {"name": "labs", "kind": "table", "source": labs(), "id": "pid", "missing": [-1], "min_level_count": 1}
    return build_cohort(spec(table, cohort={**COLUMNS, "source": frame}, **fields), like=trained.schema)


def findings(cohort: Cohort) -> dict[str, str]:
    return {finding.where: finding.text for finding in cohort.receipt.findings}


@pytest.mark.parametrize(
    "split",
    [
        {"kind": "subject", "seed": 3},
        {"kind": "subject", "folds": 5, "fold": 1},
        {"kind": "environment", "holdout": "nowhere"},
        {"kind": "time", "column": "not there"},
        {"kind": "column", "column": "not there"},
    ],
    ids=lambda split: "-".join(map(str, split.values())),
)
def test_all_are_one_evaluation_set(trained: Cohort, split: dict[str, Any]) -> None:
    cohort = read(trained, patients(), split=split)
    assert cohort.split == ["new"] * len(patients())
    assert [row["patients"] for row in cohort.receipt.tables["splits"]] == [len(patients())]
    assert cohort.schema == trained.schema


def test_a_split_column_keeps_its_names_and_a_warning_says_that_nobody_is_trained_on(trained: Cohort) -> None:
    frame = patients()
    frame["set"] = ["train", "train", "2019", "2019"] * (len(frame) // 4)
    cohort = read(trained, frame, split={"kind": "column", "column": "set"})
    assert cohort.split == frame["set"].tolist()
    assert "puts 20 new patients into 'train': nothing is fitted or chosen on them" in findings(cohort)["train"]


def test_what_is_not_recorded_there_may_be_missing_and_is_told(trained: Cohort) -> None:
    cohort = read(trained, patients().drop(columns=["person", "site", "sex", "died"]))
    assert cohort.subject == cohort.id
    assert cohort.environment is None
    assert cohort.groups == {}
    told = findings(cohort)
    assert "has no column 'person': every patient counts as a person of their own" in told["person"]
    assert "has no column 'site': nothing is reported by environment" in told["site"]
    assert "has no column 'sex': nothing is reported for this group" in told["sex"]
    assert "has no column 'died': 'death' is unlabelled for all" in told["died"]
    near = findings(read(trained, patients().rename(columns={"person": "persons"})))
    assert near["person"].endswith("Did you mean 'persons'?")
    part = build_cohort(
        spec(cohort={**COLUMNS, "environment": ["site", "ward"], "source": patients()}), like=trained.schema
    )
    assert part.environment is None
    assert "ward" in findings(part)


def test_warnings_speak_of_the_new_patients(trained: Cohort) -> None:
    frame = patients()
    table = labs()
    table["wbc"] = [8.0 if died == "yes" else 2.0 for died in frame["died"]]
    entry = {"name": "labs", "kind": "table", "source": table, "id": "pid", "missing": [-1], "min_level_count": 1}
    cohort = build_cohort(spec(entry, cohort=COLUMNS), like=trained.schema)
    of_column = [finding.text for finding in cohort.receipt.findings if finding.where == "labs.wbc"]
    assert any("(40 new patients)" in text for text in of_column)
    nobody = build_cohort(spec({**entry, "where": "false"}, cohort=COLUMNS), like=trained.schema)
    assert findings(nobody)["labs"].startswith("no new patient has it")
    for receipt in (cohort.receipt, nobody.receipt):
        text = receipt_text(receipt)
        assert "new patients, read with a fitted schema" in text
        assert "fitted on train" not in text
        assert "training losses" not in text
    fitted = build_cohort(spec(entry, cohort=COLUMNS))
    assert "training patients)" in findings(fitted)["labs.wbc"]
    assert not fitted.receipt.new


POSITIVE: dict[str, Any] = {"name": "death", "column": "died"}


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        ({"positive": "NO", "negative": "YES"}, {"yes": "YES", "no": "NO"}),
        ({"positive": 0, "negative": 1}, {"yes": "1", "no": "0"}),
        ({"positive": "0.0", "negative": "1.0"}, {"yes": "1", "no": "0"}),
        ({"positive": ["no", "moved"], "negative": "yes"}, {}),
        ({"positive": " No "}, {"yes": "Yes", "no": " No "}),
    ],
    ids=["case", "numbers", "decimals", "one-of-several", "positive-alone"],
)
def test_classes_at_other_places_are_refused_however_they_are_spelled(
    trained: Cohort, outcome: dict[str, Any], words: dict[str, str]
) -> None:
    """Else the model's risk of dying would be held against surviving, and the AUROC be one less what it is."""
    frame = patients().replace({"died": words})
    with pytest.raises(SchemaError, match="read as those of another class"):
        read(trained, frame, outcome={**POSITIVE, **outcome})


def test_classes_in_other_words_are_read_as_the_models_and_told(trained: Cohort) -> None:
    frame = patients().replace({"died": {"yes": "dead", "no": "alive"}})
    found = read(trained, frame, outcome={**POSITIVE, "positive": "dead", "negative": "alive"})
    assert "read as its own: 'alive' as 'no', 'dead' as 'yes'" in findings(found)["death"]
    assert found.schema.outcomes[0].classes == ("no", "yes")
    numbers = patients().replace({"died": {"yes": "1", "no": "0"}})
    assert "death" not in findings(read(trained, numbers, outcome={**POSITIVE, "positive": 1, "negative": 0}))
    more = patients()
    more.loc[more.index[more["died"] == "no"][:9], "died"] = "hospice"
    wider = read(trained, more, outcome={**POSITIVE, "positive": ["yes", "hospice"], "negative": "no"})
    assert "'yes or hospice' as 'yes'" in findings(wider)["death"]


def test_a_class_of_several_that_the_model_does_not_know_is_told() -> None:
    stages = {"name": "stage", "column": "stage", "classes": ["CN", "MCI", "AD"]}
    table = {"name": "labs", "kind": "table", "source": labs(), "id": "pid", "missing": [-1], "min_level_count": 1}
    trained = build_cohort(spec(table, outcome=stages))
    frame = patients().replace({"stage": {"AD": "FTD"}})
    entry = {**stages, "classes": ["CN", "MCI", "FTD"]}
    found = build_cohort(spec(table, cohort={"source": frame}, outcome=entry), like=trained.schema)
    assert "'FTD' as 'AD'" in findings(found)["stage"]


def test_other_environments_are_told(trained: Cohort) -> None:
    frame = patients().assign(ward=["A", "B"] * 20)
    table = {"name": "labs", "kind": "table", "source": labs(), "id": "pid", "missing": [-1], "min_level_count": 1}
    found = build_cohort(
        spec(table, cohort={**COLUMNS, "environment": ["site", "ward"], "source": frame}), like=trained.schema
    )
    assert "environments are of 'site+ward' here and of 'site' in training" in findings(found)["site+ward"]
