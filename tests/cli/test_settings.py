"""``--set``: types, near names, repeated keys."""

from __future__ import annotations

import re

import pytest

from gdsfd.cli.settings import read_settings
from gdsfd.errors import InputError

KNOWN = ("learning_rate", "batch_size", "backbone", "suspects", "backbone_options", "contrastive")


@pytest.mark.parametrize(
    ("pair", "value"),
    [
        ("batch_size=64", 64),
        ("batch_size = 64", 64),
        ("learning_rate=3e-4", 3e-4),
        ("learning_rate=.5", 0.5),
        ("contrastive=true", True),
        ("backbone=concat", "concat"),
        ('backbone="concat"', "concat"),
        ("backbone=bf16-mixed", "bf16-mixed"),
        ('suspects=["pattern", "modality:labs"]', ("pattern", "modality:labs")),
        ("suspects=[]", ()),
        ("backbone_options={layers = 3}", {"layers": 3}),
        ("backbone_options.layers=3", {"layers": 3}),
    ],
)
def test_values_are_typed_as_in_toml(pair, value):
    (found,) = read_settings([pair], KNOWN).values()
    assert found == value
    assert type(found) is type(value)


def test_entries_of_one_table_come_together():
    found = read_settings(["backbone_options.layers=3", "backbone_options.contrastive=true"], KNOWN)
    assert found == {"backbone_options": {"layers": 3, "contrastive": True}}


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        (["batch_size"], "--set batch_size: expected KEY=VALUE"),
        (["=3"], "--set =3: expected KEY=VALUE"),
        (["batchsize=3"], "there is no setting 'batchsize'. Did you mean 'batch_size'?"),
        (["batch_size=3", "batch_size=4"], "--set batch_size=4: 'batch_size' is given twice"),
        (["backbone_options.a=1", "backbone_options.a=2"], "'backbone_options.a' is given twice"),
        (["backbone_options=3", "backbone_options.a=2"], "'backbone_options.a' is given twice"),
        (["suspects=[pattern]"], "--set suspects=[pattern]: cannot read '[pattern]'"),
        (["batch_size="], "cannot read ''"),
    ],
)
def test_wrong_pairs_are_refused(pairs, message):
    with pytest.raises(InputError, match=re.escape(message)):
        read_settings(pairs, KNOWN)


def test_a_setting_given_by_its_own_option_is_not_set_again():
    with pytest.raises(InputError, match="'backbone' is given twice"):
        read_settings(["backbone=muse"], KNOWN, taken={"backbone": "concat"})
