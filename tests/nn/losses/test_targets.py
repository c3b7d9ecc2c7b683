"""Targets of some patients: every part follows the patients, and what there is not stays away."""

from __future__ import annotations

import torch

from gdsfd.nn.losses import Targets

WHOLE = Targets(
    y=torch.tensor([[0.0], [1.0], [float("nan")]]),
    rows=torch.tensor([7, 8, 9]),
    weight=torch.tensor([[1.0], [2.0], [3.0]]),
    margin=torch.tensor([[0.1], [0.2], [0.3]]),
    suspects=torch.tensor([[0, -1], [1, 0], [2, 1]]),
    group=torch.tensor([4, 5, 6]),
    strata_share=torch.tensor([[0.1, 0.9], [0.2, 0.8], [0.3, 0.7]]),
    strata_margin=torch.arange(6.0).view(3, 2, 1),
    trees=torch.tensor([[1.5], [-0.5], [0.25]]),
)


def test_every_part_follows_the_patients() -> None:
    some = WHOLE.take(torch.tensor([2, 0]))
    assert some.rows.tolist() == [9, 7]
    assert bool(some.y[0].isnan())
    assert float(some.y[1]) == 0
    for name in ("weight", "margin", "suspects", "group", "strata_share", "strata_margin", "trees"):
        assert torch.equal(getattr(some, name), getattr(WHOLE, name)[[2, 0]])


def test_parts_that_there_are_not_stay_away() -> None:
    bare = Targets(torch.tensor([1, -1, 0]), torch.arange(3))
    for changed in (bare.take(torch.tensor([1])), bare.to("cpu")):
        assert {name for name, part in vars(changed).items() if part is not None} == {"y", "rows"}
    assert bare.take(torch.tensor([1])).y.tolist() == [-1]


def test_everything_moves() -> None:
    moved = WHOLE.to("meta")
    assert {getattr(moved, name).device.type for name in vars(moved)} == {"meta"}


def test_beside_trees_their_log_odds_come_to_every_margin() -> None:
    beside = WHOLE.beside_trees()
    torch.testing.assert_close(beside.margin, torch.tensor([[1.6], [-0.3], [0.55]]))
    torch.testing.assert_close(beside.strata_margin, torch.tensor([[[1.5], [2.5]], [[1.5], [2.5]], [[4.25], [5.25]]]))
    bare = Targets(WHOLE.y, WHOLE.rows, trees=WHOLE.trees).beside_trees()
    assert torch.equal(bare.margin, WHOLE.trees)  # type: ignore[arg-type]
    assert bare.strata_margin is None
