"""A training step of ``muse`` with contrastive views, beside the two plain ways of taking it."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy

import torch
from torch import Tensor, nn

from gdsfd.bench.cohort_graph import random_graph
from gdsfd.bench.message_passing import PLAIN
from gdsfd.bench.opponents.contest import OURS, Contest, register_step
from gdsfd.bench.opponents.plain_muse import PlainCohort, PlainMuse, PublishedMuse, StackedConv
from gdsfd.bench.problem import Shape
from gdsfd.bench.step_products import step_products
from gdsfd.graph.patient_store import PatientStore
from gdsfd.nn.backbones import MuseBackbone
from gdsfd.nn.conv import EdgeSAGEConv
from gdsfd.nn.ensemble import Ensemble
from gdsfd.nn.grid_store import GridStore
from gdsfd.nn.losses import outcome_loss
from gdsfd.nn.member_stack import MemberStack
from gdsfd.nn.predictor import Prediction, Predictor

__all__ = ["PUBLISHED", "muse"]

PUBLISHED = "plain pyg, published views"


@register_step("muse")
def muse(shape: Shape, seed: int, device: str, random: bool) -> Contest:
    """``muse`` with contrastive views beside the published code's way."""
    graph = random_graph(shape, seed).to(device)
    options = {"contrastive": 1.0, "layers": shape.layers, "edge_drop": 0.15 if random else 0.0}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        ours = Predictor(graph.schema, "muse", shape.channels, 0.25 if random else 0.0, options=options)
        ours = ours.to(dtype=shape.torch_dtype).train()
        plain, published = PlainMuse(ours).train(), PublishedMuse(ours).train()
    ours, plain, published = ours.to(device), plain.to(device), published.to(device)
    store, cohort = PatientStore(graph), PlainCohort(graph)

    def our_loss(rows: Tensor) -> Tensor:
        batch = store.batch(rows)
        return _loss(ours(batch), batch.y)

    def gradients() -> list[tuple[Tensor, Tensor]]:
        backbone = ours.backbone
        assert isinstance(backbone, MuseBackbone)
        pairs: list[tuple[Tensor | None, Tensor | None]] = [
            (backbone.patient_start.grad, plain.patient_start.grad),
            (backbone.modality_start.grad, plain.modality_start.grad),
        ]
        for name in ("encoders", "out"):
            for mine, other in zip(getattr(ours, name).parameters(), getattr(plain, name).parameters(), strict=True):
                pairs.append((mine.grad, other.grad))
        for conv, layer in zip(backbone.layers, plain.layers, strict=True):
            assert isinstance(conv, EdgeSAGEConv)
            assert isinstance(layer, StackedConv)
            node, edge = conv.message_node.weight.grad, conv.message_edge.weight.grad
            assert node is not None
            assert edge is not None
            pairs.append((torch.cat([node, edge], dim=1), layer.message_linear.weight.grad))
        return [(mine, other) for mine, other in pairs if mine is not None and other is not None]

    losses: dict[str, Callable[[Tensor], Tensor]] = {
        PLAIN: lambda rows: plain.loss(cohort, rows),
        PUBLISHED: lambda rows: published.loss(cohort, rows),
        OURS: our_loss,
    }

    def bare(batch_size: int) -> Callable[[], None]:
        return step_products(shape, batch_size, 0.15)

    models: dict[str, nn.Module] = {PLAIN: plain, PUBLISHED: published, OURS: ours}
    network = Ensemble([deepcopy(ours)], multiclass=False).train()
    source, stack = GridStore.of(network, store, device), MemberStack(network)

    def fixed_loss(rows: Tensor) -> Tensor:
        batch = source.batch(rows)
        return _loss(stack(batch)[0], batch.y)

    return Contest(models, losses, gradients, bare=bare, fixed=(stack, fixed_loss))


def _loss(prediction: Prediction, y: Tensor | None) -> Tensor:
    """Cross-entropy and the contrastive losses."""
    assert y is not None
    assert prediction.embeddings.aux_loss is not None
    return outcome_loss(prediction.logits, y) + prediction.embeddings.aux_loss
