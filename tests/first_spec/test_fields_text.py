from __future__ import annotations

import tomllib
from pathlib import Path

from gdsfd.first_spec.fields_text import fields_text


def test_what_is_written_reads_back() -> None:
    fields = {
        "engine": "duckdb",
        "cohort": {
            "source": "a.csv", "derive": {"x y": "b || 'c\"d'"}, "groups": ["sex"],
            "join": [{"source": "b.csv", "on": "k", "columns": ["c"]}, {"source": "c.csv", "on": "l", "columns": []}],
        },
        "outcome": [{"name": "o", "positive": [True, 1, "x"]}],
        "modality": [{"name": "m", "window": [-1440, 0.5]}, {"name": "n"}],
    }  # fmt: skip
    read = tomllib.loads(fields_text({**fields, "base_dir": Path("x")}))
    fields["cohort"]["join"][1].pop("columns")  # empty lists are what nobody needs to read
    assert read == fields


def test_what_toml_has_no_words_for_is_a_comment() -> None:
    text = fields_text({"cohort": {"source": object(), "id": "a", "where": None}})
    assert text == '[cohort]\n# source = <object>\nid = "a"'
