from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from gdsfd.cohort.spec import CodesSpec, CohortSpec, CohortTable, EventsSpec, OutcomeSpec, TableSpec, load_spec
from gdsfd.errors import InputError, SpecError

BASE: dict[str, Any] = {
    "cohort": {"source": "patient.csv", "id": "stay"},
    "outcome": {"name": "death", "column": "status", "positive": "Expired"},
    "modality": {"name": "labs", "kind": "table", "source": "labs.csv", "id": "stay"},
}
EXAMPLE = """
[cohort]
source = "patient.csv.gz"
id = "patientunitstayid"
subject = "uniquepid"
environment = "hospitalid"
groups = ["gender", "ethnicity"]
where = "unitdischargeoffset >= 720"
[outcome]
name = "mortality"
column = "hospitaldischargestatus"
positive = "Expired"
negative = "Alive"
[split]
kind = "subject"
fractions = [0.7, 0.1, 0.2]
seed = 0
[[modality]]
name = "apache"
kind = "table"
source = "apacheApsVar.csv.gz"
id = "patientunitstayid"
columns = ["wbc", "temperature"]
missing = [-1]
[[modality]]
name = "vitals"
kind = "events"
source = "vitalAperiodic.csv.gz"
id = "patientunitstayid"
time = "observationoffset"
window = [0, 1440]
bin = 60
item = "labname"
value = "labresult"
min_count = 50
[[modality]]
name = "diagnosis"
kind = "codes"
source = "diagnosis.csv.gz"
id = "patientunitstayid"
code = "diagnosisstring"
[[modality]]
name = "note"
kind = "embedding"
source = "note_embeddings.parquet"
id = "patientunitstayid"
columns = "e_*"
"""


def made(**fields: Any) -> CohortSpec:
    return CohortSpec(**{**BASE, **fields})


def test_the_documented_example_is_read(tmp_path: Path) -> None:
    (tmp_path / "cohort.toml").write_text(EXAMPLE)
    spec = load_spec(tmp_path / "cohort.toml")
    assert spec.base_dir == tmp_path.resolve()
    assert [modality.kind for modality in spec.modality] == ["table", "events", "codes", "embedding"]
    assert spec.cohort.environment == ["hospitalid"]
    vitals = spec.modality[1]
    assert isinstance(vitals, EventsSpec)
    assert (vitals.window, vitals.bin, vitals.min_count) == ((0, 1440), 60, 50)
    assert json.loads(json.dumps(spec.to_dict()))["modality"][3]["columns"] == "e_*"


def test_single_entries_and_models_are_taken_as_lists() -> None:
    spec = CohortSpec(
        cohort=CohortTable(source="patient.csv", id="stay"),
        outcome=OutcomeSpec(name="death", column="status", positive=1),
        modality=[
            TableSpec(name="a", source="a.csv", id="stay"),
            CodesSpec(name="b", source="b.csv", id="stay", code="c"),
        ],
    )
    assert len(spec.outcome) == 1
    assert spec.outcome[0].positive == [1]
    assert [modality.name for modality in spec.modality] == ["a", "b"]


def test_a_stored_spec_names_the_type_of_a_data_frame() -> None:
    frame = pd.DataFrame({"stay": [1]})
    spec = made(cohort={"source": frame, "id": "stay"})
    assert spec.cohort.source is frame
    assert spec.to_dict()["cohort"]["source"] == "<DataFrame>"
    json.dumps(spec.to_dict())


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"cohort": {**BASE["cohort"], "enviroment": "x"}},
            r"cohort.enviroment: unknown key. Did you mean 'environment'\?",
        ),
        (
            {"modality": [{**BASE["modality"], "colums": ["wbc"]}]},
            r"modality\[0\] \('labs'\).colums: unknown key. Did you mean 'columns'\?",
        ),
        ({"modality": {**BASE["modality"], "bin": 60}}, r"modality\[0\] \('labs'\).bin: unknown key"),
        ({"outcomes": {}}, r"outcomes: unknown key. Did you mean 'outcome'\?"),
        ({"split": {"fraction": [1, 0, 0]}}, r"split.fraction: unknown key. Did you mean 'fractions'\?"),
        (
            {"modality": {**BASE["modality"], "kind": "tabel"}},
            r"kind: expected one of .*'table'\], got 'tabel'. Did you mean 'table'\?",
        ),
        (
            {"modality": {"kind": "table", "source": "a.csv", "id": "stay"}},
            r"modality\[0\].name: is required but missing",
        ),
        ({"modality": []}, "modality: .*at least 1"),
        ({"modality": [BASE["modality"], BASE["modality"]]}, "modality names must differ, got 'labs'"),
        ({"modality": {**BASE["modality"], "name": "a.b"}}, "expected a name without"),
        ({"modality": {**BASE["modality"], "source": " "}}, "expected a path, a glob, a DataFrame or an Ibis table"),
        ({"modality": {**BASE["modality"], "window": [0, 10]}}, "'window' and 'origin' need 'time'"),
        ({"modality": {**BASE["modality"], "time": "t", "window": [10, 10]}}, "window: expected start < end"),
        ({"modality": {**BASE["modality"], "kind": "events"}}, "expected either 'item'"),
        (
            {"modality": {**BASE["modality"], "kind": "events", "values": ["a"], "value": "b"}},
            "'value' goes with 'item'",
        ),
        (
            {"modality": {**BASE["modality"], "kind": "events", "values": ["a"], "bin": 0}},
            "bin: expected a number from 0.001",
        ),
        ({"outcome": {"name": "d", "column": "c"}}, "expected either 'positive' .* or 'classes'"),
        (
            {"outcome": {"name": "d", "column": "c", "classes": ["a", "b"], "positive": "a"}},
            "expected either 'positive'",
        ),
        ({"outcome": {"name": "d", "column": "c", "classes": ["a"]}}, "at least two different classes"),
        (
            {"outcome": [BASE["outcome"], {"name": "e", "column": "c", "classes": ["a", "b"]}]},
            "several outcomes must all be binary",
        ),
        ({"split": {"fractions": [0.5, 0.1, 0.1]}}, "three shares .* that add up to 1"),
        ({"split": {"kind": "time"}}, "kind 'time' needs 'column'"),
        ({"split": {"kind": "environment"}}, "needs 'holdout'"),
        ({"split": {"kind": "environment", "holdout": "x"}}, "needs cohort.environment"),
        ({"split": {"folds": 5, "fold": 5}}, r"fold: expected 0 .. 4, got 5"),
        ({"split": {"kind": "random"}}, "split.kind: .*'random'"),
    ],
)
def test_wrong_specs(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        made(**fields)


EVENTS: dict[str, Any] = {**BASE["modality"], "kind": "events", "item": "i", "time": "t"}
CODES: dict[str, Any] = {**BASE["modality"], "kind": "codes", "code": "c"}


def bounded(value: Any) -> str:
    """A name of a test: Python writes out no number of thousands of digits."""
    return f"{value:.3e}" if isinstance(value, int) and abs(value) < 10**300 else type(value).__name__


NO_NUMBERS: list[Any] = [float("nan"), float("inf"), float("-inf"), 10**400, 10**5000, True, "1e-3", "5", None, [1], {}]


@pytest.mark.parametrize("value", [*NO_NUMBERS, 0, -1, 1e-7, 1e9], ids=bounded)
def test_bin_is_bounded(value: Any) -> None:
    with pytest.raises(
        SpecError, match=r"modality\[0\] \('labs'\).bin: expected a number from 0.001 to 52,596,000 minutes"
    ):
        made(modality={**EVENTS, "bin": value})


@pytest.mark.parametrize("value", [value for value in NO_NUMBERS if value is not None] + [1e8], ids=bounded)
def test_windows_are_bounded(value: Any) -> None:
    for window in ([0, value], [value, 10]):
        with pytest.raises(
            SpecError, match=r"window\[[01]\]: expected a number from -52,596,000 to 52,596,000 minutes"
        ):
            made(modality={**EVENTS, "window": window})


def test_a_window_has_a_bounded_number_of_steps() -> None:
    with pytest.raises(SpecError, match=r"bin: expected at most 100,000 steps in a window, got 0.01 minutes per step"):
        made(modality={**EVENTS, "window": [0, 1440], "bin": 0.01})
    made(modality={**EVENTS, "window": [0, 1000], "bin": 0.01})


@pytest.mark.parametrize("value", [*NO_NUMBERS, -0.1, 1.1], ids=bounded)
def test_fractions_are_bounded(value: Any) -> None:
    for place in range(3):
        fractions = [0.7, 0.1, 0.2]
        fractions[place] = value
        with pytest.raises(SpecError, match=rf"split.fractions\[{place}\]: expected a number from 0 to 1"):
            made(split={"fractions": fractions})


@pytest.mark.parametrize(
    ("field", "low", "high", "make"),
    [
        ("seed", 0, 2**32 - 1, lambda value: {"split": {"seed": value}}),
        ("folds", 2, 1000, lambda value: {"split": {"folds": value}}),
        ("fold", 0, None, lambda value: {"split": {"folds": 5, "fold": value}}),
        ("min_count", 1, 10**9, lambda value: {"modality": {**EVENTS, "min_count": value}}),
        ("min_level_count", 1, 10**9, lambda value: {"modality": {**BASE["modality"], "min_level_count": value}}),
        ("max_codes", 1, 10**9, lambda value: {"modality": {**CODES, "max_codes": value}}),
    ],
)  # fmt: skip
def test_whole_numbers_are_bounded(field: str, low: int, high: int | None, make: Any) -> None:
    wrong = [value for value in NO_NUMBERS if value is not None]  # no maximum of codes is none
    for value in [*wrong, 1.5, low - 1, -1, *([high + 1] if high else [2**40])]:
        with pytest.raises(SpecError, match=rf"{field}: expected a whole number from {low}"):
            made(**make(value))
    for value in (low, *([high] if high else [])):
        made(**make(value))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 10**400, 10**5000, -(10**30), "x" * 20_000], ids=bounded)
def test_declared_values_are_finite_and_short(value: Any) -> None:
    with pytest.raises(SpecError, match=r"missing\[0\]: expected (finite )?(numbers|texts)") as caught:
        made(modality={**EVENTS, "missing": value})
    assert len(str(caught.value)) < 400
    with pytest.raises(SpecError, match=r"positive\[1\]: expected"):
        made(outcome={"name": "d", "column": "c", "positive": [1, value]})


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"positive": 1, "negative": ["1.0", 0]}, "positive has 1 and negative has '1.0', which are equal"),
        ({"positive": "a", "missing": "a"}, "positive has 'a' and missing has 'a'"),
        ({"classes": [1, 2, "1.0"]}, r"classes\[0\] has 1 and classes\[2\] has '1.0'"),
        ({"classes": ["a", "b"], "missing": "b"}, r"missing has 'b' and classes\[1\] has 'b'"),
        ({"positive": True, "negative": "yes"}, "positive has True and negative has 'yes'"),
    ],
)
def test_a_value_has_one_meaning(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        made(outcome={"name": "d", "column": "c", **fields})


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"cohort": 3}, "cohort"), ({"outcome": "x"}, r"outcome\[0\]"), ({"modality": 5}, r"modality\[0\]"),
        ({"split": [1]}, "split"), ({"cohort": {**BASE["cohort"], "id": 1}}, "cohort.id"),
        ({"cohort": {**BASE["cohort"], "derive": {"a": 1}}}, "cohort.derive.a"),
        ({"cohort": {**BASE["cohort"], "groups": [1]}}, r"cohort.groups\[0\]"),
        ({"modality": {**EVENTS, "window": [0]}}, r"modality\[0\] \('labs'\).window\[1\]"),
        ({"modality": {**EVENTS, "time": 5}}, r"modality\[0\] \('labs'\).time"),
        ({"modality": [{**EVENTS, "name": f"m{k}"} for k in range(10_001)]}, "modality"),
        ({"modality": {**EVENTS, "name": "x" * 201}}, r"modality\[0\] .*name"),
    ],
)  # fmt: skip
def test_a_wrong_type_is_told_with_the_path_of_the_field(fields: dict[str, Any], path: str) -> None:
    with pytest.raises(SpecError, match=rf"^{path}: ") as caught:
        made(**fields)
    assert len(str(caught.value)) < 600


def test_several_mistakes_are_told_at_once() -> None:
    with pytest.raises(SpecError, match=r"cohort.x: unknown key.*; split.y: unknown key"):
        made(cohort={**BASE["cohort"], "x": 1}, split={"y": 2})


def test_files_that_are_no_spec(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none.toml cannot be read: No such file"):
        load_spec(tmp_path / "none.toml")
    path = tmp_path / "bad.toml"
    path.write_text("[cohort\n")
    with pytest.raises(SpecError, match=r"bad.toml is not valid TOML: .*line 1"):
        load_spec(path)
    path.write_text("a = " + "1" * 5000)  # Python reads no whole number of so many digits
    with pytest.raises(SpecError, match="is not valid TOML"):
        load_spec(path)
    path.write_text("a = " + "[" * 5000 + "]" * 5000)
    with pytest.raises(SpecError, match="is not valid TOML"):
        load_spec(path)
    path.write_bytes("a = 'caf\xe9'".encode("latin1"))
    with pytest.raises(SpecError, match="is not UTF-8"):
        load_spec(path)
    path.write_text(EXAMPLE.replace("missing = [-1]", "misssing = [-1]"))
    with pytest.raises(
        SpecError, match=r"bad.toml: modality\[0\] \('apache'\).misssing: unknown key. Did you mean 'missing'"
    ):
        load_spec(path)
