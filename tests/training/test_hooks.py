"""Hooks of backbones: when they are called and with what, what they change, and that resuming is exact."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from gdsfd.errors import InputError
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.graph.loader import rows_of
from gdsfd.graph.patient_store import PatientStore
from gdsfd.nn.backbones import Backbone, ConcatBackbone, LateBackbone, MuseBackbone
from gdsfd.nn.backbones.registry import BACKBONES
from gdsfd.nn.grid_store import why_no_grid
from gdsfd.nn.losses import Targets
from gdsfd.nn.predictor import Prediction
from gdsfd.nn.streams.config import StreamConfig
from gdsfd.training.arm import Arm, build_network
from gdsfd.training.config import TrainConfig
from gdsfd.training.hooks import BackboneHooks, parameter_groups
from gdsfd.training.loop import train
from gdsfd.training.state import TrainingState
from tests.cohort_factory import make_cohort

CALLS: list[tuple] = []
SETTINGS = {
    "max_epochs": 3,
    "members": 2,
    "boosted_members": 0,
    "channels": 8,
    "batch_size": 16,
    "patience": 99,
    "dropout": 0.0,
}


class Lists(ConcatBackbone):
    takes_grid = False


class Quiet(ConcatBackbone):
    """Its hooks change nothing."""

    def start_epoch(self, epoch):
        torch.rand(3)

    def end_epoch(self, figures):
        torch.rand(3)

    def after_backward(self, groups):
        pass


class Tells(MuseBackbone):
    """Notes its calls."""

    memory_in_training = True

    def start_epoch(self, epoch):
        CALLS.append(("start", epoch))

    def end_epoch(self, figures):
        CALLS.append(("end", figures))

    def fit_memory(self, batches):
        CALLS.append(("memory",))
        super().fit_memory(batches)

    def forward(self, tokens, layout, y=None):
        CALLS.append(("step",) if self.training else ("judged",))
        return super().forward(tokens, layout, y)


class Keeps(ConcatBackbone):
    """Freezes the encoder of the first modality, and adds to its output a number that epochs change."""

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.register_buffer("added", torch.zeros(()))

    def end_epoch(self, figures):
        self.added += figures["train_loss"] + 0.01 * torch.rand(())

    def after_backward(self, groups):
        for parameter in groups["encoder:labs"]:
            if parameter.grad is not None:
                parameter.grad.zero_()

    def forward(self, tokens, layout, y=None):
        found = super().forward(tokens, layout, y)
        found.pooled = found.pooled + self.added
        return found


class Halves(ConcatBackbone):
    """Trains on every second patient of a batch."""

    def training_loss(self, tokens, layout, y, criterion):
        CALLS.append(("own loss",))
        found, rows = self(tokens, layout, y), torch.arange(0, layout.num_patients, 2)
        found.pooled = found.pooled[rows]
        return criterion(found, rows)


class Truth(LateBackbone):
    reads_truth = True

    def end_epoch(self, figures):
        CALLS.append(("end", figures))


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = {name: BACKBONES.find(name) for name in BACKBONES.names()}
    own = {"lists": Lists, "quiet": Quiet, "tells": Tells, "keeps": Keeps, "halves": Halves, "truth": Truth}
    monkeypatch.setattr(BACKBONES, "_parts", {**parts, **own})
    CALLS.clear()


@pytest.fixture(scope="module")
def graph():
    return graph_from_cohort(make_cohort(60))


def run(graph, name: str, folder=None, resume=False, on_epoch=None, **settings) -> tuple[TrainingState, nn.Module]:
    config = TrainConfig(**{**SETTINGS, **settings}).resolved(40)
    network = build_network(graph.schema, name, None, config, 0)
    return train(network, graph, config, 1, folder, resume, on_epoch=on_epoch), network


def test_hooks_that_change_nothing_leave_the_run_bit_identical(graph) -> None:
    """Random draws of theirs are not those of the steps."""
    with_hooks, without = run(graph, "quiet")[0], run(graph, "lists")[0]
    for name, value in without.best_weights.items():
        assert torch.equal(with_hooks.best_weights[name], value), name
    assert [row["train_loss"] for row in with_hooks.history] == [row["train_loss"] for row in without.history]


def test_epochs_begin_and_end_around_steps_and_judgement(graph) -> None:
    run(graph, "tells", members=1, max_epochs=2)
    order = [call[0] for call in CALLS]
    epoch = ["start", *["step"] * order[: order.index("end")].count("step"), "memory", "judged", "end"]
    assert order == ["memory", *epoch, *epoch], "memory that training reads is there before the first epoch"
    assert [call[1] for call in CALLS if call[0] == "start"] == [0, 1]
    figures = [call[1] for call in CALLS if call[0] == "end"]
    assert [each["epoch"] for each in figures] == [1, 2]
    assert all(each["max_epochs"] == 2 and math.isfinite(each["tuning_loss"]) for each in figures)


def test_a_backbone_of_which_training_reads_no_memory_is_not_asked_before(graph, monkeypatch) -> None:
    monkeypatch.setattr(Tells, "memory_in_training", False)
    run(graph, "tells", members=1, max_epochs=1)
    assert [call[0] for call in CALLS][:2] == ["start", "step"]


def test_gradients_that_are_taken_away_move_nothing(graph) -> None:
    config = TrainConfig(**SETTINGS, weight_decay=0.0).resolved(40)
    network = build_network(graph.schema, "keeps", None, config, 0)
    after: list[dict[str, torch.Tensor]] = []

    def keep(row):
        after.append({key: value.detach().clone() for key, value in network.named_parameters() if value.requires_grad})

    train(network, graph, config, 1, on_epoch=keep)
    still = {key for key, value in after[0].items() if torch.equal(value, after[2][key])}
    number = graph.schema.names.index("labs")
    assert still == {key for key in after[0] if f".encoders.{number}." in key}
    assert still


def test_resumed_equals_uninterrupted_with_state_in_buffers(graph, tmp_path) -> None:
    whole, network = run(graph, "keeps", tmp_path / "whole")

    class Stopped(Exception):
        pass

    def stop(row):
        if row["epoch"] == 2:
            raise Stopped

    with pytest.raises(Stopped):
        run(graph, "keeps", tmp_path / "run", on_epoch=stop)
    resumed, again = run(graph, "keeps", tmp_path / "run", resume=True)
    assert [row["train_loss"] for row in resumed.history] == [row["train_loss"] for row in whole.history]
    added = [value for name, value in network.state_dict().items() if name.endswith("added")]
    assert len({float(value) for value in added}) == 2, "members have states of their own"
    for name, value in network.state_dict().items():
        assert torch.equal(again.state_dict()[name], value), name


def test_a_training_loss_of_its_own_gets_the_criterion_of_any_rows(graph) -> None:
    config = TrainConfig(**SETTINGS, backbone_options={"edge_drop": 0.0}).resolved(40)
    arm = Arm("halves", StreamConfig.read("margin"), config, 0, ("pattern",))
    targets, codes, _ = arm.targets(graph, rows_of(graph, "train"))
    network, store = build_network(graph.schema, "halves", None, config, 0), PatientStore(graph)
    objective = arm.objective(network, len(graph["patient"].id), codes.sizes)
    rows = rows_of(graph, "train")[:11]
    batch, targets = store.batch(rows), targets.take(rows)
    found = BackboneHooks(network, store, config).loss(batch, targets, objective, 2)
    for prediction in (whole := network(batch)):
        prediction.logits = prediction.logits[::2]
    expected = objective(whole, targets.take(torch.arange(0, 11, 2)), 2)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)
    CALLS.clear()
    state, _ = run(graph, "halves")
    assert CALLS.count(("own loss",)) == 2 * 3 * -(-len(rows_of(graph, "train")) // 16)
    assert state.epoch == 3


@pytest.mark.parametrize("name", ["keeps", "halves"])
def test_who_sees_one_member_by_itself_says_why_members_are_not_in_one_pass(graph, name: str) -> None:
    network = build_network(graph.schema, name, None, TrainConfig(**SETTINGS).resolved(40), 0)
    why = why_no_grid(network, PatientStore(graph))
    assert "of each member by itself, on a list of edges" in why
    assert type(network.members[0].backbone).__name__ in why
    assert not BACKBONES.find(name).trains_in_one_pass()
    plain = build_network(graph.schema, "concat", None, TrainConfig(**SETTINGS).resolved(40), 0)
    assert "itself" not in why_no_grid(plain, PatientStore(graph))


def test_what_does_not_go_with_a_hook_is_refused(graph) -> None:
    config = TrainConfig(**SETTINGS).resolved(40)
    network = build_network(graph.schema, "halves", None, config, 0)
    with pytest.raises(InputError, match="no critics"):
        BackboneHooks(network, PatientStore(graph), config, critics=True)
    scaled = SimpleNamespace(precision="16-mixed", max_epochs=3)
    network = build_network(graph.schema, "keeps", None, config, 0)
    with pytest.raises(InputError, match="reads gradients, which '16-mixed' scales"):
        BackboneHooks(network, PatientStore(graph), scaled)


def test_dual_streams_train_by_their_own_loss_and_it_is_said(graph, caplog) -> None:
    config = TrainConfig(**SETTINGS).resolved(40)
    network = build_network(graph.schema, "halves", StreamConfig.read("dfd"), config, 0)
    hooks = BackboneHooks(network, PatientStore(graph), config)
    assert not hooks.replace_loss
    assert "dual streams have a loss of their own: that of Halves" in caplog.text
    plain = build_network(graph.schema, "halves", None, config, 0)
    assert BackboneHooks(plain, PatientStore(graph), config).replace_loss


@pytest.mark.parametrize("debias", ["none", "dfd"])
def test_groups_are_all_that_is_trained_once(graph, debias: str) -> None:
    network = build_network(graph.schema, "keeps", StreamConfig.read(debias), TrainConfig(**SETTINGS).resolved(40), 0)
    member = network.members[0]
    parts = [part for part in member.modules() if isinstance(part, Backbone)]
    groups = parameter_groups(member, parts[0])
    assert [*groups] == [*(f"encoder:{name}" for name in graph.schema.names), "fusion", "head"]
    of_all = [id(each) for group in groups.values() for each in group]
    assert sorted(of_all) == sorted(id(each) for each in member.parameters() if each.requires_grad)
    assert {id(each) for each in groups["fusion"]} == {id(each) for each in parts[0].parameters()}
    assert id(member.out.weight) in {id(each) for each in groups["head"]}


def test_the_truth_is_the_mean_probability_of_the_true_label_over_labelled_patients_of_a_part(graph) -> None:
    network = build_network(graph.schema, "truth", None, TrainConfig(**SETTINGS).resolved(40), 0)
    hooks = BackboneHooks(network, PatientStore(graph), TrainConfig(**SETTINGS).resolved(40))
    logits, rows = torch.tensor([[0.0], [2.0], [-1.0], [5.0]]), torch.tensor([True, True, True, False])
    targets = Targets(torch.tensor([[1.0], [0.0], [float("nan")], [1.0]]), torch.arange(4))
    nobody = {"a": (logits, rows), "b": (logits, ~torch.ones(4, dtype=torch.bool))}
    hooks.add_truth([Prediction(logits, None, parts=nobody)], targets)
    hooks.end_epoch({"epoch": 1, "train_loss": 0.5, "seconds": 3.0})
    figures = CALLS[0][1]
    assert figures["truth of a"] == pytest.approx((0.5 + 1 / (1 + math.exp(2))) / 2)
    assert math.isnan(figures["truth of b"])
    assert "seconds" not in figures
    assert "truth of a" not in CALLS[1][1], "it is the other member's"
    CALLS.clear()
    run(graph, "truth")
    assert len([name for name in CALLS[0][1] if name.startswith("truth of ")]) == len(graph.schema.names)


def test_patients_with_the_most_modalities_come_first_in_the_first_epochs(graph, monkeypatch) -> None:
    monkeypatch.setattr(Quiet, "complete_first", 2)
    config, store = TrainConfig(**SETTINGS).resolved(40), PatientStore(graph)
    hooks = BackboneHooks(build_network(graph.schema, "quiet", None, config, 0), store, config)
    rows = rows_of(graph, "train").flip(0)
    count = torch.stack([torch.isin(rows, store.patients_with(name)) for name in graph.schema.names]).sum(0)
    moved = hooks.in_order(rows, 1)
    ordered = [pair for most in sorted(set(count.tolist()), reverse=True) for pair in rows[count == most].tolist()]
    assert moved.tolist() == ordered
    assert count.unique().numel() > 1
    assert torch.equal(hooks.in_order(rows, 2), rows)
