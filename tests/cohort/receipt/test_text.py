"""The printed receipt: everything is said, nothing is wider than 110 columns."""

from __future__ import annotations

import re

import pytest

from gdsfd.cohort.checks.leakage import find_leaks
from gdsfd.cohort.receipt.receipt import Drop, Finding, Receipt, SourceReceipt
from gdsfd.cohort.receipt.tables import fill_tables
from gdsfd.cohort.receipt.text import receipt_text
from tests.cohort_factory import make_cohort


@pytest.fixture
def receipt() -> Receipt:
    cohort = make_cohort(100)
    fill_tables(cohort)
    made = cohort.receipt
    made.cohort.rows_read = 1112
    made.cohort.drops = [Drop("filtered out by where", 1010, ["001", "2"]), Drop("no outcome", 2)]
    labs = made.modalities[1]
    labs.rows_read, labs.rows_kept, labs.duplicates = 434_660, 434_000, 12
    labs.drops = [Drop("id not in the cohort", 600, ["141", "142"]), Drop("outside the window", 60)]
    labs.notes = ["17 items rarer than 50: 'a' and 16 more"]
    labs.fitted = {"items": 37}
    made.findings = find_leaks(cohort)
    return made


def test_says_what_was_read_kept_and_dropped_and_why(receipt):
    text = receipt_text(receipt)
    assert text.startswith("COHORT  100 patients from patients.csv\n")
    assert re.search(r"read +1,112\n", text)
    assert re.search(r"dropped +1,010  filtered out by where \(e\.g\. '001', '2'\)\n +dropped +2  no outcome\n", text)
    assert re.search(r"labs +events +\d+ \(\d+\.\d%\) +434,660 +660 +434,000  37 items\n", text)
    assert "600 rows dropped: id not in the cohort (e.g. '141', '142')\n" in text
    assert "60 rows dropped: outside the window\n" in text
    assert "12 rows repeat another row in full\n" in text
    assert "17 items rarer than 50: 'a' and 16 more\n" in text


def test_presence_splits_patterns_and_warnings(receipt):
    text = receipt_text(receipt)
    assert "SPLITS  subjects in more than one split: 0\n" in text
    share = next(
        row["share"]
        for row in receipt.tables["presence_by_split"]
        if (row["modality"], row["split"]) == ("chart", "train")
    )
    assert re.search(rf"\n  chart +{share:.1%} ", text)
    patterns = receipt.tables["patterns"]
    assert f"PATTERNS  {len(patterns)} different sets" in text
    left_out = sum(row["count"] for row in patterns[12:])
    assert f"and {len(patterns) - 12} more patterns of {left_out} patients" in text
    assert f"WARNINGS  {len(receipt.findings)}\n" in text
    assert text.index("WARNINGS") > text.index("PATTERNS") > text.index("PRESENCE") > text.index("MODALITIES")


@pytest.mark.parametrize("outcomes", ["binary", "multiclass", "multilabel"])
def test_fits_110_columns_whatever_the_names_and_loses_no_word(outcomes):
    cohort = make_cohort(150, outcomes=outcomes)
    names = {"tuning": "evaluation_" + "x" * 30, "test": "test_shifted_missingness_of_the_second_hospital"}
    cohort.split = [names.get(name, name) for name in cohort.split]
    fill_tables(cohort)
    receipt = cohort.receipt
    receipt.modalities[0].source = [f"a very long folder name/part-{number:04d}.parquet" for number in range(400)]
    receipt.modalities[0].notes = [" ".join(f"word{number}" for number in range(90)), "z" * 300]
    receipt.modalities[2].drops = [Drop("a long reason that goes on " * 6, 5, ["an id of many words " * 3] * 5)]
    receipt.findings = [Finding("leakage", "a.b", "text " * 60)]
    text = receipt_text(receipt)
    assert max(len(line) for line in text.splitlines()) <= 110
    assert not any(line != line.rstrip() for line in text.splitlines())
    for number in range(90):
        assert f"word{number}" in text
    assert text.count("z") >= 300
    assert "and 397 more files" in text
    assert "".join(names["test"].split()) in text


def test_a_bare_receipt():
    text = receipt_text(Receipt(SourceReceipt("cohort", "cohort", ["DataFrame"], 0, 0, 0)))
    assert text.splitlines() == [
        "COHORT  0 patients from DataFrame",
        "  read  0",
        "  kept  0",
        "",
        "MODALITIES  none",
        "",
        "WARNINGS  none",
    ]


def test_empty_cohort():
    cohort = make_cohort(0)
    fill_tables(cohort)
    assert "COHORT  0 patients" in receipt_text(cohort.receipt)


@pytest.mark.parametrize("width", [60, 80, 110])
def test_no_line_is_longer_than_the_screen_and_nothing_is_lost(receipt, width):
    text = receipt_text(receipt, width)
    assert max(map(len, text.splitlines())) <= width
    words = set(receipt_text(receipt).split())
    assert words <= set(text.split())


def test_the_width_of_a_vector_is_so_many_numbers(receipt):
    receipt.modalities[1].fitted = {"width": 24}
    assert re.search(r"434,000  24 numbers\n", receipt_text(receipt))
