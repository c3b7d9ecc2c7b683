"""Tables: features by loops over cells, and cells of what was measured."""

from __future__ import annotations

import numpy as np
import torch

from gdsfd.cohort.schema import LEVEL_MISSING, LEVEL_UNSEEN, QUANTILE_LEVELS, ModalityFields, NumericScale
from gdsfd.nn.encoders import TableEncoder

SCALES = tuple(
    NumericScale(101, 50.0 * factor, 29.2 * factor, tuple(float(100 * factor * level) for level in QUANTILE_LEVELS))
    for factor in (1, 10)
)
FIELDS = ModalityFields(
    "chart",
    "table",
    numeric=("age", "pressure"),
    categorical=("unit", "sex"),
    levels=(("MICU", "SICU"), ("F",)),
    scales=SCALES,
)
NUMERIC = torch.tensor([[30.0, float("nan")], [float("nan"), 700.0], [float("nan"), float("nan")]])
CATEGORICAL = torch.tensor([[2, LEVEL_UNSEEN], [LEVEL_MISSING, 2], [LEVEL_MISSING, LEVEL_MISSING]])
OBSERVATIONS = {"numeric": NUMERIC, "categorical": CATEGORICAL}


def test_numbers_first_then_the_indicators_of_levels() -> None:
    encoder = TableEncoder(FIELDS, 4)
    features = encoder.features(OBSERVATIONS)
    blocks = encoder.transform(NUMERIC)
    for row in range(3):
        expected = [float(block[row, column]) for block in blocks for column in range(2)]
        # Places of the levels: unseen, MICU, SICU of the unit, then unseen, F of the sex; missing has none.
        levels = [0.0] * 5
        for column, before in ((0, 0), (1, 3)):
            if int(CATEGORICAL[row, column]) != LEVEL_MISSING:
                levels[before + int(CATEGORICAL[row, column]) - 1] = 1.0
        np.testing.assert_allclose(features[row].numpy(), expected + levels)
    assert features[0, 10:].tolist() == [0, 1, 0, 1, 0]
    assert not features[2].any()


def test_features_worked_out_before_are_read() -> None:
    encoder = TableEncoder(FIELDS, 4).eval()
    prepared = {"features": encoder.features(OBSERVATIONS)}
    assert encoder.features(prepared) is prepared["features"]
    torch.testing.assert_close(encoder(prepared), encoder(OBSERVATIONS))


def test_cells_are_what_was_measured_and_the_plan_says_which_features_they_are() -> None:
    encoder = TableEncoder(FIELDS, 4)
    features, cells, plan = encoder.features(OBSERVATIONS), encoder.cells(OBSERVATIONS), encoder.cell_plan
    # Nodes: age, pressure, then the five levels.
    assert list(zip(cells.observation.tolist(), cells.node.tolist())) == [(0, 0), (0, 3), (0, 5), (1, 1), (1, 6)]
    assert cells.num_observations == 3
    for observation, node, value in zip(cells.observation, cells.node, cells.value):
        if node < 2:
            assert torch.equal(value, features[observation, plan.valued[node]])
            assert value[plan.flag] == 1
        else:
            assert features[observation, plan.indicator[node - 2]] == 1
            assert not value.any()


def test_numbers_or_categories_alone() -> None:
    numbers = TableEncoder(ModalityFields("n", "table", numeric=("age", "pressure"), scales=SCALES), 4)
    assert numbers.features({"numeric": NUMERIC, "categorical": CATEGORICAL[:, :0]}).shape == (3, 10)
    levels = TableEncoder(ModalityFields("c", "table", categorical=("sex",), levels=(("F",),)), 4)
    found = levels.features({"numeric": NUMERIC[:, :0], "categorical": CATEGORICAL[:, 1:]})
    assert found.tolist() == [[1, 0], [0, 1], [0, 0]]
