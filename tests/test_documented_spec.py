"""The spec page's forms do not only parse: over exports that fit them they build."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.cohort import Cohort
from gdsfd.cohort.spec import CohortSpec

PAGE = Path(__file__).parents[1] / "docs" / "spec.md"
STAYS = 160


def documented() -> list[dict[str, Any]]:
    text = PAGE.read_text(encoding="utf-8")
    return [tomllib.loads(block) for block in re.findall(r"^```toml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)]


def blocks(key: str) -> list[Any]:
    return [block[key] for block in documented() if key in block]


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files with the columns that the page's blocks name."""
    folder = tmp_path_factory.mktemp("documented")
    (folder / "exports").mkdir()
    (folder / "labs").mkdir()
    rng = np.random.default_rng(0)
    stay = np.array([f"{k:04d}" for k in range(STAYS)])
    admitted = pd.Timestamp("2150-01-01 10:00") + pd.to_timedelta(np.arange(STAYS), unit="h")
    ill = rng.random(STAYS) < 0.4
    pd.DataFrame(
        {
            "stay": stay,
            "person": [f"p{k // 2}" for k in range(STAYS)],
            "hospital": np.array(["North", "South"])[np.arange(STAYS) // 2 % 2],
            "year": 2010 + np.arange(STAYS) // 2 % 10,
            "sex": rng.choice(["F", "M"], STAYS),
            "ethnicity": rng.choice(["a", "b"], STAYS),
            "age": rng.integers(20, 90, STAYS),
            "minutes_in_unit": rng.integers(1440, 9000, STAYS),
            "discharge_status": np.where(
                ill, "Expired", rng.choice(["Alive", "Transferred", "?"], STAYS, p=[0.8, 0.1, 0.1])
            ),
            "dx": np.array(["CN", "MCI", "AD"])[np.arange(STAYS) // 2 % 3],
            "split": np.array(["train", "train", "train", "tuning", "test"])[np.arange(STAYS) // 2 % 5],
            "admitted": admitted.strftime("%Y-%m-%d %H:%M"),
        }
    ).to_csv(folder / "exports" / "stays.csv.gz", index=False)
    pd.DataFrame({"hospital": ["North", "South"], "region": ["x", "y"]}).to_csv(folder / "hospitals.csv", index=False)
    pd.DataFrame(
        {
            "stay": stay,
            "version": "IVa",
            "ward": rng.choice(["A", "B"], STAYS),
            "wbc": rng.normal(8, 2, STAYS).round(1),
            "temperature": rng.normal(37, 1, STAYS).round(1),
            "systolic": rng.integers(90, 160, STAYS),
            "diastolic": rng.integers(50, 90, STAYS),
            "ventilated": rng.integers(0, 2, STAYS),
            "wbc_comment": "none",
            "recorded_at": (admitted + pd.Timedelta("30min")).strftime("%Y-%m-%d %H:%M"),
        }
    ).to_csv(folder / "apache.csv.gz", index=False)
    pd.DataFrame({"ward": ["A", "B"], "beds": [12, 20]}).to_csv(folder / "wards.csv", index=False)
    own = rng.integers(0, STAYS, 3000)
    labs = pd.DataFrame(
        {
            "stay": stay[own],
            "drawn": rng.integers(10, 1450, 3000),
            "labtype": "in-house",
            "labname": rng.choice(["k", "na"], 3000),
            "labresult": rng.normal(4, 1, 3000).round(2),
        }
    )
    labs[:1500].to_parquet(folder / "labs" / "a.parquet")
    labs[1500:].to_parquet(folder / "labs" / "b.parquet")
    pd.DataFrame(
        {
            "stay": stay[own],
            "itemid": rng.choice([1, 2, 3], 3000),
            "charted": admitted[own] + pd.to_timedelta(rng.integers(0, 1440, 3000), unit="min"),
            "valuenum": rng.normal(4, 1, 3000).round(2),
        }
    ).to_parquet(folder / "results.parquet")
    items = {"itemid": [1, 2, 3], "label": ["K", "Na", "Hb"], "category": ["Chemistry", "Chemistry", "Blood"]}
    pd.DataFrame(items).to_csv(folder / "items.csv", index=False)
    pd.DataFrame(
        {
            "stay": stay[own],
            "charted_at": (admitted[own] + pd.to_timedelta(rng.integers(0, 1440, 3000), unit="min")).strftime(
                "%Y-%m-%dT%H:%M:00"
            ),
            **{name: rng.normal(80, 9, 3000).round() for name in ("heart_rate", "resp_rate", "sbp_mean", "sbp_art")},
        }
    ).to_csv(folder / "vitals.csv.gz", index=False)
    pd.DataFrame(
        {
            "stay": stay[own],
            "diagnosisstring": rng.choice(["Heart|Failure", "Lung|Asthma, Heart"], 3000),
            "active": rng.choice(["true", "false"], 3000),
            "offset": rng.integers(0, 1440, 3000),
        }
    ).to_csv(folder / "diagnosis.csv.gz", index=False)
    person = [f"p{k}" for k in range(STAYS // 2)]
    pd.DataFrame({"person": person, "born": "2090-06-01"}).to_csv(folder / "persons.csv", index=False)
    problems = {"person": person, "problem": rng.choice(["asthma", "gout"], STAYS // 2)}
    pd.DataFrame(problems).to_csv(folder / "problem_list.csv", index=False)
    groups = {"problem": ["asthma", "gout"], "group_of_problems": ["lung", "joints"]}
    pd.DataFrame(groups).to_csv(folder / "groups.csv", index=False)
    authors = {"author": ["a", "b"], "profession": ["physician", "nurse"]}
    pd.DataFrame(authors).to_csv(folder / "authors.csv", index=False)
    vectors = rng.normal(size=(STAYS, 4)).astype(np.float32)
    pd.DataFrame(vectors, columns=[f"e_{k}" for k in range(4)]).assign(
        stay=stay,
        note_type="admission",
        author=np.tile(["a", "a", "b"], STAYS)[:STAYS],
        signed_at=admitted + pd.Timedelta("5min"),
    ).to_parquet(folder / "note_embeddings.parquet")
    return folder


def build(folder: Path, outcome: dict[str, Any], split: dict[str, Any]) -> Cohort:
    (cohort,) = blocks("cohort")
    if split.get("kind") == "environment":
        cohort["environment"] = "hospital"  # whose values the page's holdout names; the page's cohort combines two
    modalities = [entry for block in blocks("modality") for entry in block]
    diagnosis = next(entry for entry in modalities if entry["name"] == "diagnosis")
    del diagnosis["origin"]  # beside a time in minutes, as here, an origin would be in minutes, too
    spec = {"cohort": cohort, "outcome": outcome, "split": split, "modality": modalities, "base_dir": folder}
    return build_cohort(CohortSpec(**spec))


@pytest.mark.parametrize("split", blocks("split"), ids=lambda split: split["kind"])
def test_the_documented_spec_builds_under_each_split(exports: Path, split: dict[str, Any]) -> None:
    cohort = build(exports, blocks("outcome")[0], split)
    assert cohort.schema.names == ("apache", "labs", "vitals", "age", "chemistry", "diagnosis", "problems", "note")
    assert {"train", "tuning", "test"} == set(cohort.split)
    assert all(len(cohort.observations[name].patient) > 50 for name in cohort.schema.names)
    assert len(cohort.observations["problems"].patient) == STAYS  # two patients of each person
    vitals = next(fields for fields in cohort.schema.modalities if fields.name == "vitals")
    assert set(vitals.items) == {"heart_rate", "resp_rate", "sbp_mean", "sbp_art"}
    assert (vitals.window, vitals.bin_minutes) == ((0, 1440), 15)
    chemistry = next(fields for fields in cohort.schema.modalities if fields.name == "chemistry")
    assert set(chemistry.items) == {"K", "Na"}  # by the category in the look-up
    assert len(cohort.observations["note"].patient) == (np.arange(STAYS) % 3 < 2).sum()  # written by physicians


def test_the_documented_classes_build(exports: Path) -> None:
    cohort = build(exports, blocks("outcome")[1], {})
    assert cohort.schema.outcomes[0].classes == ("CN", "MCI", "AD")
    assert set(cohort.y.tolist()) == {0, 1, 2}


def test_the_documented_ways_of_deriving_a_time() -> None:
    count = 40
    ids = [f"{k:03d}" for k in range(count)]
    days = pd.Timestamp("2150-01-13") + pd.to_timedelta(np.arange(count), unit="D")
    died = np.where(np.arange(count) % 3 == 0, "yes", "no")
    stays = pd.DataFrame({"id": ids, "died": died, "admitted": days.strftime("%Y-%m-%d")})
    events = pd.DataFrame({"id": ids, "item": "x", "t": (days + pd.Timedelta("90min")).strftime("%d/%m/%Y %H:%M")})
    local = pd.DataFrame({"id": ids, "item": "x", "t": (days + pd.Timedelta("90min")).tz_localize("Europe/Berlin")})
    for frame, expression in (
        (events, "strptime(t__text, '%d/%m/%Y %H:%M')"),
        (local, "timezone('Europe/Berlin', t)"),
    ):
        assert expression in PAGE.read_text(encoding="utf-8")
        entry = {"name": "m", "kind": "events", "source": frame, "id": "id", "derive": {"at": expression}, "time": "at"}
        entry |= {"origin": "admitted", "window": [0, 1440], "item": "item", "min_count": 1}
        outcome = {"name": "death", "column": "died", "positive": "yes", "negative": "no"}
        cohort = build_cohort(CohortSpec(cohort={"source": stays, "id": "id"}, outcome=outcome, modality=entry))
        assert set(cohort.observations["m"].step.tolist()) == {1}
