"""Fitted baselines on disk: arrays (safetensors) and their settings (JSON). Reading runs no code from the files."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from gdsfd.baselines.boosted_trees import BoostedTrees
from gdsfd.baselines.boosting import Boosting
from gdsfd.baselines.flat_baseline import Classifier, FlatBaseline, TrainingShares
from gdsfd.baselines.linear_model import LinearModel
from gdsfd.baselines.logistic import Logistic
from gdsfd.cohort.schema import CohortSchema
from gdsfd.errors import InputError
from gdsfd.graph.flatten import flat_width

__all__ = ["FOLDER", "read_baselines", "write_baselines"]

#: Where a model's folder keeps its baselines.
FOLDER = "baselines"

_BASELINES: dict[str, type[FlatBaseline]] = {each.key: each for each in (Boosting, Logistic)}
_MODELS: dict[str, Any] = {"trees": BoostedTrees, "linear": LinearModel, "shares": TrainingShares}


def write_baselines(folder: Path, baselines: Mapping[str, FlatBaseline]) -> dict[str, Any]:
    """Writes fitted baselines.

    Args:
        folder: The model's; a folder ``baselines`` is made in it.
        baselines: Key -> fitted baseline.

    Returns:
        What else there is to keep of them, JSON-able.
    """
    described = {}
    for key, baseline in baselines.items():
        assert baseline.models is not None
        (folder / FOLDER).mkdir(exist_ok=True)
        arrays = {
            f"{number}.{name}": np.ascontiguousarray(array)
            for number, model in enumerate(baseline.models)
            for name, array in model.arrays().items()
        }
        save_file(arrays, folder / FOLDER / f"{key}.safetensors")
        described[key] = {
            "settings": {name: getattr(baseline, name) for name in _settings_of(type(baseline))},
            "chosen": list(getattr(baseline, baseline.chosen_as)),
            "models": [_kind_of(model) for model in baseline.models],
        }
    return described


def read_baselines(folder: Path, described: Mapping[str, Any], schema: CohortSchema) -> dict[str, FlatBaseline]:
    """Reads what :func:`write_baselines` wrote.

    Args:
        folder: The model's.
        described: What that function gave.
        schema: The model's: which columns the flattened table has.

    Raises:
        InputError: A file is missing or damaged, or holds something else.
    """
    return {key: _read(folder / FOLDER / f"{key}.safetensors", key, each, schema) for key, each in described.items()}


def _read(path: Path, key: str, described: Mapping[str, Any], schema: CohortSchema) -> FlatBaseline:
    if key not in _BASELINES:  # before anything is opened: the key is part of a path
        raise InputError(f"{path.parent}: expected the baselines {', '.join(_BASELINES)}, model.json names {key!r}")
    try:
        arrays = load_file(path)
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path}: missing or damaged ({str(error).splitlines()[0]}); copy the folder again") from None
    try:
        kind = _BASELINES[key]
        settings = {name: described["settings"][name] for name in _settings_of(kind)}
        chosen, kinds = list(described["chosen"]), [_MODELS[each] for each in described["models"]]
        baseline = kind(**settings)
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path}: its description in model.json is damaged ({error}); copy the folder again") from None
    if not len(kinds) == len(chosen) == len(schema.outcomes):
        raise InputError(f"{path}: {len(kinds)} models for {len(schema.outcomes)} outcomes; copy the folder again")
    width = flat_width(schema)
    models: list[Classifier] = []
    for number, each in enumerate(kinds):
        prefix = f"{number}."
        own = {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
        models.append(each.from_arrays(own, str(path), width))
    setattr(baseline, baseline.chosen_as, chosen)
    baseline.models, baseline.schema = models, schema
    return baseline


def _settings_of(kind: type[FlatBaseline]) -> list[str]:
    return [name for name in inspect.signature(kind.__init__).parameters if name != "self"]


def _kind_of(model: Classifier) -> str:
    return next(name for name, kind in _MODELS.items() if isinstance(model, kind))
