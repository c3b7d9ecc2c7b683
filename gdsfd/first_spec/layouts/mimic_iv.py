"""MIMIC-IV, the demo and the whole, by hospital admission."""

from __future__ import annotations

from gdsfd.first_spec.layouts.layout import Layout, TableHint

__all__ = ["MIMIC_IV"]

MIMIC_IV = Layout(
    title="MIMIC-IV",
    signs=(frozenset({"subject_id", "hadm_id", "admittime", "dischtime"}),),
    id="hadm_id",
    subject="subject_id",
    origin=("admittime",),
    environment=("anchor_year_group",),
    groups=("gender", "race", "insurance"),
    hours=24,
    notes=(
        "One patient is one hospital admission. Times are counted from admittime; the emergency department comes "
        "before it.",
        "Laboratory results are taken by the time of sampling; storetime, when the result was there, is stricter.",
    ),
    leaks={
        "dod": "the date of death",
        "deathtime": "the outcome",
        "dischtime": "the end of the stay",
        "discharge_location": "where the patient went at the end",
        "hospital_expire_flag": "death in hospital",
        "edouttime": "may lie after the admission",
        "los": "the length of the stay",
    },
    tables=(
        TableHint(
            frozenset({"drg_code", "drg_mortality"}),
            leave_out="coded for billing after discharge, and it grades the risk of death",
        ),
        TableHint(
            frozenset({"hadm_id", "icd_code", "icd_version", "chartdate"}),
            kind="codes",
            code="icd",
            derive={"icd": "CAST(icd_version AS VARCHAR) || ':' || icd_code"},
            time="chartdate",
            note="it has dates only",
        ),
        TableHint(
            frozenset({"hadm_id", "icd_code", "icd_version", "seq_num"}),
            kind="codes",
            code="icd",
            derive={"icd": "CAST(icd_version AS VARCHAR) || ':' || icd_code"},
            leave_out="diagnoses are coded for billing after discharge, and there is no time to cut at",
        ),
        TableHint(frozenset({"hcpcs_cd"}), kind="codes", code="hcpcs_cd", leave_out="billed after the stay"),
        TableHint(frozenset({"labevent_id"}), kind="events", item="itemid", value="valuenum", time="charttime"),
        TableHint(
            frozenset({"microevent_id"}),
            kind="codes",
            code="test_name",
            time="sampled",
            derive={"sampled": "COALESCE(charttime, CAST(chartdate AS TIMESTAMP) + to_seconds(86399))"},
            note="only that a test was asked for: whether something grew is known days later",
        ),
        TableHint(
            frozenset({"eventtype", "careunit", "intime"}),
            kind="codes",
            code="careunit",
            time="intime",
            where="eventtype <> 'discharge'",
        ),
        TableHint(frozenset({"emar_id", "medication"}), kind="codes", code="medication", time="charttime"),
        TableHint(frozenset({"drug", "starttime", "drug_type"}), kind="codes", code="drug", time="starttime"),
        TableHint(frozenset({"stay_id", "itemid", "amount"}), kind="codes", code="itemid", time="starttime"),
        TableHint(frozenset({"stay_id", "itemid", "starttime"}), kind="codes", code="itemid", time="starttime"),
        TableHint(
            frozenset({"poe_id", "order_type", "ordertime"}),
            kind="codes",
            code="order_type",
            time="ordertime",
            note="orders of comfort care and do-not-resuscitate stand in poe_detail, which is not used",
        ),
        TableHint(frozenset({"stay_id", "first_careunit"}), kind="codes", code="first_careunit", time="intime"),
    ),
)
