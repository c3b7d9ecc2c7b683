"""Settings: what is chosen by cohort size, and what is refused."""

from __future__ import annotations

import pytest

from gdsfd.errors import InputError
from gdsfd.training.config import TrainConfig


@pytest.mark.parametrize("num_train", [1, 30, 700, 9_999, 10_000, 500_000])
def test_every_open_setting_is_chosen(num_train: int) -> None:
    config = TrainConfig().resolved(num_train)
    chosen = (config.batch_size, config.learning_rate, config.channels, config.dropout, config.members)
    assert all(value is not None for value in chosen)
    assert 32 <= config.batch_size <= 512
    assert config.members == (4 if num_train < 10_000 else 1)
    assert config.boosted_members == config.members // 2


def test_given_settings_stay() -> None:
    given = TrainConfig(batch_size=7, learning_rate=0.0, channels=3, dropout=0.0, members=2, boosted_members=2)
    assert given.resolved(100) == given


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"channel": 3}, r"unknown setting 'channel'. Did you mean 'channels'\?"),
        ({"max_epochs": 0}, "'max_epochs': expected a whole number from 1 to 100,000, got 0"),
        ({"members": 1.5}, "'members'"),
        ({"averaging": 1.0}, "'averaging'"),
        ({"learning_rate": -1.0}, "'learning_rate'"),
        ({"monitor": "auroc"}, "'monitor': expected one of"),
        ({"sequence": "lstm"}, "'sequence'"),
    ],
)
def test_wrong_settings_are_refused(settings: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        TrainConfig.from_settings(settings)
