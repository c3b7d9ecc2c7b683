"""A proposal is mended until it builds."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pandas as pd
import pytest

from gdsfd.errors import InputError
from gdsfd.first_spec.proposal import Entry, Proposal
from gdsfd.first_spec.spec_text import spec_text
from gdsfd.first_spec.trial import tried
from tests.cohort.small_exports import labs, patients


def proposal(folder: Path, **changed) -> Proposal:
    patients().to_csv(folder / "patients.csv", index=False)
    labs().to_csv(folder / "labs.csv", index=False)
    texts = labs().assign(wbc=[str(k) if k % 3 else "5 mg" for k in range(40)])
    texts.to_csv(folder / "texts.csv", index=False)
    pd.concat([labs(), labs()]).to_csv(folder / "twice.csv", index=False)
    entries = [
        Entry("[modality]", {"name": name, "kind": "table", "source": f"{name}.csv", "id": "pid", "columns": ["wbc"]})
        for name in ("labs", "texts", "twice")
    ]
    cohort = Entry("cohort", {"source": "patients.csv", "id": "pid", "subject": "person", **changed})
    cohort.notes = {"environment": [], "groups": []}
    outcome = Entry("outcome", {"name": "death", "column": "died", "positive": "yes", "negative": "no"})
    return Proposal([], cohort, outcome, Entry("split", {"kind": "subject"}), modalities=entries)


def test_text_is_read_as_missing_and_what_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    made = proposal(tmp_path)
    parts: list[str] = []
    found = tried(made, tmp_path, on_part=parts.append)
    assert found.ok
    labs_, texts, twice = made.modalities
    assert labs_.left_out is None
    assert texts.fields["invalid"] == "missing"
    assert "5 mg" in texts.notes["invalid"][0]
    assert not any(own in f"{texts.notes} {twice.left_out}" for own in ("(id ", "'000'", "'001'"))  # nobody is named
    assert "more than one row" in twice.left_out
    assert {receipt.name for receipt in found.modalities} == {"labs", "texts"}
    assert [entry["name"] for entry in tomllib.loads(spec_text(made))["modality"]] == ["labs", "texts"]
    assert parts.count("labs") == 1  # what has no fault is not read again


def test_groups_can_be_done_without_and_ids_cannot(tmp_path: Path) -> None:
    made = proposal(tmp_path, groups=["nothing"])
    assert tried(made, tmp_path).ok
    assert made.cohort.fields["groups"] is None
    assert "left out" in made.cohort.notes["groups"][0]
    with pytest.raises(InputError, match="must be unique"):
        tried(proposal(tmp_path, id="site"), tmp_path)


def test_nothing_left(tmp_path: Path) -> None:
    made = proposal(tmp_path)
    made.modalities = made.modalities[2:]
    with pytest.raises(InputError, match="no table is left"):
        tried(made, tmp_path)
