"""What holds for every learner; one joins by a subclass that names it, and its exceptions with their reasons."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode

from gdsfd.graph.edge_layout import EdgeLayout
from gdsfd.graph.grid_layout import GridLayout
from gdsfd.nn.backbones import Backbone, Task, build_backbone
from gdsfd.nn.embeddings import Embeddings
from gdsfd.nn.losses import Targets
from gdsfd.nn.objectives import ErmObjective
from gdsfd.nn.predictor import Prediction

__all__ = ["LearnerCase", "as_grid", "layout_of", "make_learner", "presences", "tokens_of", "training_loss"]

B, K, D, C = 12, 5, 8, 3
NAMES = ("a", "b", "c", "d", "e")


def make_learner(name: str, modalities: int = K, channels: int = D, outputs: int = C, **options: Any) -> Backbone:
    """A learner with its task set, its weights drawn with seed 1."""
    with torch.random.fork_rng():
        torch.manual_seed(1)
        made = build_backbone(name, channels, modalities, **{"dropout": 0.0, **options})
        made.set_task(Task(outputs, NAMES[:modalities]))
    return made


def presences(nobody_has: int | None = 2) -> Tensor:
    """Patient 3 has nothing, patient 4 everything, and one modality nobody has; bool [B, K]."""
    presence = torch.rand(B, K, generator=torch.Generator().manual_seed(0)) < 0.6
    presence[4] = True
    presence[3] = False
    if nobody_has is not None:
        presence[:, nobody_has] = False
    return presence


def layout_of(presence: Tensor) -> EdgeLayout:
    return EdgeLayout.from_lists([column.nonzero().squeeze(1) for column in presence.unbind(1)], len(presence))


def tokens_of(grid: Tensor, layout: EdgeLayout) -> Tensor:
    """The tokens at the layout's edges of a full grid, [B, K, d] to [E, d]."""
    return grid[layout.patient, layout.modality]


def full_grid(seed: int = 3) -> Tensor:
    return torch.randn(B, K, D, generator=torch.Generator().manual_seed(seed))


def as_grid(presence: Tensor) -> GridLayout:
    return GridLayout(presence.t().float())


def training_loss(made: Backbone, head: nn.Linear, tokens: Tensor, layout: Any, y: Tensor, aux: bool = True) -> Tensor:
    """The loss as the predictor and the objective make it, or as a learner does that replaces it."""

    def criterion(found: Embeddings, rows: Tensor | None = None) -> Tensor:
        logits = head(found.pooled) if found.logits is None else found.logits
        parts = {
            name: (head(part.code) if part.logits is None else part.logits, part.rows)
            for name, part in found.parts.items()
        }
        found.aux_loss = found.aux_loss if aux else None
        prediction = Prediction(logits, found, parts=parts, parts_weight=made.parts_weight)
        mine = y if rows is None else y[rows]
        return ErmObjective()([prediction], Targets(mine, torch.arange(len(mine))), 2)

    return made.training_loss(tokens, layout, y, criterion)


class CountOps(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.count += 1
        return func(*args, **(kwargs or {}))


class LearnerCase:
    """The tests of dossier section 1.5 that need no cohort. Numbers of the tests are those given there (U1 to U12)."""

    name: ClassVar[str]
    options: ClassVar[dict[str, Any]] = {}
    #: Options that put the weights of its auxiliary losses to 0; empty where it has none.
    weightless: ClassVar[dict[str, Any]] = {}
    #: What may stand at absent places of a grid.
    garbage: ClassVar[float] = float("nan")
    #: Whether the order of the modalities is part of the method.
    ordered: ClassVar[bool] = False
    #: Whether in training it reads the other patients of the batch.
    reads_batch: ClassVar[bool] = False
    #: Parameters (parts of their names) that need not move in three steps.
    unmoved: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, **facts: Mapping[str, Any]) -> None:
        """``class TestSum(LearnerCase, options={"fusion": "sum"})`` sets what is a mapping."""
        for name, value in facts.items():
            setattr(cls, name, value)

    def learner(self, **options: Any) -> Backbone:
        return make_learner(self.name, **{"edge_drop": 0.0, **self.options, **options})

    def fitted(self, presence: Tensor | None = None, **options: Any) -> Backbone:
        """In evaluation mode, off its starting weights, its memory fitted on other patients."""
        made = self.learner(**options)
        generator = torch.Generator().manual_seed(2)
        with torch.no_grad():
            for parameter in made.parameters():
                parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
        layout = layout_of(presences(None))
        made.eval()
        made.fit_memory(lambda: [(tokens_of(full_grid(7), layout), layout)])
        return made

    @torch.no_grad()
    def scores(self, made: Backbone, tokens: Tensor, layout: Any) -> dict[str, Tensor]:
        """All that evaluation tells of patients, [B, ...]."""
        found = made(tokens, layout)
        scores = {"pooled": found.pooled} | ({} if found.logits is None else {"logits": found.logits})
        return scores | {name: part.logits for name, part in found.parts.items() if part.logits is not None}

    def loss(self, made: Backbone, head: nn.Linear, tokens: Tensor, layout: Any, y: Tensor, aux: bool = True) -> Tensor:
        return training_loss(made, head, tokens, layout, y, aux)

    def labels(self) -> Tensor:
        y = torch.randint(0, C, (B,), generator=torch.Generator().manual_seed(4))
        y[1] = -1
        return y

    def same(self, found: Mapping[str, Tensor], expected: Mapping[str, Tensor], atol: float = 1e-5) -> None:
        assert found.keys() == expected.keys()
        for key, value in expected.items():
            torch.testing.assert_close(found[key], value, atol=atol, rtol=0, msg=lambda text, key=key: f"{key}: {text}")

    def test_u1_alone_shuffled_and_together_agree(self) -> None:
        made, presence, grid = self.fitted(), presences(), full_grid()

        def of(rows: Tensor) -> dict[str, Tensor]:
            layout = layout_of(presence[rows])
            return self.scores(made, tokens_of(grid[rows], layout), layout)

        together = of(torch.arange(B))
        assert all(torch.isfinite(value).all() for value in together.values())
        order = torch.randperm(B, generator=torch.Generator().manual_seed(5))
        self.same(of(order), {key: value[order] for key, value in together.items()})
        for patient in (0, 3, 4, 7):
            self.same(of(torch.tensor([patient])), {key: value[[patient]] for key, value in together.items()})
        assert (together["pooled"][0] - together["pooled"][1]).abs().max() > 1e-4, "all patients are the same to it"

    def test_u2_contents_of_an_absent_modality_change_nothing(self) -> None:
        made, presence = self.fitted(), presences()
        if not made.takes_grid:
            pytest.skip("it reads a list of edges, where an absent modality has no place")
        layout, absent = as_grid(presence), ~presence.t()
        tokens = full_grid().transpose(0, 1).contiguous()
        expected = self.scores(made, tokens, layout)
        spoiled = torch.where(absent.unsqueeze(2), self.garbage, tokens).requires_grad_()
        for key, value in self.scores(made, spoiled, layout).items():
            assert torch.equal(value, expected[key]), key
        made.train()
        self.loss(made, nn.Linear(D, C), spoiled, layout, self.labels()).backward()
        assert (spoiled.grad[absent] == 0).all()
        assert (spoiled.grad[~absent] != 0).any()

    def test_u3_hiding_a_modality_is_never_having_had_it(self) -> None:
        made, presence, grid = self.fitted(), presences(), full_grid()
        for hidden in (0, 4):
            kept = torch.arange(K) != hidden
            layout = layout_of(presence & kept)
            expected = self.scores(made, tokens_of(grid, layout), layout)
            whole = layout_of(presence)
            edges = whole.modality != hidden
            self.same(self.scores(made, tokens_of(grid, whole)[edges], whole.keep(edges)), expected, atol=0.0)
            if made.takes_grid:
                reduced = as_grid(presence).restrict(kept.expand(B, K))
                self.same(self.scores(made, grid.transpose(0, 1), reduced), expected)

    @pytest.mark.parametrize("which", ["one patient", "nothing", "nobody", "no edges"])
    def test_u4_trains_and_predicts_with_hardly_anything(self, which: str) -> None:
        presence = presences()
        rows = {"one patient": [4], "nothing": [3], "nobody": range(B), "no edges": [0, 1]}[which]
        presence = presence[list(rows)]
        if which == "no edges":
            presence = torch.zeros_like(presence)
        layout, made = layout_of(presence), self.learner().train()
        tokens = tokens_of(full_grid()[list(rows)], layout).requires_grad_()
        head = nn.Linear(D, C)
        loss = self.loss(made, head, tokens, layout, self.labels()[list(rows)])
        if loss.requires_grad:
            loss.backward()
        assert torch.isfinite(loss)
        for each in [tokens, *made.parameters()]:
            assert each.grad is None or torch.isfinite(each.grad).all()
        made.eval()
        made.fit_memory(lambda: [(tokens.detach(), layout)])
        found = made(tokens, layout)
        assert found.pooled.shape == (len(presence), D)
        assert torch.isfinite(found.pooled).all()

    def test_u5_relabelling_modalities_with_their_weights_changes_nothing(self) -> None:
        made, presence, grid = self.fitted(), presences(), full_grid()
        order = torch.tensor([3, 0, 4, 2, 1])
        other = copy.deepcopy(made)
        other.load_state_dict({name: relabelled(value, order) for name, value in made.state_dict().items()})
        layout, moved = layout_of(presence), layout_of(presence[:, order])
        expected = self.scores(made, tokens_of(grid, layout), layout)
        found = self.scores(other, tokens_of(grid[:, order], moved), moved)
        for key in set(NAMES) & found.keys():  # a part keeps its name, and the modality of that name has moved
            found[key] = self.scores(other, tokens_of(grid[:, order], moved), moved)[
                NAMES[order.tolist().index(NAMES.index(key))]
            ]
        if not self.ordered:
            self.same(found, expected)
            return
        assert not torch.allclose(found["pooled"], expected["pooled"], atol=1e-4), "the order is said to matter"

    def steps(self, made: Backbone, all_losses: bool = True) -> dict[str, Tensor]:
        """The parameters after three steps; with patients who have nothing, and no modality that nobody has."""
        presence = presences(None)
        layout = layout_of(presence)
        tokens, head = tokens_of(full_grid(), layout), nn.Linear(D, C)
        with torch.no_grad():
            head.weight.copy_(torch.randn(C, D, generator=torch.Generator().manual_seed(6)))
            head.bias.zero_()
        optimizer = torch.optim.SGD([*made.parameters(), *head.parameters()], lr=0.1)
        made.eval().fit_memory(lambda: [(tokens, layout)])
        made.train()
        torch.manual_seed(9)
        for _ in range(3):
            optimizer.zero_grad()
            if all_losses:
                self.loss(made, head, tokens, layout, self.labels()).backward()
            else:
                found = made(tokens, layout, self.labels())
                logits = head(found.pooled) if found.logits is None else found.logits
                F.cross_entropy(logits, self.labels(), ignore_index=-1, reduction="sum").div(B - 1).backward()
            optimizer.step()
        return {name: value.detach().clone() for name, value in made.named_parameters() if value.requires_grad}

    def test_u6_every_parameter_moves_in_three_steps(self) -> None:
        made = self.learner()
        before = {name: value.detach().clone() for name, value in made.named_parameters()}
        after = self.steps(made)
        still = [name for name, value in after.items() if torch.equal(value, before[name])]
        assert [name for name in still if not any(part in name for part in self.unmoved)] == []

    def test_u6_an_auxiliary_loss_of_weight_0_is_none(self) -> None:
        if not self.weightless:
            found = self.learner().train()(*_batch(), self.labels())
            assert found.aux_loss is None
            assert not found.parts or not self.learner().parts_weight
            return
        with_zero = self.steps(self.learner(**self.weightless))
        without = self.steps(self.learner(**self.weightless), all_losses=False)
        for name, value in without.items():
            torch.testing.assert_close(with_zero[name], value, atol=1e-7, rtol=0)
        different = self.steps(self.learner())
        assert any(name not in without or not torch.equal(different[name], without[name]) for name in different)

    def test_u7_unlabelled_patients_do_not_move_the_outcomes_loss(self) -> None:
        made, (tokens, layout) = self.learner().train(), _batch()
        tokens.requires_grad_()
        head, y = nn.Linear(D, C), self.labels()
        nothing = self.loss(made, head, tokens, layout, torch.full_like(y, -1), aux=False)
        assert float(nothing.detach()) == 0.0
        if self.reads_batch:
            return
        y[::2] = -1
        (gradient,) = torch.autograd.grad(self.loss(made, head, tokens, layout, y, aux=False), tokens)
        unlabelled = y[layout.patient] < 0
        assert (gradient[unlabelled] == 0).all()
        assert (gradient[~unlabelled] != 0).any()

    def test_u8_saved_and_loaded_it_gives_the_same_numbers(self) -> None:
        made = self.fitted()
        other = self.learner().eval()
        other.load_state_dict({name: value.clone() for name, value in made.state_dict().items()})
        for key, value in self.scores(made, *_batch()).items():
            assert torch.equal(self.scores(other, *_batch())[key], value), key

    def test_u12_the_number_of_operations_does_not_grow_with_patients(self) -> None:
        counts = []
        for rows in (slice(4, 8), slice(0, B)):
            layout = layout_of(presences()[rows])
            with CountOps() as ops:
                self.learner().train()(tokens_of(full_grid()[rows], layout), layout, self.labels()[rows])
            counts.append(ops.count)
        assert counts[0] == counts[1]


def _batch() -> tuple[Tensor, EdgeLayout]:
    layout = layout_of(presences())
    return tokens_of(full_grid(), layout), layout


def relabelled(value: Tensor, order: Tensor) -> Tensor:
    """A weight with its modalities in another order.

    An axis of size K is of modalities, one of K w of their channels, one of K (w + 1) of those and then of flags; w is
    the width d, or 4 where a case is narrower.
    """
    places = {K: order}
    for width in (D, 4):
        channels = (order.unsqueeze(1) * width + torch.arange(width)).flatten()
        places |= {K * width: channels, K * (width + 1): torch.cat([channels, K * width + order])}
    for axis, size in enumerate(value.shape):
        if size in places:
            value = value.index_select(axis, places[size])
    return value
