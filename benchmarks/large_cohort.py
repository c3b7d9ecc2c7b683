"""Exports of a cohort of any size, written some patients at a time: five modalities, about 100 events per patient.

    python benchmarks/large_cohort.py FOLDER --patients 1000000
    gdsfd build FOLDER/spec.toml --out graph

A latent severity per patient moves the chance to die, the values of vital signs and laboratory results, how often these
are taken, the diagnoses and the vector of the note; sites differ in what they record. A million patients are 100
million events and take some minutes and under a gigabyte of memory; the same seed gives the same files whatever the
number of patients, as far as they go.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

PIECE = 50_000  #: patients of one file of each export
SITES, CODES, WIDTH = 20, 300, 16
HOURS = 48
#: Events of a patient who has the modality, on average; and the share of patients who have it.
VITALS, LABS, DIAGNOSES = 72, 44, 5
HAVE_VITALS, HAVE_LABS, HAVE_DIAGNOSES, HAVE_NOTE = 0.9, 0.8, 0.85, 0.6

#: Item: usual value, spread, and how much of the spread one unit of severity moves it.
VITAL_ITEMS = {
    "heart rate": (85, 18, 0.5),
    "respiratory rate": (18, 5, 0.5),
    "mean arterial pressure": (80, 14, -0.4),
    "oxygen saturation": (96, 3, -0.3),
    "temperature": (37, 0.7, 0.1),
    "urine output": (80, 50, -0.2),
}
LAB_ITEMS = {
    "lactate": (1.8, 1.2, 0.6),
    "creatinine": (1.2, 0.9, 0.4),
    "urea": (24, 14, 0.4),
    "sodium": (139, 5, 0.0),
    "potassium": (4.1, 0.6, 0.1),
    "bicarbonate": (24, 4, -0.4),
    "haemoglobin": (11, 2, -0.2),
    "leukocytes": (11, 5, 0.3),
    "platelets": (210, 90, -0.2),
    "bilirubin": (1.0, 1.1, 0.3),
    "albumin": (3.2, 0.6, -0.4),
    "glucose": (140, 50, 0.1),
}

SPEC = f"""# Written by benchmarks/large_cohort.py
[cohort]
source = "cohort/*.parquet"
id = "stay"
environment = "site"
groups = ["sex"]

[outcome]
name = "death"
column = "died"
positive = 1

[[modality]]
name = "admission"
kind = "table"
source = "admission/*.parquet"
id = "stay"

[[modality]]
name = "vitals"
kind = "events"
source = "vitals/*.parquet"
id = "stay"
time = "minute"
window = [0, {HOURS * 60}]
bin = 120
item = "item"
value = "value"

[[modality]]
name = "labs"
kind = "events"
source = "labs/*.parquet"
id = "stay"
time = "minute"
window = [0, {HOURS * 60}]
bin = 120
item = "item"
value = "value"

[[modality]]
name = "diagnoses"
kind = "codes"
source = "diagnoses/*.parquet"
id = "stay"
code = "code"

[[modality]]
name = "note"
kind = "embedding"
source = "note/*.parquet"
id = "stay"
columns = "e_*"
"""

Floats = NDArray[np.float64]
Ids = NDArray[np.int64]


def write_exports(folder: Path, patients: int, seed: int = 0, events: float = 100.0) -> int:
    """Writes ``spec.toml`` and a folder of Parquet files per export.

    Args:
        folder: Where to.
        patients: Number of patients.
        seed: Of the random numbers.
        events: Events per patient, on average over all patients.

    Returns:
        Events that were written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "spec.toml").write_text(SPEC, encoding="utf-8")
    written = 0
    for number, first in enumerate(range(0, patients, PIECE)):
        count = min(PIECE, patients - first)
        for name, table in _piece(np.arange(first, first + count) + 10_000_000, [seed, number], events / 100):
            path = folder / name / f"{number:05d}.parquet"
            path.parent.mkdir(exist_ok=True)
            pq.write_table(table, path)
            written += table.num_rows if name in ("vitals", "labs") else 0
    return written


def _piece(ids: Ids, seed: list[int], share: float) -> Iterator[tuple[str, pa.Table]]:
    """The rows of some patients in each export."""
    random = np.random.default_rng(seed)
    count = len(ids)
    severity = random.normal(size=count)
    site = random.integers(0, SITES, count)
    age = np.clip(random.normal(64, 16, count) + 3 * severity, 18, 99).round()
    died = random.random(count) < _chance(-2.4 + 1.3 * severity + 0.03 * (age - 64))
    names = pa.array([f"site {number:02d}" for number in range(SITES)])
    yield (
        "cohort",
        pa.table(
            {
                "stay": ids,
                "site": _worded(site, names),
                "sex": _worded(random.integers(0, 2, count), pa.array(["female", "male"])),
                "died": died.astype(np.int8),
            }
        ),
    )
    yield (
        "admission",
        pa.table(
            {
                "stay": ids,
                "age": age,
                "weight": _some(random.normal(80, 18, count).round(1), random, 0.1),
                "systolic": _some((125 - 8 * severity + random.normal(0, 20, count)).round(), random, 0.05),
                "from": _worded(
                    random.choice(4, count, p=[0.5, 0.3, 0.15, 0.05]), pa.array(["emergency", "ward", "theatre", "?"])
                ),
                "unit": _worded(site % 3, pa.array(["medical", "surgical", "cardiac"])),
            }
        ),
    )
    # What a site records, and what is measured more often because somebody is ill.
    for name, items, usual, have, ill in (
        ("vitals", VITAL_ITEMS, VITALS, HAVE_VITALS, 0.0),
        ("labs", LAB_ITEMS, LABS, HAVE_LABS, 0.25),
    ):
        known = random.random(count) < np.clip(have + 0.1 * np.sin(site) + 0.05 * severity, 0, 1)
        rows = np.where(known, random.poisson(usual * share * np.exp(ill * severity - ill**2 / 2)), 0)
        yield name, _events(ids, severity, rows, items, random)
    known = random.random(count) < HAVE_DIAGNOSES
    owner = np.repeat(np.arange(count), np.where(known, random.poisson(DIAGNOSES, count), 0))
    ill = random.random(len(owner)) < _chance(severity[owner] - 1)  # a tenth of the codes are those of the ill
    code = np.where(ill, 0, CODES // 10) + (random.beta(1, 4, len(owner)) * np.where(ill, CODES // 10, CODES * 9 // 10))
    codes = pa.array([f"{chr(65 + number % 26)}{number // 26:02d}" for number in range(CODES)])
    yield "diagnoses", pa.table({"stay": ids[owner], "code": _worded(code.astype(np.int32), codes)})
    told = np.flatnonzero(random.random(count) < HAVE_NOTE)
    vector = random.normal(size=(len(told), WIDTH)) + severity[told, None] * np.linspace(0.5, 0, WIDTH)
    columns = {f"e_{place:02d}": vector[:, place].astype(np.float32) for place in range(WIDTH)}
    yield "note", pa.table({"stay": ids[told], **columns})


def _events(
    ids: Ids,
    severity: Floats,
    rows: NDArray[np.int64],
    items: dict[str, tuple[float, float, float]],
    random: np.random.Generator,
) -> pa.Table:
    """Rows in no order, some of them outside the window."""
    owner = random.permutation(np.repeat(np.arange(len(ids), dtype=np.int32), rows))
    item = random.integers(0, len(items), len(owner), dtype=np.int32)
    centre, spread, moves = np.array(list(items.values()), np.float32).T
    value = random.standard_normal(len(owner), dtype=np.float32) + moves[item] * severity[owner].astype(np.float32)
    return pa.table(
        {
            "stay": ids[owner],
            "minute": random.integers(-30, HOURS * 60 + 30, len(owner), dtype=np.int32),
            "item": _worded(item, pa.array(list(items))),
            "value": (centre[item] + spread[item] * value).round(2),
        }
    )


def _chance(logit: Floats) -> Floats:
    return 1 / (1 + np.exp(-logit))


def _some(values: Floats, random: np.random.Generator, missing: float) -> pa.Array:
    return pa.array(values, mask=random.random(len(values)) < missing)


def _worded(number: NDArray[np.integer], words: pa.Array) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(number.astype(np.int32)), words)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--patients", type=int, default=1_000_000)
    parser.add_argument("--events", type=float, default=100.0, help="per patient, on average (default: 100)")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    written = write_exports(arguments.folder, arguments.patients, arguments.seed, arguments.events)
    print(f"{arguments.patients:,} patients, {written:,} events: {arguments.folder / 'spec.toml'}")


if __name__ == "__main__":
    main()
