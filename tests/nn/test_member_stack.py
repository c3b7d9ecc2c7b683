"""Members in one pass against members by themselves on edge lists; and what a step may call."""

from __future__ import annotations

import copy
import inspect
from dataclasses import replace

import pytest
import torch

from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.graph.loader import PatientLoader, rows_of
from gdsfd.graph.patient_store import PatientStore
from gdsfd.nn import member_stack
from gdsfd.nn.backbones import ConcatBackbone
from gdsfd.nn.backbones.registry import BACKBONES, known_backbones
from gdsfd.nn.encoders import EventsEncoder
from gdsfd.nn.ensemble import Ensemble
from gdsfd.nn.grid_store import GridStore
from gdsfd.nn.losses import Targets
from gdsfd.nn.member_stack import MemberStack
from gdsfd.nn.streams.config import StreamConfig
from gdsfd.training.arm import Arm, build_network
from gdsfd.training.config import TrainConfig
from gdsfd.training.critics import Critics
from gdsfd.training.suspects.strata import fit_strata
from tests.cohort_factory import make_cohort
from tests.no_synchronisation import NoSynchronisation

MEMBERS = 3
#: Learners that are trained on edge lists: one reads features, one has cells for nodes.
NO_GRID = ("cmae", "grape")


def same_draws(like: torch.Tensor) -> torch.Tensor:
    """Numbers from 0 to 1 without ties, by place."""
    golden = (5**0.5 - 1) / 2
    return ((torch.arange(like.numel(), dtype=like.dtype) * golden) % 1.0).reshape(like.shape)


def problem(backbone: str, debias: str, outcomes: str, dropout: float = 0.0, members: int = MEMBERS, **options: float):
    """A network with weights off their starts, its objective, a batch as edge lists and as a grid, and targets."""
    graph = graph_from_cohort(make_cohort(90, outcomes=outcomes))
    graph = graph.apply(lambda tensor: tensor.double() if tensor.is_floating_point() else tensor)
    train = rows_of(graph, "train")
    takes = inspect.signature(BACKBONES.find(backbone)).parameters
    own = {"edge_drop": 0.0} if "edge_drop" in takes else {}
    given = {"channels": 6, "dropout": dropout, "members": members, "backbone_options": {**own, **options}}
    arm = Arm(backbone, StreamConfig.read(debias), TrainConfig(**given).resolved(len(train)), 0, ("pattern",))
    targets, codes, _ = arm.targets(graph, train)
    network = build_network(graph.schema, backbone, arm.streams, arm.config, 0, codes.sizes)
    targets = replace(targets, group=fit_strata(network, graph, train))
    objective = arm.objective(network, len(graph["patient"].id), codes.sizes)
    store = PatientStore(graph)
    network.prepare(store)
    network.fit_inputs(lambda: PatientLoader(store, train, 50), 1.0, targets.weight)
    with torch.no_grad(), torch.random.fork_rng():
        torch.manual_seed(5)
        for parameter in [*network.parameters(), *objective.parameters()]:
            parameter.add_(0.1 * torch.randn_like(parameter))
    rows = train[torch.arange(0, len(train), 2)]
    network.train()
    return network, objective, store.batch(rows), GridStore.of(network, store).batch(rows), targets.take(rows)


@pytest.fixture(autouse=True)
def double_precision():
    torch.set_default_dtype(torch.float64)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield
    torch.set_default_dtype(torch.float32)


def gradients(model: torch.nn.Module, network: Ensemble, objective, batch, targets: Targets):
    """The loss, logits, and each member's gradients by name (of a stack: those of its part in the stacked weights)."""
    for module in (model, network, objective):
        module.zero_grad()
    torch.manual_seed(1)
    predictions = model(batch)
    loss = objective(predictions, targets, stage=2)
    loss.backward()
    found = {name: parameter.grad for name, parameter in network.named_parameters()}
    if isinstance(model, MemberStack):
        place = {parameter.data_ptr(): parameter.grad for parameter in model.parameters()}
        for name, parameter in network.named_parameters():
            if found[name] is None:
                start, step = parameter.data_ptr(), parameter.element_size()
                base = max((each for each in place if each <= start), default=0)
                whole = place[base]
                if whole is not None:
                    offset = (start - base) // step
                    found[name] = whole.contiguous().view(-1).as_strided(parameter.shape, parameter.stride(), offset)
    return loss.detach(), torch.stack([each.logits.detach() for each in predictions]), found


@pytest.mark.parametrize("outcomes", ["binary", "multiclass", "multilabel"])
@pytest.mark.parametrize("debias", ["none", "dfd", "streams", "prototypes"])
@pytest.mark.parametrize("backbone", [name for name in known_backbones() if name not in NO_GRID])
def test_values_and_gradients_are_those_of_edge_lists_member_by_member(
    backbone, debias, outcomes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of all learners. What some of them draw at random is the same numbers for lists, grids and every member."""
    monkeypatch.setattr(torch, "rand_like", same_draws)
    monkeypatch.setattr(torch, "randn_like", lambda like: same_draws(like) - 0.5)
    monkeypatch.setattr(torch, "randperm", lambda size, device=None: torch.arange(size))
    network, objective, edges, grid, targets = problem(backbone, debias, outcomes)
    loss, logits, expected = gradients(network, network, objective, edges, targets)
    found_loss, found_logits, found = gradients(MemberStack(network), network, objective, grid, targets)
    torch.testing.assert_close(found_loss, loss, rtol=0, atol=1e-10)
    torch.testing.assert_close(found_logits, logits, rtol=0, atol=1e-10)
    moved = 0
    for name, gradient in expected.items():
        if gradient is not None:
            assert found[name] is not None, name
            torch.testing.assert_close(found[name], gradient, rtol=0, atol=1e-10)
            moved += int(gradient.abs().sum() > 0)
    assert moved > 10 * MEMBERS


@pytest.mark.parametrize("backbone", NO_GRID)
def test_learners_that_take_no_grid_say_why(backbone) -> None:
    graph = graph_from_cohort(make_cohort(30))
    network = build_network(graph.schema, backbone, None, TrainConfig(channels=4).resolved(20), 0)
    assert network.members[0].why_no_grid() != ""


@pytest.mark.parametrize("debias", ["margin", "mmd", "irm"])
def test_objectives_of_networks_without_streams_are_those_of_each_member(debias) -> None:
    network, objective, edges, grid, targets = problem("concat", debias, "binary")
    loss, _, expected = gradients(network, network, objective, edges, targets)
    found_loss, _, found = gradients(MemberStack(network), network, objective, grid, targets)
    torch.testing.assert_close(found_loss, loss, rtol=0, atol=1e-10)
    reached = [name for name, gradient in expected.items() if gradient is not None and gradient.abs().sum() > 0]
    assert len(reached) > 5 * MEMBERS
    for name in reached:
        torch.testing.assert_close(found[name], expected[name], rtol=0, atol=1e-10)


def test_contrastive_losses_are_those_of_each_member() -> None:
    network, objective, edges, grid, targets = problem("muse", "none", "binary", contrastive=1.0)
    loss, _, expected = gradients(network, network, objective, edges, targets)
    found_loss, _, found = gradients(MemberStack(network), network, objective, grid, targets)
    torch.testing.assert_close(found_loss, loss, rtol=0, atol=1e-10)
    name = "members.1.backbone.layers.0.message_edge.weight"
    torch.testing.assert_close(found[name], expected[name], rtol=0, atol=1e-10)


def test_one_member_needs_no_mapping() -> None:
    network, objective, edges, grid, targets = problem("muse", "streams", "binary", members=1)
    _, logits, _ = gradients(network, network, objective, edges, targets)
    torch.testing.assert_close(
        gradients(MemberStack(network), network, objective, grid, targets)[1], logits, rtol=0, atol=1e-10
    )


def test_the_members_weights_are_the_stacked_ones() -> None:
    network, objective, _, grid, targets = problem("muse", "streams", "binary")
    before = {name: value.clone() for name, value in network.state_dict().items()}
    stack = MemberStack(network)
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name]), name
    matrices, vectors = stack.decay_groups()
    assert sum(each.numel() for each in matrices) == sum(each.numel() for each in network.decay_groups()[0])
    assert sum(each.numel() for each in vectors) == sum(each.numel() for each in network.decay_groups()[1])
    optimizer = torch.optim.SGD([*matrices, *vectors], lr=0.1)
    objective(stack(grid), targets, 2).backward()
    optimizer.step()
    name = "members.2.encoders.0.token.linear.weight"
    assert not torch.equal(network.state_dict()[name], before[name])
    network.load_state_dict(before)  # writes through to the stack
    torch.manual_seed(3)
    again = stack(grid)
    torch.manual_seed(3)
    for mine, theirs in zip(again, MemberStack(network)(grid)):
        assert torch.equal(mine.logits, theirs.logits)


def test_members_drop_and_hide_by_themselves() -> None:
    network, _, _, grid, _ = problem("muse", "none", "binary", dropout=0.5, edge_drop=0.5)
    for member in network.members:
        member.load_state_dict(network.members[0].state_dict())
    first, second, third = (each.logits for each in MemberStack(network)(grid))
    assert not torch.allclose(first, second)
    assert not torch.allclose(second, third)
    network.eval()
    same = [each.logits for each in network(grid)]
    assert torch.equal(same[0], same[2])


@pytest.mark.parametrize("outcomes", ["binary", "multiclass", "multilabel"])
@pytest.mark.parametrize("debias", ["none", "strata", "dfd", "streams", "prototypes"])
@pytest.mark.parametrize("backbone", ["concat", "muse"])
def test_no_part_of_a_step_waits_for_values(backbone, debias, outcomes) -> None:
    options = {"edge_drop": 0.2} if backbone == "muse" else {}
    network, objective, edges, grid, targets = problem(backbone, debias, outcomes, dropout=0.3, **options)
    stack = MemberStack(network)
    optimizer, critics = torch.optim.AdamW(stack.parameters(), fused=True), Critics(objective)
    before = [parameter.detach().clone() for parameter in stack.parameters()]
    for stage in (1, 2):
        with NoSynchronisation():
            predictions = stack(grid)
            critics.step(predictions, targets, stage)
            loss = objective(predictions, targets, stage)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(stack.parameters(), 1.0)
            optimizer.step()
    assert not all(torch.equal(one, other) for one, other in zip(before, stack.parameters()))
    with pytest.raises(AssertionError, match="in a step"), NoSynchronisation():  # the check can fail
        network(edges)


def test_a_grid_is_not_trained_on_past_the_stack() -> None:
    network, _, _, grid, _ = problem("muse", "none", "binary")
    with pytest.raises(RuntimeError, match="MemberStack"):
        network(grid)


class Scaled(ConcatBackbone):
    """Reads a buffer in training, and counts there where asked to."""

    counts = False

    def __init__(self, channels: int, num_modalities: int, dropout: float = 0.25) -> None:
        super().__init__(channels, num_modalities, dropout, edge_drop=0.0)
        self.register_buffer("factor", torch.ones(()))

    def forward(self, tokens, layout, y=None):  # type: ignore[no-untyped-def]
        if self.counts:
            self.factor.add_(1)
        return super().forward(tokens * self.factor, layout, y)


def with_backbone(network: Ensemble) -> Ensemble:
    for number, member in enumerate(network.members):
        member.backbone = Scaled(6, len(member.names), 0.0)
        member.backbone.factor.fill_(number + 1.0)
    return network.train()


def test_each_member_reads_its_own_buffers_and_losing_a_change_is_an_error() -> None:
    network, objective, edges, grid, targets = problem("concat", "none", "binary")
    _, logits, _ = gradients(with_backbone(network), network, objective, edges, targets)
    stack = MemberStack(network)
    _, found, _ = gradients(stack, network, objective, grid, targets)
    torch.testing.assert_close(found, logits, rtol=0, atol=1e-10)
    assert [float(member.backbone.factor) for member in network.members] == [1.0, 2.0, 3.0]
    network.members[0].backbone.counts = True
    with pytest.raises(RuntimeError, match="changes a buffer in training"):
        stack(grid)


@pytest.mark.parametrize("part", ["dropout", "forward"])
def test_encoders_that_differ_are_not_taken_for_one(part) -> None:
    network, *_ = problem("muse", "none", "binary", members=1)
    (member,) = network.members
    events = next(each for each in member.grid_encoders if isinstance(each, EventsEncoder))
    assert member.why_no_grid() == ""
    if part == "dropout":
        events.out.dropout = 0.9
        assert member.why_no_grid() == "the encoders differ in their dropout"
    else:
        events.__class__ = type("Own", (EventsEncoder,), {"forward": lambda self, observations: None})
        assert "reads its observations as a list" in member.why_no_grid()


@pytest.mark.parametrize("room", [2**28, 0])
@pytest.mark.parametrize("debias", ["none", "streams", "joint"])
def test_memories_and_predictions_are_those_of_each_member(debias, room, monkeypatch) -> None:
    monkeypatch.setattr(member_stack, "_MOST_BYTES", room)
    mode = StreamConfig(head="joint", evaluate_with="mean") if debias == "joint" else debias
    network, _, edges, grid, _ = problem("muse", mode, "binary")
    other = copy.deepcopy(network)
    network.eval()
    network.fit_memory(lambda: [edges])
    stack = MemberStack(other).train()
    stack.fit_memory(lambda: [grid])
    assert stack.training
    for (name, found), (_, expected) in zip(other.named_buffers(), network.named_buffers(), strict=True):
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-12, msg=name)
    stack.eval()
    other.eval()
    with torch.no_grad():
        for found, expected in zip(stack(grid), network(edges), strict=True):
            torch.testing.assert_close(found.logits, expected.logits, rtol=0, atol=1e-12)
    assert any(each.abs().sum() > 0 for name, each in other.named_buffers() if name.endswith("states"))
