"""The ADNI-shaped example: what reaches the graph is what a slow reading of the files says."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from gdsfd import Debiaser
from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.cohort import Cohort
from gdsfd.cohort.spec import load_spec
from gdsfd.graph.from_cohort import graph_from_cohort
from tests.made_example import EXAMPLES, dropped, rows_of, script

Row = dict[str, str]
COLUMNS = {
    "mri": ["Ventricles", "Hippocampus", "WholeBrain", "Entorhinal", "Fusiform", "MidTemp", "ICV"],
    "fdg": ["FDG"],
    "av45": ["AV45"],
    "csf": ["ABETA", "TAU", "PTAU"],
    "apoe": ["APOE4"],
}
CLASS = {"CN": 0, "SMC": 0, "EMCI": 1, "LMCI": 1, "MCI": 1, "AD": 2, "Dementia": 2}
MISSING = ("", "NA", "-4", "-4.0", "-1", "-1.0", "-9")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("adni")
    script("adni/generate").write(path, persons=240)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ADNI", str(path))
        yield path


@pytest.fixture(scope="module")
def merged(folder: Path) -> list[Row]:
    return rows_of(folder / "ADNIMERGE.csv")


@pytest.fixture(scope="module")
def baseline(folder: Path) -> Cohort:
    return build_cohort(load_spec(EXAMPLES / "adni" / "baseline.toml"), progress=False)


@pytest.fixture(scope="module")
def visits(folder: Path) -> Cohort:
    return build_cohort(load_spec(EXAMPLES / "adni" / "visits.toml"), progress=False)


def number(cell: str) -> float:
    """A value as the spec documents it: no code for "missing" is one, and ``>1700`` is the end of the assay's range."""
    return np.nan if cell in MISSING else float(cell.lstrip("<>"))


def held(cohort: Cohort, name: str) -> dict[str, list[float]]:
    """The numbers of a modality by id of the patient."""
    observed = cohort.observations[name]
    return {cohort.id[row]: values.tolist() for row, values in zip(observed.patient, observed.numeric)}


def check_numbers(cohort: Cohort, name: str, expected: dict[str, list[float]]) -> None:
    """Patients with any value have an edge with these values, the others none."""
    expected = {own: values for own, values in expected.items() if not np.isnan(values).all()}
    found = held(cohort, name)
    assert found.keys() == expected.keys(), name
    for own, values in expected.items():
        np.testing.assert_allclose(found[own], values, rtol=1e-6, err_msg=f"{name} of {own}")


def vitals_of(folder: Path, exam: dict[str, str], key: list[str]) -> tuple[dict[str, list[float]], int]:
    """The vitals of each patient from eight weeks before the visit to the same day, and the rows outside of that."""
    values, outside = {}, 0
    for row in rows_of(folder / "VITALS.csv"):
        own = "_".join(row[column] for column in key)
        if own not in exam or (key == ["RID"] and row["VISCODE2"] != "bl"):
            continue
        days = (date.fromisoformat(row["VISDATE"]) - date.fromisoformat(exam[own])).days
        if not -56 <= days <= 0:
            outside += 1
            continue
        weight, unit = number(row["VSWEIGHT"]), number(row["VSWTUNIT"])
        kilograms = weight * {1.0: 0.45359237, 2.0: 1.0}.get(unit, np.nan)
        values[own] = [kilograms, *(number(row[name]) for name in ("VSBPSYS", "VSBPDIA", "VSPULSE", "VSRESP"))]
    return values, outside


def test_the_baseline_holds_each_person_once_with_the_values_of_that_visit(
    folder: Path, merged: list[Row], baseline: Cohort
) -> None:
    people = {row["RID"]: row for row in merged if row["VISCODE"] == "bl"}
    assert baseline.id == list(people)
    assert baseline.y.tolist() == [CLASS[row["DX_bl"]] for row in people.values()]
    assert baseline.environment == [row["SITE"] for row in people.values()]
    assert baseline.groups["PTGENDER"] == [row["PTGENDER"] for row in people.values()]
    for name, columns in COLUMNS.items():
        check_numbers(baseline, name, {own: [number(row[c]) for c in columns] for own, row in people.items()})
    (drop,) = baseline.receipt.cohort.drops
    assert (drop.reason, drop.rows) == ("cohort.where is not true", len(merged) - len(people))
    expected, outside = vitals_of(folder, {own: row["EXAMDATE"] for own, row in people.items()}, ["RID"])
    check_numbers(baseline, "vitals", expected)
    told = dropped(baseline.receipt, "vitals")
    assert told["outside the window of -80640 to 1440 minutes"] == outside > 0
    assert told["id not in the cohort"] == 25
    assert told["no measured value in the chosen columns"] > 0


def test_genotypes_find_their_person_by_ptid(folder: Path, merged: list[Row], baseline: Cohort) -> None:
    rid = {row["PTID"]: row["RID"] for row in merged}
    typed = rows_of(folder / "ADNI_GWAS.tsv", "\t")
    snps = [name for name in typed[0] if name.startswith("rs")]
    assert len(snps) == 6
    check_numbers(
        baseline, "snps", {rid[row["IID"]]: [number(row[c]) for c in snps] for row in typed if row["IID"] in rid}
    )
    assert dropped(baseline.receipt, "snps") == {"id not in the cohort": 15}


def test_no_code_for_missing_becomes_a_value(folder: Path, merged: list[Row], baseline: Cohort, visits: Cohort) -> None:
    cells = [row[name] for row in merged for names in COLUMNS.values() for name in names]
    assert sum(cell in ("-4", "-4.0") for cell in cells) > 20  # the files do hold them
    forms = rows_of(folder / "VITALS.csv")
    assert {"-4.0", "-1.0"} <= {row["VSBPSYS"] for row in forms} & {row["VSWEIGHT"] for row in forms}
    for cohort in (baseline, visits):
        for name, observed in cohort.observations.items():
            assert np.nanmin(observed.numeric) >= 0, name


def test_an_assay_beyond_its_range_counts_as_the_end_of_the_range(merged: list[Row], visits: Cohort) -> None:
    found = held(visits, "csf")
    for column, name, limits in ((0, "ABETA", ("<200", ">1700")), (1, "TAU", ("<80", ">1300"))):
        beyond = {f"{row['RID']}_{row['VISCODE']}": row[name] for row in merged if row[name][:1] in ("<", ">")}
        assert set(beyond.values()) <= set(limits)
        assert len(beyond) > 2
        for own, cell in beyond.items():
            assert found[own][column] == float(cell[1:])
        values = [values[column] for values in found.values()]
        assert np.nanmax(values) <= float(limits[1][1:])


def test_a_visit_has_its_own_diagnosis_and_values(folder: Path, merged: list[Row], visits: Cohort) -> None:
    seen = {f"{row['RID']}_{row['VISCODE']}": row for row in merged if row["DX"]}
    assert 0 < len(merged) - len(seen) == visits.receipt.cohort.drops[0].rows
    assert visits.id == list(seen)
    assert visits.subject == [row["RID"] for row in seen.values()]
    assert visits.y.tolist() == [CLASS[row["DX"]] for row in seen.values()]
    for name, columns in COLUMNS.items():
        check_numbers(visits, name, {own: [number(row[c]) for c in columns] for own, row in seen.items()})
    ages = {own: [float(row["AGE"]) + float(row["Years_bl"]), float(row["PTEDUCAT"])] for own, row in seen.items()}
    check_numbers(visits, "demographics", ages)
    expected, outside = vitals_of(folder, {own: row["EXAMDATE"] for own, row in seen.items()}, ["RID", "VISCODE2"])
    check_numbers(visits, "vitals", expected)
    assert dropped(visits.receipt, "vitals")["outside the window of -80640 to 1440 minutes"] == outside > 0


def test_a_converter_is_in_one_split_with_visits_of_both_classes(visits: Cohort) -> None:
    classes, splits = defaultdict(set), defaultdict(set)
    for subject, y, split in zip(visits.subject, visits.y, visits.split):
        classes[subject].add(int(y))
        splits[subject].add(split)
    assert {len(own) for own in splits.values()} == {1}
    converters = [subject for subject, own in classes.items() if own >= {1, 2}]
    assert len(converters) > 10
    assert {split for subject in converters for split in splits[subject]} == {"train", "tuning", "test"}


def test_cognition_is_left_out_and_would_have_been_told(merged: list[Row], baseline: Cohort, visits: Cohort) -> None:
    scores = {"CDRSB", "ADAS11", "ADAS13", "ADASQ4", "MMSE", "FAQ", "MOCA", "LDELTOTAL", "DX", "DX_bl", "ORIGPROT"}
    assert scores < merged[0].keys()
    for cohort in (baseline, visits):
        taken = {name for fields in cohort.schema.modalities for name in (*fields.numeric, *fields.categorical)}
        assert not taken & scores
        assert not [name for name in taken if re.search(r"_bl$|RAVLT|Ecog|mPACC", name)]
        assert cohort.receipt.findings == []
    spec = load_spec(EXAMPLES / "adni" / "baseline.toml")
    leaky = spec.modality[0].model_copy(update={"columns": ["AGE", "CDRSB", "MMSE"]})
    found = build_cohort(spec.model_copy(update={"modality": [leaky]}), progress=False).receipt.findings
    assert {finding.where for finding in found if finding.kind == "leakage"} >= {"demographics.CDRSB"}


def test_it_trains_and_predicts_three_classes(baseline: Cohort) -> None:
    graph = graph_from_cohort(baseline)
    model = Debiaser("concat", "none", max_epochs=2, members=1, channels=8).fit(graph, baselines=False)
    predicted = model.predict_proba(graph, split="test")
    tested = [own for own, split in zip(baseline.id, baseline.split) if split == "test"]
    assert predicted.shape == (len(tested), 3)
    np.testing.assert_allclose(predicted.sum(1), 1, atol=1e-5)
    assert predicted.std(0).min() > 0
    np.testing.assert_allclose(model.predict_proba(graph, ids=tested[3:4])[0], predicted[3], atol=1e-5)
