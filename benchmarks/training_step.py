"""One step of training as the loop takes it in the second stage, without the loop around it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch

from gdsfd.graph.loader import rows_of
from gdsfd.graph.patient_store import PatientStore
from gdsfd.nn.ensemble import Ensemble
from gdsfd.training.arm import Arm, build_network
from gdsfd.training.critics import Critics
from gdsfd.training.suspects.strata import fit_strata


def stepper(arm: Arm, graph: Any, store: PatientStore) -> tuple[Callable[[torch.Tensor], None], Ensemble]:
    """A function that trains on the patients of some rows, and the network that it trains."""
    train = rows_of(graph, "train")
    targets, codes, _ = arm.targets(graph, train)
    network = build_network(graph.schema, arm.backbone, arm.streams, arm.config, arm.seed, codes.sizes)
    network.prepare(store)
    targets = replace(targets, group=fit_strata(network, graph, train))
    objective = arm.objective(network, len(graph["patient"].id), codes.sizes)
    objective.start_epoch(network, lambda: iter([store.batch(train)]), targets, 0)
    critics = Critics(objective)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-4)
    network.train()

    def step(rows: torch.Tensor) -> None:
        batch, supervision = store.batch(rows), targets.take(rows)
        predictions = network(batch)
        critics.step(predictions, supervision, 2)
        loss = objective(predictions, supervision, 2)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()

    return step, network
