"""A training step of two streams on ``muse`` under the preset ``streams``, beside plain PyG's and beside ERM's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy

import torch
from torch import Tensor, nn

from gdsfd.bench.cohort_graph import random_graph
from gdsfd.bench.message_passing import PLAIN
from gdsfd.bench.opponents.contest import OURS, Contest, register_step
from gdsfd.bench.opponents.plain_muse import PlainCohort
from gdsfd.bench.opponents.plain_streams import MaskedConv, PlainStream, PlainStreams
from gdsfd.bench.problem import Shape
from gdsfd.bench.step_products import stream_products
from gdsfd.errors import InputError
from gdsfd.graph.patient_store import PatientStore
from gdsfd.nn.backbones import MuseBackbone
from gdsfd.nn.conv import EdgeSAGEConv
from gdsfd.nn.ensemble import Ensemble
from gdsfd.nn.grid_store import GridStore
from gdsfd.nn.losses import Targets
from gdsfd.nn.member_stack import MemberStack
from gdsfd.nn.objectives import ErmObjective, Objective, StreamObjective
from gdsfd.nn.predictor import Predictor
from gdsfd.nn.stream_predictor import StreamPrediction, StreamPredictor
from gdsfd.nn.streams import PRESETS, MaskGenerator, StreamConfig

__all__ = ["ERM", "streams"]

ERM = "gdsfd, ERM"

_STAGE = 2  # all parts of the loss
_SUSPECT_SHARES = (0.1, 0.4)  # P(y = 1 | s) of a suspect that half of the patients have


@register_step("streams")
def streams(shape: Shape, seed: int, device: str, random: bool) -> Contest:
    """Two streams of ``muse`` with the loss of their second stage beside the plain composition."""
    config = PRESETS["streams"]
    assert config is not None
    _check(config)
    graph = random_graph(shape, seed).to(device)
    options = {"layers": shape.layers, "edge_drop": 0.15 if random else 0.0}
    dropout = 0.25 if random else 0.0
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        ours = StreamPredictor(graph.schema, "muse", shape.channels, dropout, options=options, streams=config)
        assert isinstance(ours.streams.masker, MaskGenerator)
        assert ours.streams.masker.feature is not None
        nn.init.normal_(ours.streams.masker.feature.weight, std=0.1)  # at the start masks are 1/2 whatever comes in
        erm = Predictor(graph.schema, "muse", shape.channels, dropout, options=options)
        suspect = torch.randint(2, (shape.patients, 1))
    networks = {name: Ensemble([each], multiclass=False) for name, each in ((OURS, ours), (ERM, erm))}
    networks = {name: each.to(device=device, dtype=shape.torch_dtype).train() for name, each in networks.items()}
    plain = PlainStreams(ours).train()
    store, cohort = PatientStore(graph), PlainCohort(graph)
    objective = StreamObjective(networks[OURS], config, shape.patients)  # without parameters: the same for both
    targets = Targets(graph["patient"].y.float(), torch.arange(shape.patients), margin=_margin(suspect)).to(device)

    def loss_of(network: Ensemble, objective: Objective) -> Callable[[Tensor], Tensor]:
        return lambda rows: objective(network(store.batch(rows)), targets.take(rows), _STAGE)

    @torch.no_grad()
    def outputs(rows: Tensor) -> list[tuple[Tensor, Tensor]]:
        mine, other = networks[OURS](store.batch(rows))[0], plain(cohort, rows)
        assert isinstance(mine, StreamPrediction)
        names = ("logits", "biased_logits", "causal", "biased", "mask")
        return [(getattr(mine, name), getattr(other, name)) for name in names]

    losses: dict[str, Callable[[Tensor], Tensor]] = {
        PLAIN: lambda rows: objective([plain(cohort, rows)], targets.take(rows), _STAGE),
        OURS: loss_of(networks[OURS], objective),
        ERM: loss_of(networks[ERM], ErmObjective()),
    }
    models: dict[str, nn.Module] = {PLAIN: plain, **networks}

    def bare(batch_size: int) -> Callable[[], None]:
        return stream_products(shape, batch_size, 0.15)

    copied = deepcopy(networks[OURS])
    source, stack = GridStore.of(copied, store, device), MemberStack(copied)

    def fixed_loss(rows: Tensor) -> Tensor:
        return objective(stack(source.batch(rows)), targets.take(rows), _STAGE)

    return Contest(models, losses, lambda: list(_gradients(ours, plain)), outputs, ERM, bare, (stack, fixed_loss))


def _check(config: StreamConfig) -> None:
    """Whether the preset still is what the plain composition was written for."""
    found = (config.head, config.biased_head, config.mask_level, config.swap, config.suspect_weight, config.information)
    expected = ("causal", "biased", "feature", 0.0, 0.0, "xcov")
    if found != expected:
        raise InputError(
            "train-step streams: head, biased_head, mask_level, swap, suspect_weight and information of the preset "
            f"'streams' are {found}; the plain composition was written for {expected}: adapt "
            "gdsfd/bench/opponents/plain_streams.py"
        )


def _margin(suspect: Tensor) -> Tensor:
    """log P(y | s) - log P(y) for one binary outcome, as a shift of its logit; float32 [N, 1]."""
    shares = torch.tensor(_SUSPECT_SHARES)
    return (torch.logit(shares) - torch.logit(shares.mean()))[suspect]


def _gradients(ours: StreamPredictor, plain: PlainStreams) -> Iterator[tuple[Tensor, Tensor]]:
    """Gradients of every parameter, this package's first."""
    masker, causal, biased = ours.streams.masker, ours.streams.backbone, ours.streams.biased
    for mine, other in ((ours.encoders, plain.encoders), (ours.out, plain.out), (ours.biased_out, plain.biased_out)):
        yield from _same(mine, other)
    yield from _same(masker, plain.masker)
    for backbone, stream in ((causal, plain.causal), (biased, plain.biased)):
        assert isinstance(backbone, MuseBackbone)
        yield from _stream_gradients(backbone, stream)


def _same(mine: nn.Module, other: nn.Module) -> Iterator[tuple[Tensor, Tensor]]:
    """Of modules whose parameters have the same names."""
    others = dict(other.named_parameters())
    for name, parameter in mine.named_parameters():
        yield _gradient(parameter), _gradient(others.pop(name))
    assert not others, others.keys()


def _stream_gradients(backbone: MuseBackbone, stream: PlainStream) -> Iterator[tuple[Tensor, Tensor]]:
    """Of one stream; where a plain map reads a concatenation, the split maps' gradients side by side."""
    yield _gradient(backbone.patient_start), _gradient(stream.patient_start)
    yield _gradient(backbone.modality_start), _gradient(stream.modality_start)
    for conv, layer in zip(backbone.layers, stream.layers, strict=True):
        assert isinstance(conv, EdgeSAGEConv)
        assert isinstance(layer, MaskedConv)
        maps: list[tuple[tuple[nn.Linear, ...], nn.Linear]] = [
            ((conv.message_node, conv.message_edge), layer.message_linear),
            ((conv.update_message, conv.update_node), layer.update_linear),
        ]
        if layer.edge_linear is not None:
            assert conv.edge_patient is not None
            assert conv.edge_modality is not None
            assert conv.edge_edge is not None
            maps.append(((conv.edge_patient, conv.edge_modality, conv.edge_edge), layer.edge_linear))
        for parts, whole in maps:
            yield torch.cat([_gradient(part.weight) for part in parts], dim=1), _gradient(whole.weight)
            yield _gradient(parts[0].bias), _gradient(whole.bias)


def _gradient(parameter: Tensor) -> Tensor:
    assert parameter.grad is not None
    return parameter.grad
