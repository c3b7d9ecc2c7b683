"""The facts of learners are those of their classes; one of a plug-in stands behind the built-in ones."""

from __future__ import annotations

import pytest

from gdsfd.nn.backbones import Backbone, known_backbones, register_backbone
from gdsfd.nn.backbones.learner_facts import learner_facts
from gdsfd.nn.backbones.registry import BACKBONES


def test_each_learner_has_its_row() -> None:
    found = {each.name: each for each in learner_facts()}
    assert set(found) == set(known_backbones())
    late, muse, grape = found["late"], found["muse"], found["grape"]
    assert late.own_logits
    assert late.interaction is False
    assert (late.streams, muse.streams) == ("pooled vector", "tokens in")
    assert (late.bank, muse.bank, found["m3care"].bank) == (False, True, True)
    assert (grape.level, grape.one_pass, muse.one_pass) == ("cell", False, True)
    assert muse.what.startswith("Bipartite message passing with edge features")
    assert found["shaspec"].source == "Wang et al., CVPR 2023"
    assert all(each.what and each.source and each.tag and each.absence for each in found.values() if not each.plugin)


def test_one_of_ones_own_needs_no_card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BACKBONES, "_parts", {name: BACKBONES.find(name) for name in BACKBONES.names()})
    monkeypatch.setattr(BACKBONES, "_modules", dict(BACKBONES._modules))

    @register_backbone("a first of mine")
    class Mine(Backbone):
        """Does this.

        And that.
        """

        def forward(self, tokens, layout, y=None):
            raise NotImplementedError

    found = learner_facts()[-1]
    assert (found.name, found.what, found.source, found.plugin) == ("a first of mine", "Does this", "", __name__)
    assert found.interaction is None
    assert not found.one_pass
