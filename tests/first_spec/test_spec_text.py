"""TOML with comments."""

from __future__ import annotations

import tomllib

import pytest

from gdsfd.first_spec.proposal import Entry, Proposal
from gdsfd.first_spec.spec_text import spec_text, toml_value


@pytest.mark.parametrize(
    "value",
    [
        "plain",
        'with "quotes"',
        "it's",
        "both \" and '",
        "line\nbreak\ttab\x7f\x00",
        "back\\slash",
        "Größe \u2028",
        True,
        3,
        -1,
        1440.0,
        0.25,
        1e-7,
        ["a", 1],
        {"x y": "a", "Größe": 'b "c"'},
    ],
)
def test_values_come_back_as_they_were(value):
    assert tomllib.loads(f"x = {toml_value(value)}")["x"] == value


def test_what_has_no_toml():
    with pytest.raises(TypeError):
        toml_value(None)


def proposal():
    modality = Entry(
        "[modality]",
        {"name": "labs", "kind": "events", "window": [0.0, 1440.0], "values": [f"column_{k}" for k in range(40)]},
        {"a": "x" * 100, "b c": 'd "e"'},
        above=["About the whole."],
        notes={"kind": ["why " * 60], "window": ["a\nb"]},
    )
    gone = Entry("[modality]", {"name": "death", "kind": "table"}, left_out="it leaks", notes={"kind": ["k"]})
    return Proposal(
        ["Head.", ""],
        Entry("cohort", {"source": "c.csv", "subject": None, "id": "id"}, notes={"subject": ["nobody"]}),
        Entry("outcome", {"name": "o"}),
        Entry("split", {"seed": 0}),
        joins=[Entry("[cohort.join]", {"on": "h"})],
        modalities=[modality, gone],
        unused={"README": "a text", "LICENSE": "a text"},
    )


def test_the_text_is_toml_and_every_remark_a_comment():
    text = spec_text(proposal())
    read = tomllib.loads(text)
    assert read["cohort"] == {"source": "c.csv", "id": "id", "join": [{"on": "h"}]}
    (labs,) = read["modality"]
    assert labs["derive"] == {"a": "x" * 100, "b c": 'd "e"'}
    assert len(labs["values"]) == 40
    assert max(map(len, text.splitlines())) <= 120
    for words in (
        "# nobody",
        "# About the whole.",
        "# a b",
        "# LEFT OUT: it leaks.",
        '# name = "death"',
        "README, LICENSE",
    ):
        assert words in text


def test_names_cannot_break_out_of_a_comment():
    entry = Entry("outcome", {"name": "o"}, above=['x\n[cohort]\nid = "evil"\u2028y'])
    text = spec_text(Proposal([], Entry("cohort"), entry, Entry("split")))
    assert tomllib.loads(text) == {"cohort": {}, "outcome": {"name": "o"}, "split": {}}
