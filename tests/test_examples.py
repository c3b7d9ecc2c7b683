"""The worked specs: they parse, name what exists, keep leaky columns out, and read the real files row for row."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gdsfd.cohort.cohort import Cohort
from gdsfd.cohort.spec import CohortSpec, load_spec

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
NAMES = ["eicu", "mimic_iv", "mimic_iv_24h", "physionet2012", "support2", "uci_heart"]


@pytest.fixture(autouse=True)
def _data_variable(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "data_dir" in request.fixturenames:
        monkeypatch.setenv("GDSFD_DATA", str(request.getfixturevalue("data_dir")))


@cache
def build(name: str, modalities: tuple[str, ...] | None = None) -> Cohort:
    """Reads an example, or only some of its modalities."""
    from gdsfd.cohort.build import build_cohort

    spec = load_spec(EXAMPLES / f"{name}.toml")
    if modalities is not None:
        spec = spec.model_copy(update={"modality": [entry for entry in spec.modality if entry.name in modalities]})
    return build_cohort(spec, progress=False)


def code_lines(name: str) -> str:
    """A spec's text without its comments."""
    text = (EXAMPLES / f"{name}.toml").read_text(encoding="utf-8")
    return "\n".join(re.sub(r"(^|\s)#.*$", "", line) for line in text.splitlines())


def sources(spec: CohortSpec) -> list[str]:
    return [spec.cohort.source, *(join.source for join in spec.cohort.join), *(entry.source for entry in spec.modality)]


def test_all_examples_are_tested() -> None:
    assert sorted(path.stem for path in EXAMPLES.glob("*.toml")) == NAMES
    readme = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    for name in NAMES:
        assert f"`{name}.toml`" in readme


@pytest.mark.parametrize("name", NAMES)
def test_parses_and_says_where_its_files_are(name: str) -> None:
    spec = load_spec(EXAMPLES / f"{name}.toml")
    assert all(source.startswith("${GDSFD_DATA:-../../shared/data}/") for source in sources(spec))
    assert spec.split.kind == "subject"


@pytest.mark.parametrize("name", NAMES)
def test_comments_speak_of_outcome_time_and_leakage(name: str) -> None:
    text = (EXAMPLES / f"{name}.toml").read_text(encoding="utf-8")
    head = text[: text.index("[cohort]\nsource")]
    for word in ("# Outcome.", "eakage"):
        assert word in head
    assert re.search(r"window", head, re.IGNORECASE)


@pytest.mark.parametrize("name", NAMES)
def test_readme_counts_the_modalities(name: str) -> None:
    count = len(load_spec(EXAMPLES / f"{name}.toml").modality)
    row = next(
        line for line in (EXAMPLES / "README.md").read_text(encoding="utf-8").splitlines() if f"`{name}.toml`" in line
    )
    assert re.search(rf"\| {count}( tables)?[: |]", row), row


LEAKY = {
    "eicu": "discharge(?!status)|activeupon|apachePatientResult|predicted|EOL|var03|diedinhospital|dischargeweight",
    "mimic_iv": "deathtime|dischtime|discharge_location|dod|drgcodes",
    "mimic_iv_24h": "deathtime|dischtime|discharge_location|dod|drgcodes|diagnoses_icd|org_name|interpretation",
    "physionet2012": "Length_of_stay|Survival|SAPS|SOFA",
    "support2": "surv2m|surv6m|prg2m|prg6m|dnr|charges|totcst|totmcst|slos|d\\.time|sfdm2|avtisst|aps|sps|adlsc",
    "uci_heart": '"num", ',
}


@pytest.mark.parametrize("name", NAMES)
def test_leaky_columns_are_not_named_outside_comments(name: str) -> None:
    text = code_lines(name).replace("where = \"eventtype <> 'discharge'\"", "")
    assert re.findall(LEAKY[name], text) == []


@pytest.mark.parametrize(("name", "end"), [("eicu", 1440), ("mimic_iv_24h", 1440), ("physionet2012", 2880)])
def test_windows_end_at_the_prediction(name: str, end: float) -> None:
    for modality in load_spec(EXAMPLES / f"{name}.toml").modality:
        if modality.kind != "table":
            assert modality.window is not None, modality.name
            assert modality.window[1] == end, modality.name


def test_eicu_has_tables_events_and_codes() -> None:
    kinds = [modality.kind for modality in load_spec(EXAMPLES / "eicu.toml").modality]
    assert len(kinds) >= 10
    assert set(kinds) == {"table", "events", "codes"}


def test_physionet_groups_take_each_variable_once() -> None:
    spec = load_spec(EXAMPLES / "physionet2012.toml")
    events = [modality for modality in spec.modality if modality.kind == "events"]
    assert len(events) >= 12
    variables = [variable for modality in events for variable in re.findall(r"'(\w+)'", modality.where)]
    assert len(variables) == len(set(variables)) == 37


@pytest.mark.data
@pytest.mark.parametrize("name", NAMES)
def test_sources_exist(name: str, data_dir: Path) -> None:
    from gdsfd.cohort.sources.path_variables import expand_variables

    for source in sources(load_spec(EXAMPLES / f"{name}.toml")):
        assert Path(expand_variables(source)).is_file(), source


def check_receipt(cohort: Cohort) -> None:
    """What holds of every receipt and cohort."""
    assert len(set(cohort.id)) == len(cohort)
    for entry in (cohort.receipt.cohort, *cohort.receipt.modalities):
        assert entry.rows_read == entry.rows_kept + sum(drop.rows for drop in entry.drops), entry.name
    for receipt, observations in zip(cohort.receipt.modalities, cohort.observations.values()):
        assert receipt.patients == len(observations.patient) > 0, receipt.name
    splits = pd.DataFrame({"subject": cohort.subject, "split": cohort.split})
    assert (splits.groupby("subject")["split"].nunique() == 1).all()
    assert set(cohort.split) == {"train", "tuning", "test"}


def rows_read(cohort: Cohort) -> dict[str, int]:
    return {entry.name: entry.rows_read for entry in cohort.receipt.modalities}


def share(cohort: Cohort, name: str) -> float:
    return len(cohort.observations[name].patient) / len(cohort)


def positives(cohort: Cohort) -> tuple[int, int]:
    y: Any = cohort.y[:, 0]
    return int(np.nansum(y)), int(np.isfinite(y).sum())


@pytest.mark.data
def test_eicu(data_dir: Path) -> None:
    cohort = build("eicu")
    check_receipt(cohort)
    assert len(cohort) == 2520
    assert len(set(cohort.subject)) == 1841
    assert positives(cohort) == (212, 2492)
    assert pd.Series(cohort.environment).value_counts().to_dict() == {
        "Midwest": 807,
        "South": 738,
        "West": 606,
        "Northeast": 159,
        "Unknown": 210,
    }
    presence = pd.read_csv(data_dir / "eicu_demo" / "table_presence_by_stay.csv", dtype={"patientunitstayid": str})
    presence = presence.set_index("patientunitstayid").loc[cohort.id]
    whole = {"apache": "apacheApsVar", "comorbidity": "apachePredVar"}  # no window, no filter: exactly the file's stays
    cut = {"vitals": "vitalAperiodic", "diagnosis": "diagnosis", "medication": "medication", "allergy": "allergy"}
    for name, table in {**whole, **cut}.items():
        stays = np.zeros(len(cohort), dtype=int)
        stays[cohort.observations[name].patient] = 1
        if name in whole:
            assert (stays == presence[table].to_numpy()).all(), name
        else:
            assert (stays <= presence[table].to_numpy()).all(), name
            assert stays.sum() > 0.9 * presence[table].sum(), name
    assert rows_read(cohort)["diagnosis"] == 24978
    assert rows_read(cohort)["vitals"] == 274088
    ages = cohort.observations["admission"].numeric[:, 0]
    assert np.nanmax(ages) == 90
    assert (ages == 90).sum() == 98  # "> 89"
    care_plan = next(entry for entry in cohort.schema.modalities if entry.name == "care_plan")
    assert not any("Limitation" in code for code in care_plan.codes)


#: Rows of the demo's tables as its own README counts them.
MIMIC_ROWS = {
    "admission": 275,
    "diagnoses": 4506,
    "procedures": 722,
    "prescriptions": 18087,
    "emar": 35835,
    "microbiology": 2899,
    "services": 319,
    "transfers": 1190,
    "labs": 107727,
    "icu_inputs": 20404,
    "icu_outputs": 9362,
    "icu_procedures": 1468,
    "icu_ingredients": 25728,
}

#: Share of the 275 admissions with any row, likewise. Of labs some admissions have comments and no number.
MIMIC_PRESENCE = {
    "diagnoses": 1.0,
    "procedures": 0.68,
    "prescriptions": 0.909,
    "emar": 0.658,
    "microbiology": 0.622,
    "services": 1.0,
    "transfers": 1.0,
    "labs": 0.916,
    "icu_inputs": 0.462,
    "icu_outputs": 0.458,
    "icu_procedures": 0.465,
    "icu_ingredients": 0.462,
}


@pytest.mark.data
@pytest.mark.parametrize("name", ["mimic_iv", "mimic_iv_24h"])
def test_mimic(name: str, data_dir: Path) -> None:
    cohort = build(name)
    check_receipt(cohort)
    assert len(cohort) == 275
    assert len(set(cohort.subject)) == 100
    assert positives(cohort) == (15, 275)
    found = rows_read(cohort)
    assert found == {modality: MIMIC_ROWS[modality] for modality in found}
    for modality in cohort.observations.keys() & MIMIC_PRESENCE.keys():
        if name == "mimic_iv":
            assert share(cohort, modality) == pytest.approx(MIMIC_PRESENCE[modality], abs=0.005), modality
        else:
            assert share(cohort, modality) <= MIMIC_PRESENCE[modality] + 0.005, modality


#: Share of the 4,000 stays per group of variables, as the folder's README has it. Some readings are at 48:00 or are -1.
PHYSIONET_PRESENCE = {
    "neuro": 0.985,
    "vitals": 0.985,
    "noninvasive_bp": 0.876,
    "invasive_bp": 0.704,
    "resp_rate": 0.277,
    "ventilation": 0.699,
    "blood_gas": 0.764,
    "lactate": 0.548,
    "chemistry": 0.985,
    "cbc": 0.984,
    "liver": 0.524,
    "cardiac": 0.267,
    "lipid": 0.079,
    "urine": 0.974,
    "weight_series": 0.678,
}


def check_physionet(cohort: Cohort) -> None:
    check_receipt(cohort)
    assert len(cohort) == 4000
    assert positives(cohort) == (554, 4000)
    assert set(cohort.environment or []) == {"1.0", "2.0", "3.0", "4.0"}
    for name in cohort.observations:
        if name != "static":
            assert share(cohort, name) == pytest.approx(PHYSIONET_PRESENCE[name], abs=0.006), name
            assert cohort.observations[name].step.max() == 47


@pytest.mark.data
def test_physionet_some_modalities(data_dir: Path) -> None:
    cohort = build("physionet2012", ("static", "lactate", "lipid"))
    check_physionet(cohort)
    assert share(cohort, "static") == 1.0
    static = cohort.observations["static"]
    height = next(entry for entry in cohort.schema.modalities if entry.name == "static").numeric.index("Height")
    assert np.isnan(static.numeric[:, height]).mean() > 0.4  # -1 is "not measured"


@pytest.mark.data
@pytest.mark.slow
def test_physionet_all_modalities(data_dir: Path) -> None:
    cohort = build("physionet2012")
    check_physionet(cohort)
    assert len(cohort.observations) == 16


@pytest.mark.data
def test_support2(data_dir: Path) -> None:
    cohort = build("support2")
    check_receipt(cohort)
    assert len(cohort) == 9105
    assert positives(cohort) == (2360, 9105)
    wanted = {"liver": 0.775, "blood_gas": 0.749, "renal": 0.526, "functional_status": 0.773, "demographics": 1.0}
    for name, value in wanted.items():
        assert share(cohort, name) == pytest.approx(value, abs=0.002), name
    columns = sum(len(entry.numeric) + len(entry.categorical) for entry in cohort.schema.modalities)
    assert columns == 29


@pytest.mark.data
def test_uci_heart(data_dir: Path) -> None:
    cohort = build("uci_heart")
    check_receipt(cohort)
    assert len(cohort) == 920
    assert positives(cohort) == (509, 920)
    assert pd.Series(cohort.environment).value_counts().to_dict() == {
        "cleveland": 303,
        "hungarian": 294,
        "va": 200,
        "switzerland": 123,
    }
    wanted = {
        "demographics_symptoms": 1.0,
        "blood": 0.913,
        "rest_ecg": 0.998,
        "exercise_test": 0.941,
        "fluoroscopy": 0.336,
        "thallium_scan": 0.472,
    }
    for name, value in wanted.items():
        assert share(cohort, name) == pytest.approx(value, abs=0.001), name
    levels = {name: own for entry in cohort.schema.modalities for name, own in zip(entry.categorical, entry.levels)}
    assert {name: sorted(own) for name, own in levels.items()} == {
        "cp": ["1", "2", "3", "4"],
        "restecg": ["0", "1", "2"],
        "slope": ["1", "2", "3"],
        "thal": ["3", "6", "7"],
    }
    assert [finding for finding in cohort.receipt.findings if finding.kind == "spelling"] == []  # 4.0 beside 4
    swiss = np.flatnonzero(np.array(cohort.environment) == "switzerland")
    blood = cohort.observations["blood"]
    assert np.isnan(blood.numeric[np.isin(blood.patient, swiss), 0]).all()
