"""Exports of odd names and cells: a spec that was written builds, and what is refused is refused in words."""

from __future__ import annotations

import random
from pathlib import Path

import pandas as pd
import pytest

from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.spec import load_spec
from gdsfd.errors import InputError
from gdsfd.first_spec.init_spec import init_spec

NAMES = (
    *(
        "id",
        "time",
        "charttime",
        "offset",
        "value",
        "item",
        "code",
        "drug",
        "sex",
        "site",
        "los",
        "dischtime",
        "e_0",
        "note",
    ),
    *(
        "LBDY",
        "start_hour",
        "wt,kg",
        "t__text",
        "rowid",
        "death_date",
        "order",
        "select",
        "höhe",
        "a b",
        'q"x',
        "n'x",
        "x*",
    ),
    *("[y]", "#", "1", "true", ""),
)


def cells(draw: random.Random, rows: int) -> list[object]:
    """A column of one of many kinds."""
    kinds = (
        lambda: draw.randrange(rows * 2),
        lambda: draw.choice(["a", "b", None]),
        lambda: round(draw.gauss(0, 1), 3),
        lambda: f"2020-01-{draw.randrange(1, 29):02d} {draw.randrange(24):02d}:00",
        lambda: f"{draw.randrange(1, 29):02d}.{draw.randrange(1, 13):02d}.2020",
        lambda: f"{draw.randrange(60):02d}:{draw.randrange(60):02d}",
        lambda: draw.choice(["1,5", "2,25", "n/a", "> 3"]),
        lambda: None,
        lambda: draw.choice([-1, 5, 7, 9.5]),
        lambda: f'text {draw.random()}\nline;"q",',
        lambda: f"{draw.randrange(10**6):06d}",
        lambda: draw.choice(["2020-01-01T10:00:00Z", "2021-01-01T10:00:00+02:00"]),
        lambda: draw.choice(["inf", "NaN", "1e5", 1e300]),
    )
    kind = draw.choice(kinds)
    return [kind() for _ in range(rows)]


def write(folder: Path, draw: random.Random) -> None:
    """A cohort table and up to two others, as CSV with one delimiter or another."""
    for number in range(draw.randrange(1, 4)):
        rows = 80 if number == 0 else draw.choice([3, 30, 200])
        columns = {name: cells(draw, rows) for name in draw.sample(NAMES, draw.randrange(1, 8))}
        columns["stay_id"] = list(range(500, 580)) if number == 0 else [500 + draw.randrange(80) for _ in range(rows)]
        if number == 0:
            columns["dead"] = [draw.choice([0, 1]) for _ in range(rows)]
        name = folder / f"{draw.choice(['labs', 'x y', 'tab.le', 'death'])}{number}.csv"
        pd.DataFrame(columns).to_csv(name, index=False, sep=draw.choice([",", ";"]))


@pytest.mark.parametrize("seed", range(12))
def test_what_is_written_builds(seed: int, tmp_path: Path) -> None:
    write(tmp_path, random.Random(seed))
    out = tmp_path / "spec.toml"
    told = refused(tmp_path, out)
    if told is not None:
        assert "no table is left" in told
        assert not out.exists()
        return
    cohort = build_cohort(load_spec(out), progress=False)
    assert load_spec(out).cohort.id == "stay_id"
    assert len(cohort) == 80


def refused(exports: Path, out: Path) -> str | None:
    """Why no spec was written, or None."""
    try:
        init_spec(exports, "dead", out=out)
    except InputError as error:
        return str(error)
    return None
