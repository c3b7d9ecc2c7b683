from __future__ import annotations

import pytest

from gdsfd.comparison.capacity_matching import match_capacity, parameters_of
from gdsfd.nn.streams.config import PRESETS
from gdsfd.training.config import TrainConfig


@pytest.mark.parametrize("backbone", ["concat", "muse", "grape"])
@pytest.mark.parametrize("channels", [32, 64])
def test_erm_of_the_same_size_is_within_five_percent(graph, backbone, channels):
    config = TrainConfig(channels=channels).resolved(1000)
    wanted = parameters_of(graph.schema, backbone, PRESETS["streams"], config)
    matched = match_capacity(graph.schema, backbone, PRESETS["streams"], config)
    assert parameters_of(graph.schema, backbone, None, matched) == pytest.approx(wanted, rel=0.05)
    assert matched.members == config.members


def test_without_streams_nothing_is_widened(graph):
    config = TrainConfig(channels=32).resolved(1000)
    assert match_capacity(graph.schema, "concat", PRESETS["strata"], config).channels == 32
