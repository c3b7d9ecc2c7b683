"""Which epoch is kept, when training stops, and the pieces of a step, on tuning values that are given."""

from __future__ import annotations

import math

import pytest
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from gdsfd.errors import InputError
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.graph.loader import rows_of
from gdsfd.nn.ensemble import Ensemble
from gdsfd.nn.objectives import ErmObjective
from gdsfd.training import loop
from gdsfd.training.arm import build_network
from gdsfd.training.config import TrainConfig
from gdsfd.training.loop import train
from tests.cohort_factory import make_cohort


@pytest.fixture
def graph():
    return graph_from_cohort(make_cohort(60))


def run(monkeypatch, graph, values, auprc=None, objective=None, **settings):
    """Trains with tuning losses that are given; the weights judged after every epoch, and what came out."""
    judged: list[dict[str, Tensor]] = []

    def given_figures(fabric, network, *rest):
        judged.append({name: value.detach().clone() for name, value in network.state_dict().items()})
        number = len(judged) - 1
        ranked = math.nan if auprc is None else auprc[number]
        return {"tuning_loss": values[number], "tuning_auprc": ranked, "tuning_auroc": math.nan}

    monkeypatch.setattr(loop, "tuning_figures", given_figures)
    config = TrainConfig(
        **{"max_epochs": len(values), "members": 1, "channels": 8, "batch_size": 16, "patience": 99, **settings}
    ).resolved(40)
    network = build_network(graph.schema, "concat", None, config, 0)
    state = train(network, graph, config, seed=0, objective=objective)
    return network, state, judged


def same(network: nn.Module, weights: dict[str, Tensor]) -> bool:
    return all(torch.equal(value, weights[name]) for name, value in network.state_dict().items())


def test_the_epoch_of_the_smallest_tuning_loss_is_kept(monkeypatch, graph):
    network, state, judged = run(monkeypatch, graph, [0.5, 0.3, 0.4])
    assert (state.best_epoch, state.epoch) == (2, 3)
    assert state.best_value == -0.3
    assert same(network, judged[1])
    assert not same(network, judged[2])
    assert [row["tuning_loss"] for row in state.history] == [0.5, 0.3, 0.4]


def test_of_equal_epochs_the_first_is_kept(monkeypatch, graph):
    network, state, judged = run(monkeypatch, graph, [0.4, 0.3, 0.3])
    assert state.best_epoch == 2
    assert same(network, judged[1])


def test_auprc_is_the_larger_the_better_and_the_loss_stands_in_where_there_is_none(monkeypatch, graph):
    _, state, _ = run(monkeypatch, graph, [0.1, 0.5, 0.6], auprc=[0.2, 0.4, 0.3], monitor="auprc")
    assert state.best_epoch == 2
    _, state, _ = run(monkeypatch, graph, [0.5, 0.1, 0.6], auprc=[math.nan] * 3, monitor="auprc")
    assert state.best_epoch == 2


@pytest.mark.parametrize(("patience", "stop"), [(1, 3), (2, 4), (3, 5), (9, 6)])
def test_training_stops_after_patience_epochs_without_a_better_one(monkeypatch, graph, patience, stop):
    _, state, judged = run(monkeypatch, graph, [0.5, 0.3, 0.4, 0.4, 0.35, 0.2], patience=patience)
    assert (state.epoch, len(judged)) == (stop, stop)
    assert state.best_epoch == (6 if stop == 6 else 2)
    assert state.stopped


def test_a_loss_that_is_no_number_ends_training_with_advice(monkeypatch, graph):
    with pytest.raises(InputError, match="diverged in epoch 2: the tuning loss is nan; lower learning_rate"):
        run(monkeypatch, graph, [0.5, math.nan, 0.1])


def test_the_average_is_what_is_judged_and_kept(monkeypatch, graph):
    """Weights after every step, averaged by the formula, are the weights that the epoch is judged by."""
    after: list[dict[str, Tensor]] = []
    own = loop.Step.__call__

    def recorded(step, batch, targets, rate):
        loss = own(step, batch, targets, rate)
        network = step.average.parameters
        after.append({name: value.detach().double().clone() for name, value in network.items()})
        return loss

    monkeypatch.setattr(loop.Step, "__call__", recorded)
    start = {}
    own_average = loop.RunningAverage.__init__

    def first(average, network, decay, weights=None):
        own_average(average, network, decay, weights)
        start.update({name: value.detach().double().clone() for name, value in average.parameters.items()})

    monkeypatch.setattr(loop.RunningAverage, "__init__", first)
    network, _, judged = run(monkeypatch, graph, [0.5, 0.3], averaging=0.9)
    average = dict(start)
    for step, weights in enumerate(after):
        share = min(0.9, (1 + step) / (10 + step))
        average = {name: share * average[name] + (1 - share) * weights[name] for name in average}
    for name, value in average.items():
        torch.testing.assert_close(judged[1][name].double(), value, atol=1e-5, rtol=1e-4)
    assert same(network, judged[1])


class TwoStages(ErmObjective):
    """Records the stage of every step, and when prototypes would be fitted."""

    def __init__(self, first: int, new_head: bool) -> None:
        super().__init__()
        self.first, self.new_head = first, new_head
        self.stages: list[int] = []
        self.started: list[int] = []

    def stage_one(self, max_epochs):
        return self.first

    def forward(self, predictions, targets, stage):
        self.stages.append(stage)
        return super().forward(predictions, targets, stage)

    def start_epoch(self, network, batches, targets, since):
        self.started.append(since)
        self.seen = sorted(row for batch in batches() for row in batch.rows.tolist())


def by_epoch(stages: list[int], epochs: int) -> list[int]:
    size = len(stages) // epochs
    assert size * epochs == len(stages)
    return [stages[number * size] for number in range(epochs)]


def test_stage_two_begins_after_stage_one(monkeypatch, graph):
    objective = TwoStages(2, new_head=False)
    _, state, _ = run(monkeypatch, graph, [0.2, 0.5, 0.4, 0.3], objective=objective)
    assert by_epoch(objective.stages, 4) == [1, 1, 2, 2]
    assert objective.started == [0, 1]
    assert state.best_epoch == 1  # without a new head all epochs are in the running
    y = graph["patient"].y
    train_rows = [row for row in rows_of(graph, "train").tolist() if not y[row].isnan()]
    assert objective.seen == train_rows


def test_with_a_new_head_only_epochs_of_stage_two_can_be_kept(monkeypatch, graph):
    objective = TwoStages(2, new_head=True)
    _, state, _ = run(monkeypatch, graph, [0.2, 0.1, 0.4, 0.3], objective=objective)
    assert by_epoch(objective.stages, 4) == [1, 1, 2, 2]
    assert state.best_epoch == 4


def test_before_a_new_head_stage_one_ends_at_its_best_epoch_when_it_gets_no_better(monkeypatch, graph):
    objective = TwoStages(8, new_head=True)
    own, loaded = nn.Module.load_state_dict, []

    def recorded(module, weights, *rest, **options):
        loaded.append({name: value.clone() for name, value in weights.items() if name.startswith("members")})
        return own(module, weights, *rest, **options)

    monkeypatch.setattr(nn.Module, "load_state_dict", recorded)
    _, state, judged = run(monkeypatch, graph, [0.3, 0.1, 0.2, 0.2, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4], objective=objective)
    assert by_epoch(objective.stages, 10) == [1] * 4 + [2] * 6
    assert state.second == 4
    assert state.best_epoch == 10
    back = next(weights for weights in loaded if weights)
    assert all(torch.equal(value, judged[1][name]) for name, value in back.items())


def test_matrices_decay_and_vectors_do_not():
    network = Ensemble([nn.Sequential(nn.Linear(3, 2), nn.LayerNorm(2))], multiclass=False)
    matrices, vectors = loop._decay_groups(network, 0.3)
    assert matrices["weight_decay"] == 0.3
    assert [parameter.shape for parameter in matrices["params"]] == [(2, 3)]
    assert vectors["weight_decay"] == 0.0
    assert len(vectors["params"]) == 3


def test_shares_are_of_the_labelled():
    nan = math.nan
    y = torch.tensor([[1.0, nan], [0.0, 1.0], [nan, 1.0], [0.0, 0.0]])
    torch.testing.assert_close(loop._shares(y, 2), torch.tensor([1 / 3, 2 / 3]))
    classes = torch.tensor([0, 2, -1, 2])
    torch.testing.assert_close(loop._shares(classes, 4), torch.tensor([1.0, 0, 2, 0]) / 3)
    nobody = torch.tensor([[nan], [nan]])
    torch.testing.assert_close(loop._shares(nobody, 1), torch.tensor([0.5]))


def test_every_labelled_training_patient_once_per_epoch_in_another_order(monkeypatch, graph):
    seen: list[list[int]] = []
    own = loop.Step.__call__

    def recorded(step, batch, targets, rate):
        assert targets.rows.tolist() == batch.rows.tolist()
        torch.testing.assert_close(targets.y, graph["patient"].y[batch.rows], equal_nan=True)
        seen.append(batch.rows.tolist())
        return own(step, batch, targets, rate)

    monkeypatch.setattr(loop.Step, "__call__", recorded)
    run(monkeypatch, graph, [0.5, 0.3])
    half = len(seen) // 2
    first, second = ([row for rows in part for row in rows] for part in (seen[:half], seen[half:]))
    y = graph["patient"].y
    expected = [row for row in rows_of(graph, "train").tolist() if not y[row].isnan()]
    assert sorted(first) == sorted(second) == expected
    assert first != second


def test_gradients_are_clipped_to_the_norm_per_member(monkeypatch, graph):
    norms = []
    own = Fabric.clip_gradients

    def recorded(fabric, model, optimizer, max_norm, error_if_nonfinite):
        assert error_if_nonfinite
        own(fabric, model, optimizer, max_norm=max_norm, error_if_nonfinite=error_if_nonfinite)
        squares = [p.grad.square().sum() for p in model.parameters() if p.grad is not None]
        norms.append((max_norm, float(torch.stack(squares).sum().sqrt())))

    monkeypatch.setattr(Fabric, "clip_gradients", recorded)
    run(monkeypatch, graph, [0.5], members=2, clip_norm=1e-3)
    assert norms
    for most, norm in norms:
        assert most == pytest.approx(1e-3 * math.sqrt(2))
        assert norm <= most * 1.001


class Learned(ErmObjective):
    """Has a critic, which moves and is trained with the network."""

    def __init__(self, events):
        super().__init__()
        self.critic, self.events = nn.Linear(1, 1), events

    def critic_parameters(self):
        return list(self.critic.parameters())

    def critic_loss(self, predictions, targets, stage):
        return self.critic(torch.ones(1, 1)).square().sum()

    def to(self, *where, **named):
        self.events.append("objective moved")
        return super().to(*where, **named)


def test_a_resumed_run_loads_its_optimizers_when_all_parameters_are_on_the_device(monkeypatch, graph, tmp_path):
    """An optimiser casts its state to where its parameters are: loaded before the move, it would stay on the CPU."""
    events = []

    def recorded(owner, name, event):
        own = getattr(owner, name)

        def called(*rest, **named):
            events.append(event)
            return own(*rest, **named)

        monkeypatch.setattr(owner, name, called)

    class Stopped(Exception):
        pass

    def stop(row):
        raise Stopped

    recorded(Fabric, "setup", "network moved")
    recorded(torch.optim.AdamW, "load_state_dict", "optimizer loaded")
    recorded(loop.Critics, "load_state_dict", "critics loaded")
    config = TrainConfig(max_epochs=2, members=1, channels=8, batch_size=16).resolved(40)
    network = build_network(graph.schema, "concat", None, config, 0)
    with pytest.raises(Stopped):
        train(network, graph, config, 0, tmp_path, on_epoch=stop, objective=Learned(events))
    assert events == ["network moved", "objective moved"]
    events.clear()
    network = build_network(graph.schema, "concat", None, config, 0)
    train(network, graph, config, 0, tmp_path, resume=True, objective=Learned(events))
    assert events == ["network moved", "objective moved", "optimizer loaded", "critics loaded"]
