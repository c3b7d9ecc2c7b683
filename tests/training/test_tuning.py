"""Tuning figures: which patients states are fitted on, and every figure against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric
from sklearn.metrics import average_precision_score, log_loss, roc_auc_score
from torch import Tensor, nn

from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.graph.loader import rows_of
from gdsfd.graph.patient_batch import PatientBatch
from gdsfd.graph.patient_store import PatientStore
from gdsfd.nn.embeddings import Embeddings
from gdsfd.nn.ensemble import Ensemble
from gdsfd.nn.losses import Targets
from gdsfd.nn.objectives import ErmObjective
from gdsfd.nn.predictor import Prediction, Predictor
from gdsfd.training.batches import TrainingBatches
from gdsfd.training.config import TrainConfig
from gdsfd.training.tuning import tuning_figures
from tests.cohort_factory import make_cohort


class Recording(Predictor):
    """Scores by a fixed table, and writes down whom it is shown and in which mode."""

    def __init__(self, logits: Tensor) -> None:
        nn.Module.__init__(self)
        self.table = logits
        self.fitted: list[int] = []
        self.scored: list[int] = []
        self.modes: set[bool] = set()

    def why_no_grid(self) -> str:
        return "a table"

    def fit_memory(self, batches) -> None:  # type: ignore[no-untyped-def]
        self.fitted = [row for batch in batches() for row in batch.rows.tolist()]
        self.scored = []

    def forward(self, batch: PatientBatch) -> Prediction:
        self.modes.add(self.training)
        self.scored += batch.rows.tolist()
        nothing = torch.zeros(len(batch), 1)
        return Prediction(self.table[batch.rows], Embeddings(nothing, None, batch.layout.presence))


def figures(
    outcomes: str,
    weighted: bool = False,
    margin: bool = False,
    members: int = 2,
    state_rows: int = 16384,
    strata: int = 0,
):
    graph = graph_from_cohort(make_cohort(80, outcomes=outcomes, unlabelled=0.0))
    outputs = graph.schema.num_outputs
    generator = torch.Generator().manual_seed(2)
    tables = [torch.randn(80, outputs, generator=generator) for _ in range(members)]
    network = Ensemble([Recording(table) for table in tables], outcomes == "multiclass")
    y = graph["patient"].y
    targets = Targets(
        y,
        torch.arange(80),
        weight=torch.rand(y.shape, generator=generator) + 0.5,
        margin=torch.randn(80, outputs, generator=generator),
    )
    if strata:
        targets.strata_share = torch.rand(80, strata, generator=generator).softmax(1)
        targets.strata_margin = torch.randn(80, strata, outputs, generator=generator)
    train, tuning = rows_of(graph, "train"), rows_of(graph, "tuning")
    config = TrainConfig(state_rows=state_rows).resolved(len(train))
    fabric = Fabric(accelerator="cpu", devices=1)
    objective = ErmObjective(weighted, margin)
    network.train()
    batches = TrainingBatches(network, PatientStore(graph), torch.device("cpu"), 16)
    found = tuning_figures(fabric, network, network, batches, train, tuning, config, objective, targets)
    return found, network, tables, targets, train, tuning


def positive(logits: Tensor, outcomes: str) -> np.ndarray:
    return (logits.double().softmax(-1) if outcomes == "multiclass" else logits.double().sigmoid()).numpy()


def test_states_are_fitted_on_the_training_patients_and_scores_asked_of_the_tuning_patients() -> None:
    _, network, _, _, train, tuning = figures("binary")
    for member in network.members:
        assert member.fitted == train.tolist()
        assert member.scored == tuning.tolist()
        assert member.modes == {False}


def test_of_many_training_patients_some_fit_the_states() -> None:
    _, network, _, _, train, tuning = figures("binary", state_rows=7)
    fitted = network.members[0].fitted
    assert len(set(fitted)) == 7
    assert fitted == sorted(fitted)
    assert set(fitted) <= set(train.tolist())
    assert not set(fitted) & set(tuning.tolist())


@pytest.mark.parametrize("margin", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("outcomes", ["binary", "multilabel", "multiclass"])
def test_every_figure_is_scikit_learns(outcomes: str, weighted: bool, margin: bool) -> None:
    found, _, tables, targets, _, tuning = figures(outcomes, weighted, margin)
    rows = tuning
    judged = [table[rows] + (targets.margin[rows] if margin else 0) for table in tables]
    beside = np.mean([positive(each, outcomes) for each in judged], axis=0)
    plain = np.mean([positive(table[rows], outcomes) for table in tables], axis=0)
    y, weight = targets.y[rows].numpy(), targets.weight[rows].numpy() if weighted else None
    if outcomes == "multiclass":
        expected = log_loss(y, beside, sample_weight=weight, labels=[0, 1, 2])
        y = np.eye(3)[y]
    else:
        losses = -np.log(np.where(y == 1, beside, 1 - beside))
        expected = np.average(losses, weights=weight)
    assert found["tuning_loss"] == pytest.approx(expected, rel=1e-6)
    columns = [column for column in range(y.shape[1]) if 0 < y[:, column].sum() < len(y)]
    assert columns
    areas = [roc_auc_score(y[:, column], plain[:, column]) for column in columns]
    precisions = [average_precision_score(y[:, column], plain[:, column]) for column in columns]
    assert found["tuning_auroc"] == pytest.approx(np.mean(areas))
    assert found["tuning_auprc"] == pytest.approx(np.mean(precisions))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("outcomes", ["binary", "multiclass"])
def test_beside_found_strata_the_loss_is_expected_over_them(outcomes: str, weighted: bool) -> None:
    found, _, tables, targets, _, tuning = figures(outcomes, weighted, margin=True, strata=2)
    assert targets.strata_share is not None
    assert targets.strata_margin is not None
    total = weights = 0.0
    for row in tuning.tolist():
        weight = float(targets.weight[row]) if weighted else 1.0
        for u in range(2):
            chance = np.mean(
                [positive(table[row] + targets.strata_margin[row, u], outcomes) for table in tables], axis=0
            )
            y = int(targets.y[row])
            given = chance[y] if outcomes == "multiclass" else (chance[0] if y else 1 - chance[0])
            total += weight * float(targets.strata_share[row, u]) * -np.log(given)
        weights += weight
    assert found["tuning_loss"] == pytest.approx(total / weights, rel=1e-6)
    plain, *_ = figures(outcomes, weighted, strata=2)  # an objective that does not look at margins
    assert plain["tuning_loss"] != pytest.approx(found["tuning_loss"], rel=1e-3)
