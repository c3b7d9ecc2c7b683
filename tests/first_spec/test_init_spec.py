"""From a folder to a spec that builds: five real cohorts, three invented exports, and what is refused."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

import pytest

import gdsfd
from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.spec import load_spec
from gdsfd.errors import InputError
from gdsfd.first_spec import propose
from gdsfd.first_spec.init_spec import FirstSpec, init_spec, look_at
from tests.first_spec import invented
from tests.first_spec.invented import Export
from tests.first_spec.oracles import columns_behind, disagreements, stated

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
#: Export -> worked spec, outcome, its positive values, what its README calls leaky.
REAL = {
    "uci_heart_disease": ("uci_heart", "num", ["1", "2", "3", "4"], []),
    "physionet2012_set_a": (
        "physionet2012",
        "In-hospital_death",
        [],
        ["Length_of_stay", "Survival", "SAPS-I", "SOFA"],
    ),
    "support2": (
        "support2",
        "hospdead",
        [],
        [
            *("surv2m", "surv6m", "prg2m", "prg6m", "dnr", "dnrday", "charges", "totcst", "totmcst", "slos", "d.time"),
            *("sfdm2", "avtisst", "death"),
        ],
    ),
    "mimic_iv_demo": (
        "mimic_iv_24h",
        "hospital_expire_flag",
        [],
        ["dod", "deathtime", "dischtime", "discharge_location"],
    ),
    "eicu_demo": (
        "eicu",
        "hospitaldischargestatus",
        [],
        [
            *("dischargeweight", "hospitaldischargeoffset", "unitdischargeoffset", "hospitaldischargelocation"),
            *("unitdischargelocation", "unitdischargestatus", "diedinhospital", "hospitaldischargeyear"),
        ],
    ),
}
#: The cohorts, the large ones among the slow checks.
LARGE_ARE_SLOW = [
    pytest.param(name, marks=pytest.mark.slow if name in ("eicu_demo", "mimic_iv_demo") else ()) for name in REAL
]


@cache
def proposed(export: str, data: Path) -> FirstSpec:
    _, outcome, positive, _ = REAL[export]
    return init_spec(data / export, outcome, positive=positive)


def comments_of(text: str) -> str:
    return " ".join(line.removeprefix("#").strip() for line in text.splitlines() if line.startswith("#"))


def taken_columns(text: str) -> set[str]:
    """Every column that a modality of the spec reads as an input."""
    found: set[str] = set()
    for entry in tomllib.loads(text)["modality"]:
        for field in ("columns", "values", "item", "value", "code"):
            value = entry.get(field, [])
            found |= {value} if isinstance(value, str) else set(value)
    return found


@pytest.mark.data
@pytest.mark.parametrize("export", LARGE_ARE_SLOW)
def test_real_cohorts_have_the_ids_times_and_kinds_of_the_worked_specs(
    export: str, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GDSFD_DATA", str(data_dir))
    made = proposed(export, data_dir)
    ids, times, kinds = disagreements(made.text, EXAMPLES / f"{REAL[export][0]}.toml")
    assert ids == []
    assert times == []
    assert kinds >= 0.9
    worked = load_spec(EXAMPLES / f"{REAL[export][0]}.toml")
    fields = tomllib.loads(made.text)["cohort"]
    assert fields.get("subject", fields["id"]) == (worked.cohort.subject or worked.cohort.id)
    assert [fields["environment"]] == worked.cohort.environment
    assert set(fields["groups"]) == set(worked.cohort.groups)


@pytest.mark.data
@pytest.mark.parametrize("export", REAL)
def test_every_leaky_column_of_a_readme_is_left_out_and_named_as_such(export: str, data_dir: Path) -> None:
    text = proposed(export, data_dir).text
    leaky = REAL[export][3]
    assert taken_columns(text).isdisjoint(leaky)
    said = comments_of(text)
    assert [name for name in leaky if f"{name}: " not in said and f"{name} (" not in said] == []


#: What is lost without knowledge of layouts: leaky columns whose names say nothing.
UNSAID = {"support2": {"prg2m", "prg6m", "sfdm2", "avtisst"}}


@pytest.mark.data
@pytest.mark.parametrize("export", LARGE_ARE_SLOW)
def test_names_and_cells_alone_say_nearly_as_much(export: str, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GDSFD_DATA", str(data_dir))
    monkeypatch.setattr(propose, "LAYOUTS", ())
    example, outcome, positive, leaky = REAL[export]
    text = init_spec(data_dir / export, outcome, positive=positive).text
    ids, times, kinds = disagreements(text, EXAMPLES / f"{example}.toml")
    assert ids == times == []
    assert kinds >= 0.9
    assert taken_columns(text) & set(leaky) == UNSAID.get(export, set())


@pytest.mark.data
def test_leaky_tables_of_eicu_and_mimic_stand_there_with_the_reason_only(data_dir: Path) -> None:
    text = proposed("eicu_demo", data_dir).text
    names = {entry["name"] for entry in tomllib.loads(text)["modality"]}
    assert names.isdisjoint({"apachePatientResult", "carePlanEOL", "table_presence_by_stay"})
    for words in ("actual* and unabridged* are the outcome", "carePlanEOL: end-of-life care"):
        assert words in comments_of(text)
    text = proposed("mimic_iv_demo", data_dir).text
    assert {entry["name"] for entry in tomllib.loads(text)["modality"]}.isdisjoint({"drgcodes", "diagnoses_icd"})


@pytest.mark.data
@pytest.mark.parametrize("export", LARGE_ARE_SLOW)
def test_the_spec_of_a_real_cohort_builds_without_an_edit(export: str, data_dir: Path, tmp_path: Path) -> None:
    made = proposed(export, data_dir)
    assert made.check.ok
    (Path.cwd() / tmp_path / "spec.toml").write_text(made.text, encoding="utf-8")
    spec = gdsfd.CohortSpec(**tomllib.loads(made.text))  # paths are relative to the working directory
    cohort = build_cohort(spec, progress=False)
    assert len(cohort) == made.check.cohort.rows_kept
    assert all(len(observed.patient) for observed in cohort.observations.values())


@pytest.fixture(params=["registry", "trial", "warehouse", "sqlite"])
def export(request: pytest.FixtureRequest, tmp_path: Path) -> Export:
    folder = tmp_path / "exports"
    folder.mkdir()
    if request.param == "sqlite":
        return invented.warehouse(folder, "sqlite")
    return getattr(invented, request.param)(folder)


def test_invented_exports_get_what_is_true_of_them(export: Export, tmp_path: Path) -> None:
    out = tmp_path / "spec.toml"
    made = gdsfd.init_spec(export.source, export.outcome, out=out)
    assert out.read_text(encoding="utf-8") == made.text
    fields = tomllib.loads(made.text)["cohort"]
    assert (fields["id"], fields.get("subject")) == (export.id, export.subject)
    assert (fields["environment"], set(fields["groups"])) == (export.environment, set(export.groups))
    entries = {name.split(".")[0]: entry for name, entry in stated(made.text).items()}
    assert {name: entries[name]["kind"] for name in export.kinds} == export.kinds
    for name, column in export.times.items():
        assert column in columns_behind(entries[name], "time") or f"{column}__text" in columns_behind(
            entries[name], "time"
        )
    assert taken_columns(made.text).isdisjoint(export.leaks)
    assert [name for name in export.leaks if f"{name}: " not in comments_of(made.text)] == []
    assert all(entry["id"] == export.id for entry in entries.values())
    cohort = build_cohort(load_spec(out), progress=False)
    assert len(cohort) == invented.PATIENTS
    assert min(len(observed.patient) for observed in cohort.observations.values()) > 10


def test_a_simulated_cohort_agrees_with_its_own_spec(tmp_path: Path) -> None:
    exports = tmp_path / "exports"
    gdsfd.simulate(exports, patients=300, seed=1)
    (exports / "truth.parquet").unlink()
    made = init_spec(exports, "deteriorated", out=tmp_path / "spec.toml")
    ids, times, kinds = disagreements(made.text, exports / "spec.toml")
    assert ids == []
    assert times == []
    assert kinds == 1.0
    read = tomllib.loads(made.text)
    assert read["split"] == {"kind": "column", "column": "split"}
    assert all(entry.get("window", [0, 1440])[1] == 1440 for entry in read["modality"])
    assert "split" not in taken_columns(made.text)


def test_numbers_and_times_of_the_registry_are_read_as_a_person_reads_them(tmp_path: Path) -> None:
    export = invented.registry(tmp_path)
    init_spec(tmp_path, export.outcome, out=tmp_path / "spec.toml")
    cohort = build_cohort(load_spec(tmp_path / "spec.toml"), progress=False)
    assert 1.4 < cohort.observations["aufenthalte"].numeric[:, 1].mean() < 2.1
    chart = next(entry for entry in cohort.receipt.modalities if entry.name == "labor")
    assert sum(drop.rows for drop in chart.drops if "not a number" in drop.reason) == 0
    assert abs(cohort.observations["befundvektoren"].vector).max() < 6


def test_every_field_that_was_guessed_has_a_comment_above_it(tmp_path: Path) -> None:
    export = invented.registry(tmp_path)
    lines = init_spec(tmp_path, export.outcome).text.splitlines()
    for name in ("source", "id", "subject", "environment", "groups", "column", "kind", "time", "window"):
        places = [k for k, line in enumerate(lines) if line.startswith(f"{name} = ")]
        assert places, name
        if name in ("subject", "environment", "groups", "column", "kind", "time", "window"):
            assert all(lines[k - 1].startswith("#") for k in places), name


def test_what_cannot_be_told_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    export = invented.trial(tmp_path)
    before = sorted(tmp_path.iterdir())
    for outcome, words in (("ARM", "which of its values"), ("NOTHING", "no table has"), ("RESPONSE ", "no table has")):
        with pytest.raises(InputError, match=words):
            init_spec(export.source, outcome, out=tmp_path / "spec.toml")
    with pytest.raises(InputError, match="does not exist"):
        init_spec(tmp_path / "nowhere", "x")
    assert sorted(tmp_path.iterdir()) == before


def test_a_file_that_cannot_be_read_does_not_hide_the_others(tmp_path: Path) -> None:
    export = invented.trial(tmp_path)
    (tmp_path / "broken.csv").write_bytes(b"USUBJID,x\nGX,\x00\n")
    look = look_at(tmp_path)
    assert "NUL" in look.skipped["broken.csv"]
    made = init_spec(look, export.outcome)
    assert "broken" in comments_of(made.text)
    assert "dm.RESPONSE" in look.candidates


def test_paths_are_relative_to_the_spec(tmp_path: Path) -> None:
    folder = tmp_path / "exports"
    folder.mkdir()
    export = invented.trial(folder)
    made = init_spec(folder, export.outcome, out=tmp_path / "specs" / "spec.toml", hours=48)
    assert tomllib.loads(made.text)["cohort"]["source"] == "../exports/dm.csv"
    assert all(entry.window is None or entry.window[1] == 2880 for entry in made.proposal.taken)
