"""The settings of training in words: from ``TrainConfig`` and its docstring. Needs nothing of Sphinx."""

from __future__ import annotations

from dataclasses import MISSING, fields

from spec_models import described

from gdsfd.training.config import TrainConfig

SIZES = (200, 1000, 2000, 5000, 20_000, 200_000)


def setting_rows() -> list[tuple[str, str, str]]:
    """Name, default and meaning of every setting.

    Raises:
        LookupError: A setting is not described in the class's docstring.
    """
    meanings = described(TrainConfig)
    rows = []
    for setting in fields(TrainConfig):
        if setting.name not in meanings:
            raise LookupError(f"TrainConfig.{setting.name} is not described in the class's docstring")
        if setting.default is MISSING:
            shown = "none"
        else:
            shown = "by size" if setting.default is None else f"``{setting.default!r}``".replace("'", '"')
        rows.append((f"``{setting.name}``", shown, meanings[setting.name]))
    return rows


def size_rows(sizes: tuple[int, ...] = SIZES) -> list[tuple[str, ...]]:
    """For each setting that is chosen by size: its value at each number of training patients."""
    chosen = [TrainConfig().resolved(size) for size in sizes]
    names = [setting.name for setting in fields(TrainConfig) if setting.default is None]
    return [(f"``{name}``", *(f"{getattr(config, name):g}" for config in chosen)) for name in names]
