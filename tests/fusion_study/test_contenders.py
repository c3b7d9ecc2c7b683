"""What a study fits: how it is named, and what is refused."""

from __future__ import annotations

import pytest

from gdsfd.errors import InputError
from gdsfd.fusion_study.contenders import floor_of, read_contender, restricted, trained_under


def test_learners_with_options_and_baselines() -> None:
    late = read_contender("late:fusion=sum:edge_drop=0.5")
    assert (late.part, late.network, late.whole) == ("late", True, True)
    assert late.options == {"fusion": "sum", "edge_drop": 0.5}
    assert late.name == "late:fusion=sum:edge_drop=0.5"
    assert not read_contender("boosting").network
    assert late.to_dict()["modalities"] is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mus", "unknown learner 'mus'. Did you mean 'muse'"),
        ("late:fusion", "expected learner:option=value, got 'fusion'"),
        ("late:mixing=sum", "mixing"),
        ("boosting_margin", "told no suspects"),
        ("boosting:trees=3", "takes no options"),
    ],
)
def test_what_is_none_is_refused(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_contender(text)


def test_each_modality_alone_and_all_but_each() -> None:
    names = [(each.name, each.modalities) for each in restricted(["labs", "notes", "imaging"])]
    assert names[0] == ("boosting, only labs", ("labs",))
    assert names[-1] == ("boosting, without imaging", ("labs", "notes"))
    assert len(names) == 6
    assert len(restricted(["labs", "notes"])) == 2


def test_floors_are_among_what_is_retrained() -> None:
    for names in (["labs", "notes"], ["labs", "notes", "imaging"]):
        made = {each.name: each.modalities for each in restricted(names)}
        for name in names:
            assert made[floor_of(names, name)] == tuple(one for one in names if one != name)


def test_trained_under_a_condition_or_with_more_dropout() -> None:
    hidden = trained_under(read_contender("boosting"), "random 0.5")
    assert hidden is not None
    assert (hidden.name, hidden.training, hidden.whole) == ("boosting, trained under random 0.5", "random 0.5", True)
    dropped = trained_under(read_contender("muse:edge_drop=0.1"), "dropout 0.5")
    assert dropped is not None
    assert (dropped.training, dropped.options["edge_drop"]) == ("natural", 0.5)
    assert trained_under(read_contender("boosting"), "dropout 0.5") is None
