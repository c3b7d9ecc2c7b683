"""What would give the outcome away."""

from __future__ import annotations

import numpy as np
import pytest

from gdsfd.first_spec.leaks import leak_by_name, leaks_by_outcome, table_leak
from tests.first_spec.tables import table_of


@pytest.mark.parametrize(
    "name",
    [
        *("unitdischargeoffset", "dischtime", "deathtime", "dod", "hospital_expire_flag", "diedinhospital", "DTHFL"),
        *("Length_of_stay", "los", "slos", "predictediculos", "Survival", "charges", "totcst", "dnrday", "surv2m"),
        *("EntlassZeit", "Entlassart", "Liegedauer_Tage", "Verstorben", "date_deces", "discharge_ts", "disposition"),
        *("SAPS-I", "SOFA", "apachescore", "acutephysiologyscore", "unabridgedhosplos", "actualhospitalmortality"),
        *("hosp_mort", "mort30", "dead30", "DNAR", "dnacpr_form"),
        *("alive_90d", "vitalStatus", "vent_free_days", "icu_days", "ventilation_hours", "duration_of_ventilation"),
        *("activeupondischarge", "outtime", "last_careunit", "drg_mortality", "readmit_30d"),
    ],
)
def test_names_that_leak(name):
    assert leak_by_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "sodium",
        "glucose",
        "admissionweight",
        "age",
        "readmit",
        "studied",
        "gender",
        "dosage",
        "close_contact",
        "vent_rate",
        "mortar_exposure",
        "deadspace",
        "ventday1",
        "free_text_days_ago",
        "temperature",
    ],
)
def test_names_that_do_not(name):
    assert leak_by_name(name) is None


def test_tables_that_leak():
    assert table_leak(table_of("drgcodes", id=[1]))
    assert table_leak(table_of("carePlanEOL", id=[1]))
    assert table_leak(table_of("labs", id=[1])) is None


def test_columns_that_tell_the_classes_apart_by_themselves():
    rng = np.random.default_rng(0)
    positive = rng.random(200) < 0.3
    ids = [str(k) for k in range(200)]
    labels = dict(zip(ids, positive.tolist()))
    table = table_of(
        "c",
        id=ids,
        answer=np.where(positive, 9.0, 1.0) + rng.random(200),
        words=np.where(positive, "bad", "good"),
        filled=[1 if yes else None for yes in positive],
        noise=rng.random(200),
        group=rng.choice(["a", "b"], 200),
        own=[f"t{k}" for k in range(200)],
    )
    found = leaks_by_outcome(table, "id", labels, ["answer", "words", "filled", "noise", "group", "own"])
    assert set(found) == {"answer", "words", "filled"}
    assert "filled" in found["filled"]
    assert leaks_by_outcome(table, "id", dict(list(labels.items())[:20]), ["answer"]) == {}
    assert leaks_by_outcome(table, "id", {}, ["answer"]) == {}
