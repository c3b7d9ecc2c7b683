"""What names say."""

from __future__ import annotations

import pytest

from gdsfd.first_spec.words import folded, says


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("patientUnitStayID", "patient unit stay id"),
        ("Größe (cm)", "grosse cm"),
        ("Décès", "deces"),
        ("d.time", "d time"),
        ("", ""),
        ("___", ""),
    ],
)
def test_folded(name, plain):
    assert folded(name) == plain


@pytest.mark.parametrize(
    ("role", "yes", "no"),
    [
        ("person", ["subject_id", "PatNr", "uniquepid", "USUBJID", "person_id"], ["hadm_id", "hospitalid", "sodium"]),
        ("id", ["FallNr", "encounter_key", "patientunitstayid", "RecordID"], ["sodium", "height"]),
        ("environment", ["hospitalid", "Klinik", "SITEID", "ICUType", "facility"], ["sodium", "websites_seen"]),
        ("group", ["gender", "Geschlecht", "PTGENDER", "race", "ethnic_group"], ["sexual_history", "embrace"]),
        (
            "time",
            ["labresultoffset", "charttime", "LBDY", "ErfasstAm", "collected_ts", "Startzeit"],
            ["day1meds", "antibody", "body", "programm", "physicalExam"],
        ),
        ("end", ["unitdischargeoffset", "stoptime", "endtime", "EntlassZeit"], ["sender", "gender", "charttime"]),
        ("entered", ["drugenteredoffset", "ErfasstAm"], ["charttime", "drugoffset"]),
        ("value", ["valuenum", "labresult", "Messwert", "LBSTRESN", "value_as_number"], ["invalid", "evaluation"]),
        ("item", ["itemid", "labname", "LBTESTCD", "Parameter", "Analyt", "analyte_code"], ["itemised", "units"]),
        ("days", ["LBDY", "study_day", "Tage"], ["today", "birthday", "lady"]),
        ("row number", ["Unnamed: 0", "LBSEQ", "seq_num", "sno"], ["sequencing_depth", "snow"]),
    ],
)
def test_roles(role, yes, no):
    assert [name for name in yes if not says(name, role)] == []
    assert [name for name in no if says(name, role)] == []
