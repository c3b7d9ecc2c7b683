"""Cells of new patients are read as those of training were, or it is told."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.cohort import Cohort
from gdsfd.cohort.schema import CohortSchema
from gdsfd.errors import SchemaError
from tests.cohort.small_exports import events, patients, spec

CODES: dict[str, Any] = {"name": "codes", "kind": "codes", "id": "pid", "code": "code", "min_count": 1}
EVENTS: dict[str, Any] = {"name": "vitals", "kind": "events", "id": "pid", "item": "item", "value": "value"}
TABLE: dict[str, Any] = {"name": "labs", "kind": "table", "id": "pid", "columns": ["value"], "min_level_count": 1}
VECTOR: dict[str, Any] = {"name": "scan", "kind": "embedding", "id": "pid", "columns": "e_*"}


def one_each(**columns: Any) -> pd.DataFrame:
    return patients()[["pid"]].assign(**columns)


def told(cohort: Cohort) -> list[str]:
    return [finding.text for finding in cohort.receipt.findings if finding.kind == "reading"]


@pytest.mark.parametrize(
    ("entry", "source", "key"),
    [
        (EVENTS, events().assign(value=lambda rows: np.where(np.arange(len(rows)) % 3, rows["value"], -1)), "value"),
        (TABLE, one_each(value=[-1.0, 5.5] * 20), "numeric"),
        (TABLE, one_each(value=["-1", "a"] * 20), "categorical"),
        (CODES, one_each(code=["-1", "I10"] * 20), "code"),
        (VECTOR, one_each(e_0=[-1.0, 0.5] * 20, e_1=[-1.0, 1.5] * 20), "vector"),
    ],
    ids=["events", "numbers", "levels", "codes", "vectors"],
)
def test_what_was_missing_in_training_is_missing_though_the_new_spec_forgot_it(
    entry: dict[str, Any], source: pd.DataFrame, key: str
) -> None:
    fitted = build_cohort(spec({**entry, "source": source, "missing": [-1]}))
    found = build_cohort(spec({**entry, "source": source}), like=fitted.schema)
    name = entry["name"]
    np.testing.assert_array_equal(getattr(found.observations[name], key), getattr(fitted.observations[name], key))
    assert any(
        "training had '-1' declared missing, and this spec has not: read as missing" in text for text in told(found)
    )
    again = build_cohort(spec({**entry, "source": source, "missing": ["-1.0"]}), like=fitted.schema)
    assert told(again) == []


def test_components_have_the_order_of_training() -> None:
    width = 12
    values = np.random.default_rng(0).normal(size=(40, width))
    source = one_each(**{f"e_{place}": values[:, place] for place in range(width)})
    fitted = build_cohort(spec({**VECTOR, "source": source}))
    by_name = source[["pid", *sorted(column for column in source if column != "pid")]]
    found = build_cohort(spec({**VECTOR, "source": by_name}), like=fitted.schema)
    np.testing.assert_array_equal(found.observations["scan"].vector, fitted.observations["scan"].vector)
    assert "components were put in the order of training" in found.receipt.modalities[0].notes
    other = source.rename(columns=lambda column: column.replace("e_", "v_"))
    found = build_cohort(spec({**VECTOR, "source": other, "columns": "v_*"}), like=fitted.schema)
    assert any("'v_0' where it had 'e_0'" in text and "all predictions are wrong" in text for text in told(found))


def test_events_with_values_are_none_without() -> None:
    fitted = build_cohort(spec({**EVENTS, "source": events()}))
    bare = {**EVENTS, "source": events(), "value": None}
    with pytest.raises(
        SchemaError, match=r"expected rows with a value, as fitted, got rows without.*say under 'value'"
    ):
        build_cohort(spec(bare), like=fitted.schema)
    done = build_cohort(spec(bare))
    with pytest.raises(SchemaError, match=r"expected rows without a value.*leave 'value' out"):
        build_cohort(spec({**EVENTS, "source": events()}), like=done.schema)


def test_elapsed_time_in_another_unit_is_refused() -> None:
    cohort = patients().assign(admitted=pd.Timestamp("2020-01-10"))
    source = one_each(item="age", born=pd.Timestamp("1950-01-01"))
    entry = {**EVENTS, "value": None, "source": source, "time": "born", "origin": "admitted", "bin": 52_596_000}
    fitted = build_cohort(spec({**entry, "elapsed": "years"}, cohort={"source": cohort}))
    with pytest.raises(SchemaError, match="time elapsed in years as fitted, got days; write elapsed = 'years'"):
        build_cohort(spec({**entry, "elapsed": "days"}, cohort={"source": cohort}), like=fitted.schema)


def test_levels_of_codes_that_one_spec_has_are_told() -> None:
    source = one_each(code=["a|b", "c"] * 20)
    levels = build_cohort(spec({**CODES, "source": source, "separator": "|"}))
    whole = build_cohort(spec({**CODES, "source": source}))
    several = build_cohort(spec({**CODES, "source": source, "split_on": "|"}))
    lacking = build_cohort(spec({**CODES, "source": source}), like=levels.schema)
    assert any("with separator '|'; this spec has no separator" in text for text in told(lacking))
    added = build_cohort(spec({**CODES, "source": source, "separator": "|"}), like=whole.schema)
    assert any("had no separator; the levels above codes" in text for text in told(added))
    unsplit = build_cohort(spec({**CODES, "source": source}), like=several.schema)
    assert any("split on '|'; this spec splits none" in text for text in told(unsplit))


def test_schemas_of_earlier_versions_say_nothing_of_it() -> None:
    schema = build_cohort(spec({**EVENTS, "source": events(), "missing": [-1]})).schema
    stored = schema.to_dict()
    assert schema.modalities[0].reading is not None
    assert CohortSchema.from_dict(stored) == schema
    for modality in stored["modalities"]:
        del modality["reading"]
    earlier = CohortSchema.from_dict(stored)
    assert earlier.plain() == stored
    assert told(build_cohort(spec({**EVENTS, "source": events()}), like=earlier)) == []
