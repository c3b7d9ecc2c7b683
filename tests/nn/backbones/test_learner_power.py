"""What learners can and cannot learn, against answers in closed form (U9 to U11 of the dossier)."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from gdsfd.graph.grid_layout import GridLayout
from gdsfd.nn.backbones import Backbone, Task, build_backbone, known_backbones
from gdsfd.nn.backbones.registry import BACKBONES
from gdsfd.nn.fusion import ModalityLinear
from tests.nn.backbones.learner_case import layout_of, training_loss

WIDTH = 16
LEARNERS: dict[str, dict[str, Any]] = {name: {} for name in known_backbones() if BACKBONES.plugin_of(name) is None}
VARIANTS = [*LEARNERS.items(), ("late", {"fusion": "sum"}), ("late", {"fusion": "feature"})]
NAMES = [f"{name}-{options['fusion']}" if options else name for name, options in VARIANTS]
#: What makes the small tests take a second: fewer tokens, and more steps where a learner is slow to begin.
SMALL = {
    "crossmodal": {"tokens_per_modality": 2},
    "drfuse": {"ranking": 0.0},  # with it, it takes twice as many steps: the slow test has it
    "flexmoe": {"experts": 4},
    "healnet": {"tokens_per_modality": 2, "latents": 2, "layers": 1},
    "hgmf": {"bank": 128},
    "mt": {"tokens_per_modality": 2},
    "umse": {"tokens_per_modality": 2, "bottlenecks": 2},
}
STEPS = {"drfuse": 150, "flexmoe": 40, "hgmf": 40, "shaspec": 300, "smil": 40}
SHIFTS = torch.tensor([0.8, 0.6, 0.5])


class Trained:
    """A learner on modalities of two columns, trained for some steps of AdamW.

    Args:
        name: Of the learner.
        options: Its own.
        x: Columns; float [N, K, 2].
        there: bool [N, K].
        y: float [N].
        steps: Number of steps.
        size: Patients of a step.
    """

    def __init__(
        self, name: str, options: dict[str, Any], x: Tensor, there: Tensor, y: Tensor, steps: int, size: int = 256
    ) -> None:
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.encoder = ModalityLinear(x.size(1), 2, WIDTH)
            self.learner: Backbone = build_backbone(name, WIDTH, x.size(1), dropout=0.0, **options)
            self.learner.set_task(Task(1, tuple("abc"[: x.size(1)])))
            self.head = nn.Linear(WIDTH, 1)
            parts = nn.ModuleList([self.encoder, self.learner, self.head])
            optimizer = torch.optim.AdamW(parts.parameters(), lr=1e-2, weight_decay=1e-3)
            schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-2, total_steps=steps)
            if self.learner.memory_in_training:
                self.remember(x, there)
            parts.train()
            for _ in range(steps):
                rows = torch.randint(len(x), (size,))
                tokens, layout = self.inputs(x[rows], there[rows])
                loss = training_loss(self.learner, self.head, tokens, layout, y[rows].unsqueeze(1))
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
            self.remember(x, there)

    @torch.no_grad()
    def remember(self, x: Tensor, there: Tensor) -> None:
        for part in (self.encoder, self.learner, self.head):
            part.eval()
        self.learner.fit_memory(lambda: [self.inputs(x[:2048], there[:2048])])

    def inputs(self, x: Tensor, there: Tensor):
        grid = self.encoder(x)
        if self.learner.takes_grid:
            return grid.transpose(0, 1), GridLayout(there.t().float())
        layout = layout_of(there)
        return grid[layout.patient, layout.modality], layout

    @torch.no_grad()
    def auroc(self, x: Tensor, there: Tensor, y: Tensor) -> float:
        found = self.learner(*self.inputs(x, there))
        return auroc(self.head(found.pooled) if found.logits is None else found.logits, y)


def auroc(score: Tensor, y: Tensor) -> float:
    """The share of pairs in order; ties at random."""
    score = score.flatten().double() + 1e-9 * torch.rand(len(y), generator=torch.Generator().manual_seed(0))
    rank = score.argsort().argsort().double() + 1
    positive = y > 0
    cases, controls = int(positive.sum()), int((~positive).sum())
    return float((rank[positive].sum() - cases * (cases + 1) / 2) / (cases * controls))


def signs(patients: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Two modalities with a sign each; the outcome is whether they agree, one in ten flipped. Bayes: .90."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(patients, 2, 2, generator=generator)
    x[..., 0] = x[..., 0].sign()
    flipped = torch.rand(patients, generator=generator) < 0.1
    y = ((x[:, 0, 0] * x[:, 1, 0] > 0) ^ flipped).float()
    return x, torch.ones(patients, 2, dtype=torch.bool), y


def shifted(patients: int, seed: int, hidden: float = 0.0) -> tuple[Tensor, Tensor, Tensor]:
    """Three modalities, normal and independent given the outcome, with shifts; some hidden at random."""
    generator = torch.Generator().manual_seed(seed)
    y = (torch.rand(patients, generator=generator) < 0.5).float()
    x = torch.randn(patients, 3, 2, generator=generator)
    x[..., 0] += SHIFTS * (y.unsqueeze(1) - 0.5)
    return x, torch.rand(patients, 3, generator=generator) >= hidden, y


def bayes(pattern: Tensor) -> float:
    """Phi(|delta| / sqrt 2) of the modalities there are."""
    return 0.5 * (1 + math.erf(float(SHIFTS[pattern].norm()) / 2))


def test_the_yardsticks() -> None:
    x, _, y = shifted(200_000, 0)
    assert auroc((x[..., 0] * SHIFTS).sum(1), y) == pytest.approx(bayes(torch.tensor([True] * 3)), abs=0.003)
    x, _, y = signs(200_000, 0)
    assert auroc(x[:, 0, 0] * x[:, 1, 0], y) == pytest.approx(0.9, abs=0.003)
    assert auroc(x[:, 0, 0] + 0.7 * x[:, 1, 0], y) == pytest.approx(0.5, abs=0.005)


def check_interaction(name: str, options: dict[str, Any], train: int, test: int, steps: int, size: int = 256) -> None:
    found = Trained(name, options, *signs(train, 1), steps=steps, size=size).auroc(*signs(test, 2))
    card = BACKBONES.find(name).card
    assert card is not None
    if card.interaction:
        assert found > 0.8
    else:
        assert found == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize(("name", "options"), VARIANTS, ids=NAMES)
def test_u9_small_who_claims_interaction_finds_it(name: str, options: dict[str, Any]) -> None:
    check_interaction(name, {**SMALL.get(name, {}), **options}, 2000, 4000, STEPS.get(name, 80), size=128)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "options"), VARIANTS, ids=NAMES)
def test_u9_who_claims_interaction_finds_it(name: str, options: dict[str, Any]) -> None:
    check_interaction(name, options, train=20_000, test=20_000, steps=400)


@pytest.mark.parametrize(("name", "options"), VARIANTS, ids=NAMES)
def test_u11_small_with_half_hidden_complete_patients_come_near_the_closed_form(
    name: str, options: dict[str, Any]
) -> None:
    if name == "unimodal":
        options = {"modality": "a"}
    trained = Trained(name, {**SMALL.get(name, {}), **options}, *shifted(4000, 1, hidden=0.5), steps=60, size=128)
    x, _, y = shifted(4000, 2)
    whole = torch.tensor([True, name != "unimodal", name != "unimodal"])
    found = trained.auroc(x, whole.expand(len(x), 3), y)
    assert found == pytest.approx(bayes(whole), abs=0.03)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "options"), VARIANTS, ids=NAMES)
def test_u10_without_interaction_it_reaches_the_closed_form(name: str, options: dict[str, Any]) -> None:
    found = Trained(name, options, *shifted(20_000, 1), steps=400).auroc(*shifted(20_000, 2))
    whole = torch.tensor([True, name != "unimodal", name != "unimodal"])
    assert found == pytest.approx(bayes(whole), abs=0.02)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "options"), VARIANTS, ids=NAMES)
def test_u11_with_half_hidden_it_reaches_the_closed_form_of_each_pattern(name: str, options: dict[str, Any]) -> None:
    trained = Trained(name, options, *shifted(20_000, 1, hidden=0.5), steps=400)
    x, _, y = shifted(20_000, 2)
    for kept in range(1, 8):
        pattern = torch.tensor([bool(kept >> k & 1) for k in range(3)])
        if name == "unimodal" and not pattern[0]:
            continue
        expected = bayes(pattern if name != "unimodal" else torch.tensor([True, False, False]))
        assert trained.auroc(x, pattern.expand(len(x), 3), y) == pytest.approx(expected, abs=0.03), pattern
