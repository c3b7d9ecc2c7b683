"""ERM of the same size as a network with two streams."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gdsfd.cohort.schema import CohortSchema
from gdsfd.nn.streams.config import StreamConfig
from gdsfd.training.arm import build_network
from gdsfd.training.config import TrainConfig

__all__ = ["match_capacity", "parameters_of"]


def parameters_of(
    schema: CohortSchema, backbone: str, streams: StreamConfig | None, config: TrainConfig, suspects: Sequence[int] = ()
) -> int:
    """Number of parameters of an untrained network."""
    return sum(each.numel() for each in build_network(schema, backbone, streams, config, 0, suspects).parameters())


def match_capacity(schema: CohortSchema, backbone: str, streams: StreamConfig, config: TrainConfig) -> TrainConfig:
    """A configuration whose ERM network has about as many parameters as ``streams`` has with ``config``.

    Two streams share the encoders of observations, so the matching width is less than twice as large. The nearest
    width of an even number of channels is taken.

    Args:
        schema: The cohort's fitted description.
        backbone: Name of the backbone.
        streams: The mode to match.
        config: A resolved configuration.
    """
    assert config.channels is not None
    wanted = parameters_of(schema, backbone, streams, config)
    low, high = config.channels, 3 * config.channels

    def size(channels: int) -> int:
        return parameters_of(schema, backbone, None, replace(config, channels=channels))

    while high - low > 2:
        middle = (low + high) // 4 * 2
        low, high = (middle, high) if size(middle) < wanted else (low, middle)
    return replace(config, channels=min((low, high), key=lambda channels: abs(size(channels) - wanted)))
