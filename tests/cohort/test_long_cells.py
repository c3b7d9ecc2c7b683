"""Memory and messages do not grow with the longest cell."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

LONG = 1_000_000
PATIENTS = 2_000

#: Runs a build and prints how much the process held at most beyond what it held before, in MiB.
PROBE = """
import resource, sys
from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.spec import load_spec
from gdsfd.cohort.receipt.text import receipt_text
from gdsfd.errors import InputError
def held():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
before = held()
text = ""
try:
    text = receipt_text(build_cohort(load_spec("spec.toml")).receipt)
except InputError as error:
    text = f"refused: {error}"
print(int(held() - before), len(text), text[:300])
"""

SPEC = """
[cohort]
source = "cohort.csv"
id = "pid"
environment = "site"
[outcome]
name = "death"
column = "died"
positive = "yes"
negative = "no"
[[modality]]
name = "labs"
kind = "table"
source = "labs.csv"
id = "pid"
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("where", "outcome"),
    [("pid", "refused"), ("site", "refused"), ("labs id", "refused"), ("note", "COHORT"), ("hr", "refused")],
)
def test_one_cell_of_a_million_characters(where: str, outcome: str, tmp_path: Path) -> None:
    """An id of that length among 2,000 once took 8.4 GB, as an array of fixed width."""
    long = "n" * LONG

    def cell(column: str, row: int, usual: str) -> str:
        return long if where == column and row == 7 else usual

    (tmp_path / "cohort.csv").write_text(
        "pid,died,site\n"
        + "".join(
            f"{cell('pid', k, f'{k:04d}')},{'no' if k % 3 else 'yes'},{cell('site', k, 'north')}\n"
            for k in range(PATIENTS)
        )
    )
    (tmp_path / "labs.csv").write_text(
        "pid,hr,note\n"
        + "".join(
            f"{cell('labs id', k, f'{k:04d}')},{cell('hr', k, str(k))},{cell('note', k, f'note {k}')}\n"
            for k in range(PATIENTS)
        )
    )
    (tmp_path / "spec.toml").write_text(SPEC)
    ran = subprocess.run([sys.executable, "-c", PROBE], cwd=tmp_path, capture_output=True, text=True, check=True)
    grown, printed, begin = ran.stdout.split(" ", 2)
    assert begin.startswith(outcome)
    assert int(grown) < 500
    assert int(printed) < 5_000
