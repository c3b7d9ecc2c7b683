from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from gdsfd.cohort.formats.label_file import read_label_file
from gdsfd.errors import InputError

KEYS = pd.DataFrame(
    {
        "subject_id": [7, 7, 9],
        "prediction_time": pd.to_datetime(["2020-01-01 08:00", "2020-02-01 00:00", "2021-01-01 00:00"]),
    }
)


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
@pytest.mark.parametrize(
    ("column", "values", "outcome"),
    [
        ("boolean_value", [True, False, True], {"positive": [True], "negative": [False]}),
        ("integer_value", [1, 0, 0], {"positive": [1], "negative": [0]}),
        ("integer_value", [10, 2, 2], {"classes": ["2", "10"]}),
        ("categorical_value", ["b", "a", "c"], {"classes": ["a", "b", "c"]}),
    ],
)
def test_the_outcome_is_what_the_labels_hold(tmp_path: Path, suffix, column, values, outcome) -> None:
    frame = KEYS.assign(**{column: values})
    path = tmp_path / f"death.{suffix}"
    frame.to_parquet(path) if suffix == "parquet" else frame.to_csv(path, index=False)
    found = read_label_file(path.name, tmp_path)
    assert found.outcome == {"name": "death", "column": column, **outcome}
    assert found.source == path.name
    assert found.moments["subject_id"].to_pylist() == ["7", "7", "9"]
    assert found.moments["prediction_time"].to_pandas().tolist() == KEYS["prediction_time"].tolist()


def test_a_folder_of_shards(tmp_path: Path) -> None:
    (tmp_path / "death" / "train").mkdir(parents=True)
    for shard in range(2):
        KEYS.assign(boolean_value=True).to_parquet(tmp_path / "death" / "train" / f"{shard}.parquet")
    found = read_label_file("death", tmp_path)
    assert found.source == "death/**/*.parquet"
    assert found.moments.num_rows == 6
    assert found.outcome is not None
    assert found.outcome["name"] == "death"


@pytest.mark.parametrize(
    ("columns", "why"),
    [
        ({"float_value": [0.5, 1.5, 2.0]}, "are numbers"),
        ({"categorical_value": ["a", "a", "a"]}, "1 different values"),
        ({"boolean_value": [True, False, True], "integer_value": [1, 0, 1]}, "several values"),
    ],
)
def test_where_no_outcome_can_be_told_it_says_why(tmp_path: Path, columns, why) -> None:
    KEYS.assign(**columns).to_parquet(tmp_path / "l.parquet")
    found = read_label_file("l.parquet", tmp_path)
    assert found.outcome is None
    assert why in found.why


def test_labels_need_a_person_and_a_time(tmp_path: Path) -> None:
    KEYS.drop(columns="prediction_time").to_parquet(tmp_path / "l.parquet")
    with pytest.raises(InputError, match="no column 'prediction_time'; expected MEDS's label schema"):
        read_label_file("l.parquet", tmp_path)


def test_times_with_offsets_are_one_clock(tmp_path: Path) -> None:
    """Offsets change with summer time; typed or as text, a moment is the same."""
    texts = ["2020-03-29T01:30:00+01:00", "2020-03-29T03:30:00+02:00", "2020-10-25T02:30:00+01:00"]
    moments = ["2020-03-29 00:30", "2020-03-29 01:30", "2020-10-25 01:30"]
    frame = KEYS.assign(prediction_time=texts, boolean_value=True)
    frame.to_csv(tmp_path / "l.csv", index=False)
    typed = pd.to_datetime(pd.Series(texts), utc=True).dt.tz_convert("Europe/Berlin")
    frame.assign(prediction_time=typed).to_parquet(tmp_path / "l.parquet")
    for name in ("l.csv", "l.parquet"):
        found = read_label_file(name, tmp_path).moments["prediction_time"].to_pandas()
        assert found.tolist() == pd.to_datetime(moments).tolist(), name


def test_dates_of_prediction(tmp_path: Path) -> None:
    KEYS.assign(prediction_time=KEYS["prediction_time"].dt.date, boolean_value=True).to_parquet(tmp_path / "l.parquet")
    found = read_label_file("l.parquet", tmp_path).moments["prediction_time"].to_pandas()
    assert found.tolist() == KEYS["prediction_time"].dt.normalize().tolist()


def test_words_for_no_answer_are_no_class(tmp_path: Path) -> None:
    frame = pd.concat([KEYS, KEYS.head(2).assign(subject_id=[11, 12])], ignore_index=True)
    frame.assign(categorical_value=["AD", "CN", "MCI", "unknown", "NA"]).to_parquet(tmp_path / "stage.parquet")
    found = read_label_file("stage.parquet", tmp_path).outcome
    assert found is not None
    assert found["classes"] == ["AD", "CN", "MCI"]
    assert found["missing"] == ["NA", "unknown"]


def test_numbers_for_no_answer_are_asked_about(tmp_path: Path) -> None:
    KEYS.assign(integer_value=[1, 0, -9]).to_parquet(tmp_path / "l.parquet")
    found = read_label_file("l.parquet", tmp_path)
    assert found.outcome is None
    assert "'-9' beside other numbers, which may stand for no answer" in found.why


def test_yes_and_no_beside_blanks(tmp_path: Path) -> None:
    """A column of whole numbers with a blank is one of floats in a DataFrame."""
    KEYS.assign(integer_value=[1.0, 0.0, None]).to_parquet(tmp_path / "l.parquet")
    found = read_label_file("l.parquet", tmp_path).outcome
    assert found == {"name": "l", "column": "integer_value", "positive": [1], "negative": [0]}
