"""The MIMIC-CXR-shaped example: labels, events and images in the graph are what a slow reading of the files says."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gdsfd import Debiaser
from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.cohort import Cohort
from gdsfd.cohort.spec import CohortSpec, load_spec
from gdsfd.graph.from_cohort import graph_from_cohort
from tests.made_example import EXAMPLES, dropped, rows_of, script

HOURS_48 = timedelta(hours=48)
OUTSIDE = "outside the window of 0 to 2880 minutes"
Row = dict[str, str]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("mimic_cxr")
    script("mimic_cxr/generate").write(path, people=150)
    script("mimic_cxr/match_studies").match_studies(path).to_parquet(path / "cxr_by_stay.parquet")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MIMIC_CXR", str(path))
        yield path


@pytest.fixture(scope="module")
def spec(folder: Path) -> CohortSpec:
    return load_spec(EXAMPLES / "mimic_cxr" / "phenotypes.toml")


@pytest.fixture(scope="module")
def cohort(spec: CohortSpec) -> Cohort:
    return build_cohort(spec, progress=False)


@pytest.fixture(scope="module")
def stays(folder: Path) -> dict[str, Row]:
    """The stays that the spec takes, by admission, each with its labels."""
    listed = {row["stay_id"]: row for row in rows_of(folder / "phenotyping" / "listfile.csv")}
    return {
        row["hadm_id"]: {**row, **listed[row["stay_id"]]}
        for row in rows_of(folder / "icu" / "icustays.csv.gz")
        if row["stay_id"] in listed and float(row["los"]) >= 2
    }


def when(text: str) -> datetime:
    return datetime.fromisoformat(text)


def minutes(text: str, begin: str) -> float:
    return (when(text) - when(begin)).total_seconds() / 60


def check_events(cohort: Cohort, name: str, bin: int, cells: dict[tuple[str, int, str], list[float]]) -> None:
    """The graph's cells are the means of the readings of a patient, a step and an item."""
    observed = cohort.observations[name]
    (fields,) = [fields for fields in cohort.schema.modalities if fields.name == name]
    assert (fields.window, fields.bin_minutes) == ((0, 2880), bin)
    owner = np.repeat(observed.patient, np.diff(observed.ptr))
    found = {
        (cohort.id[row], int(step), fields.items[item]): value
        for row, step, item, value in zip(owner, observed.step, observed.item, observed.value)
    }
    assert found.keys() == cells.keys()
    for key, values in cells.items():
        assert found[key] == pytest.approx(np.mean(values), rel=1e-5), key
    (entry,) = [entry for entry in cohort.receipt.modalities if entry.name == name]
    assert entry.rows_kept == sum(len(values) for values in cells.values())


def test_patients_are_the_stays_of_two_days_that_the_benchmark_has(
    folder: Path, stays: dict[str, Row], cohort: Cohort
) -> None:
    everyone = rows_of(folder / "icu" / "icustays.csv.gz")
    several = {row["hadm_id"] for row in everyone if sum(own["hadm_id"] == row["hadm_id"] for own in everyone) > 1}
    assert several
    assert not several & stays.keys()
    assert cohort.id == list(stays)
    assert cohort.subject == [row["subject_id"] for row in stays.values()]
    assert cohort.environment == [row["first_careunit"] for row in stays.values()]
    (drop,) = cohort.receipt.cohort.drops
    assert drop.rows == len(everyone) - len(stays) > len(several)
    by_person = pd.DataFrame({"subject": cohort.subject, "split": cohort.split}).groupby("subject")["split"]
    assert by_person.size().max() > 1
    assert (by_person.nunique() == 1).all()


def test_the_labels_are_the_benchmarks_and_a_blank_is_unlabelled_alone(stays: dict[str, Row], cohort: Cohort) -> None:
    names = script("mimic_cxr/generate").PHENOTYPES
    assert [outcome.column for outcome in cohort.schema.outcomes] == names
    assert len(set(names)) == 25
    expected = [[float(row[name]) if row[name] else np.nan for name in names] for row in stays.values()]
    np.testing.assert_array_equal(cohort.y, np.array(expected, np.float32))
    blank = np.isnan(cohort.y)
    assert blank.any(0).sum() > 15
    assert (blank.any(1) & ~blank.all(1)).sum() > 20


def test_charted_values_count_by_the_time_of_charting(folder: Path, stays: dict[str, Row], cohort: Cohort) -> None:
    cells, late, wrong = defaultdict(list), 0, 0
    for row in rows_of(folder / "icu" / "chartevents.csv.gz"):
        if row["hadm_id"] not in stays or row["warning"] != "0":
            continue
        at, value = minutes(row["charttime"], stays[row["hadm_id"]]["intime"]), float(row["valuenum"])
        if not 0 <= at < 2880:
            late += 1
        elif value == 999999:
            wrong += 1
        elif row["itemid"] == "223761":
            cells[row["hadm_id"], int(at // 240), "223762"].append((value - 32) / 1.8)
        else:
            cells[row["hadm_id"], int(at // 240), row["itemid"]].append(value)
    check_events(cohort, "vitals", 240, cells)
    told = dropped(cohort.receipt, "vitals")
    assert (told[OUTSIDE], told["reading is declared missing"]) == (late, wrong)
    assert min(late, wrong) > 10


def test_a_result_counts_from_when_it_was_known(folder: Path, stays: dict[str, Row], cohort: Cohort) -> None:
    cells: dict[str, dict] = {"labs": defaultdict(list), "lactate": defaultdict(list)}
    too_late, of_nobody, without_number = 0, 0, 0
    for row in rows_of(folder / "hosp" / "labevents.csv.gz"):
        of_nobody += not row["hadm_id"]
        if row["hadm_id"] not in stays:
            continue
        begin = stays[row["hadm_id"]]["intime"]
        at = minutes(row["storetime"] or row["charttime"], begin)
        too_late += minutes(row["charttime"], begin) < 2880 <= at
        if 0 <= at < 2880 and not row["valuenum"]:
            without_number += 1
        elif 0 <= at < 2880:
            name = "lactate" if row["itemid"] == "50813" else "labs"
            cells[name][row["hadm_id"], int(at // 480), row["itemid"]].append(float(row["valuenum"]))
    assert too_late > 10  # drawn before the prediction, known after it
    for name, expected in cells.items():
        check_events(cohort, name, 480, expected)
    told = [dropped(cohort.receipt, name) for name in cells]
    assert sum(entry["blank hadm_id"] for entry in told) == of_nobody > 0
    assert sum(entry["blank valuenum"] for entry in told) == without_number > 0


def frontal_images(folder: Path) -> dict[str, list[tuple[datetime, str]]]:
    """Times and names of the frontal images of each person."""
    images = defaultdict(list)
    for row in rows_of(folder / "mimic-cxr-2.0.0-metadata.csv.gz"):
        if row["ViewPosition"] in ("AP", "PA"):
            clock = row["StudyTime"].split(".")[0].rjust(6, "0")
            taken = datetime.strptime(row["StudyDate"] + clock, "%Y%m%d%H%M%S")
            images[row["subject_id"]].append((taken, row["dicom_id"]))
    return images


def test_a_stay_has_its_last_frontal_image_of_the_two_days(folder: Path, stays: dict[str, Row], cohort: Cohort) -> None:
    images, vectors = frontal_images(folder), pd.read_parquet(folder / "cxr_embeddings.parquet").set_index("dicom_id")
    expected, passed_over = {}, 0
    for own, stay in stays.items():
        begin, end = when(stay["intime"]), when(stay["outtime"])
        theirs = sorted(image for image in images[stay["subject_id"]] if begin <= image[0] < end)
        within = [image for image in theirs if image[0] < begin + HOURS_48]
        passed_over += len(theirs) - len(within)
        if within:
            expected[own] = vectors["embedding"][within[-1][1]]
    observed = cohort.observations["cxr"]
    assert [cohort.id[row] for row in observed.patient] == list(expected)
    np.testing.assert_array_equal(observed.vector, np.stack(list(expected.values())))
    assert passed_over > 10
    assert 0.2 < len(expected) / len(stays) < 0.7
    # Ordered because ill: those with an image have more of the phenotypes.
    has = np.isin(np.arange(len(cohort)), observed.patient)
    assert np.nanmean(cohort.y[has]) > np.nanmean(cohort.y[~has]) + 0.05


def test_the_window_keeps_later_images_out_even_where_the_matching_did_not(
    folder: Path, stays: dict[str, Row], spec: CohortSpec
) -> None:
    later = script("mimic_cxr/match_studies").match_studies(folder, hours=1e6)
    begin = later["hadm_id"].astype(str).map({own: when(stay["intime"]) for own, stay in stays.items()})
    late = int((later["taken_at"] - begin >= HOURS_48).sum())
    assert late > 5
    cxr = spec.modality[-1].model_copy(update={"source": later})
    cohort = build_cohort(spec.model_copy(update={"modality": [cxr]}), progress=False)
    assert dropped(cohort.receipt, "cxr")[OUTSIDE] == late
    assert len(cohort.observations["cxr"].patient) == int(begin.notna().sum()) - late


def test_nothing_of_the_end_of_the_stay_is_taken(cohort: Cohort) -> None:
    (admission,) = [fields for fields in cohort.schema.modalities if fields.name == "admission"]
    assert admission.categorical == ("admission_type", "admission_location", "insurance")
    assert admission.numeric == ()
    (finding,) = cohort.receipt.findings  # labels are blank, which a spec cannot help
    assert finding.text.startswith(f"{np.isnan(cohort.y).any(0).sum()} of 25 have unlabelled patients")


def test_it_trains_and_predicts_each_phenotype(cohort: Cohort) -> None:
    graph = graph_from_cohort(cohort)
    model = Debiaser("concat", "none", max_epochs=2, members=1, channels=8).fit(graph, baselines=False)
    predicted = model.predict_proba(graph, split="test")
    tested = [own for own, split in zip(cohort.id, cohort.split) if split == "test"]
    assert predicted.shape == (len(tested), 25)
    assert ((predicted > 0) & (predicted < 1)).all()
    assert predicted.std(0).min() > 0
    np.testing.assert_allclose(model.predict_proba(graph, ids=tested[3:4])[0], predicted[3], atol=1e-5)
