"""Bytes where all sources are files; else each source counts one; what cannot be found is no error here."""

from __future__ import annotations

import pandas as pd
import pytest

from gdsfd.cohort.amounts_to_read import amounts_to_read
from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.spec import CohortSpec


def spec(folder, source="labs-*.csv", cohort="stays.csv") -> CohortSpec:
    return CohortSpec(
        cohort={"source": cohort, "id": "stay"},
        outcome={"name": "death", "column": "died", "positive": "yes"},
        modality={"name": "labs", "kind": "table", "source": source, "id": "stay"},
        base_dir=folder,
    )


@pytest.fixture
def folder(tmp_path):
    rows = [f"{number:03d},{'yes' if number % 3 else 'no'}" for number in range(30)]
    (tmp_path / "stays.csv").write_text("\n".join(["stay,died", *rows]) + "\n")
    for part in range(2):
        numbers = range(15 * part, 15 * part + 15)
        (tmp_path / f"labs-{part}.csv").write_text("\n".join(["stay,wbc", *(f"{n:03d},{n}.5" for n in numbers)]) + "\n")
    return tmp_path


def test_files_count_by_their_bytes_all_of_a_glob(folder):
    sizes = {path.name: path.stat().st_size for path in folder.iterdir()}
    assert amounts_to_read(spec(folder)) == ([sizes["stays.csv"], sizes["labs-0.csv"] + sizes["labs-1.csv"]], "B")


TABLE = pd.DataFrame({"stay": ["001"], "wbc": [1.0]})


@pytest.mark.parametrize("source", [TABLE, "warehouse.duckdb::labs", "none.csv"])
def test_what_has_no_size_makes_every_source_count_one(folder, source):
    assert amounts_to_read(spec(folder, source)) == ([1, 1], "source")


def test_the_bar_of_a_build_ends_at_its_total(folder, monkeypatch, capsys):
    from gdsfd.cohort import build

    bars = []
    whole = build.progress_bar

    def kept(*given):
        manager = whole(*given)
        bars.append(manager.__enter__())
        return _Held(manager, bars[-1])

    monkeypatch.setattr(build, "progress_bar", kept)
    build_cohort(spec(folder), progress=True)
    assert bars[0].n == bars[0].total > 0
    assert bars[0].unit == "B"
    assert "labs" in capsys.readouterr().err


class _Held:
    """A context that was entered before."""

    def __init__(self, manager, bar):
        self.manager, self.bar = manager, bar

    def __enter__(self):
        return self.bar

    def __exit__(self, *error):
        return self.manager.__exit__(*error)
