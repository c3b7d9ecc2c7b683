"""What learners on a grid share: hiding in training, names of parts, and the same from lists and grids."""

from __future__ import annotations

import torch

from gdsfd.nn.backbones import Fused, FusionBackbone, Task
from tests.nn.backbones.learner_case import as_grid, full_grid, layout_of, presences, tokens_of


class Keeps(FusionBackbone):
    def fuse(self, grid, there, y):
        self.seen = grid, there, y
        return Fused(grid.sum(1), parts=self.of_each(grid, there))


def test_lists_and_grids_show_the_same() -> None:
    learner, presence, grid = Keeps(8, 5).eval(), presences(), full_grid()
    layout = layout_of(presence)
    listed = learner(tokens_of(grid, layout), layout)
    seen = learner.seen
    placed = learner(grid.transpose(0, 1), as_grid(presence))
    assert torch.equal(listed.pooled, placed.pooled)
    assert all(torch.equal(*pair) for pair in zip(seen[:2], learner.seen[:2]))
    assert torch.equal(placed.presence, presence)


def test_observations_are_hidden_in_training_alone() -> None:
    learner, layout = Keeps(8, 5, edge_drop=0.999999), layout_of(presences())
    y = torch.zeros(12, 1)
    learner.train()(tokens_of(full_grid(), layout), layout, y)
    grid, there, seen_y = learner.seen
    assert not there.any()
    assert not grid.any()
    assert seen_y is y
    learner.eval()(tokens_of(full_grid(), layout), layout)
    assert torch.equal(learner.seen[1], presences().float())


def test_parts_go_by_the_modalities_names() -> None:
    learner = Keeps(8, 5)
    assert next(iter(learner.of_each(full_grid(), torch.ones(12, 5)))) == "modality 1"
    learner.set_task(Task(1, ("a", "b", "c", "d", "e")))
    learner.set_task(Task(1, ()))  # nodes are cells: they keep the names they have
    parts = learner.of_each(full_grid(), presences().float())
    assert list(parts) == ["a", "b", "c", "d", "e"]
    assert torch.equal(parts["d"].rows, presences()[:, 3])
    assert torch.equal(parts["d"].logits, full_grid()[:, 3])
