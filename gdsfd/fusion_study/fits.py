"""One fit of a study: trained, asked under every condition, its predictions and facts written down."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from torch_geometric.data import HeteroData

from gdsfd.atomic_write import atomic_file
from gdsfd.baselines.baseline import BASELINES
from gdsfd.evaluation.targets import rows_of_split, targets_of
from gdsfd.fusion_study.conditions import under
from gdsfd.fusion_study.contenders import Contender
from gdsfd.graph.modality_ablation import keep_modalities
from gdsfd.training.debiaser import Debiaser
from gdsfd.training.run_record.operating_point import choose_threshold

__all__ = ["COLUMNS", "file_of", "fit_contender", "fitted_model", "predictions_of"]

#: Of a table of predictions: one row per patient, condition and target.
COLUMNS = ("id", "subject", "seed", "learner", "condition", "target", "y", "p")


def file_of(folder: Path, contender: Contender, seed: int) -> Path:
    """Where a fit's predictions are kept."""
    name = re.sub(r"[^A-Za-z0-9_.=-]+", "_", contender.name)
    return folder / "predictions" / f"{name}-{seed}.parquet"


def fitted_model(graph: HeteroData, contender: Contender, seed: int, settings: Mapping[str, Any]) -> Any:
    """The contender, fitted on the graph's training patients."""
    if not contender.network:
        return BASELINES.find(contender.part)(seed).fit(graph)
    options = {**dict(settings).get("backbone_options", {}), **contender.options}
    own = {**settings, "backbone_options": options}
    return Debiaser(contender.part, seed=seed, **own).fit(graph, progress=False, baselines=False)


def predictions_of(
    model: Any, graph: HeteroData, split: str, contender: Contender, seed: int, condition: str
) -> pd.DataFrame:
    """What a model says of a split's patients, unlabelled ones left out; :data:`COLUMNS`."""
    rows = rows_of_split(graph, split)
    ids, subjects = (np.asarray(graph["patient"][key], dtype=object)[rows].astype(str) for key in ("id", "subject"))
    parts = []
    for target in targets_of(graph, rows, model.predict_proba(graph, split=split), contender.name):
        part = {"id": ids[target.rows], "subject": subjects[target.rows], "target": target.name}
        parts.append(pd.DataFrame({**part, "y": target.y, "p": target.p}))
    table = pd.concat(parts, ignore_index=True)
    table["seed"], table["learner"], table["condition"] = seed, contender.name, condition
    return table[list(COLUMNS)]


def fit_contender(
    graph: HeteroData,
    contender: Contender,
    seed: int,
    conditions: tuple[str, ...],
    settings: Mapping[str, Any],
    sensitivity: float,
    folder: Path,
) -> dict[str, Any]:
    """Fits a contender on one split and writes its predictions of the test patients, whole or not at all.

    Thresholds are chosen on tuning patients. A contender on some modalities sees no others in training either, and is
    asked as patients come only.

    Args:
        graph: With splits ``train``, ``tuning`` and ``test``.
        contender: What is fitted.
        seed: Of weights, and of what conditions draw.
        conditions: Of test patients.
        settings: Training settings.
        sensitivity: Share of tuning patients with the outcome whom thresholds find.
        folder: The study's.

    Returns:
        Facts of the fit, JSON-able.
    """
    start = time.perf_counter()
    seen = graph if contender.whole else keep_modalities(graph, list(contender.modalities or ()))
    model = fitted_model(seen, contender, seed, settings)
    seconds = time.perf_counter() - start
    tuning = predictions_of(model, seen, "tuning", contender, seed, "natural")
    thresholds = {
        str(name): choose_threshold(own["y"].to_numpy(), own["p"].to_numpy(), sensitivity).threshold
        for name, own in tuning.groupby("target", sort=False)
    }
    asked = conditions if contender.whole else ("natural",)
    tables = [predictions_of(model, under(seen, each, seed), "test", contender, seed, each) for each in asked]
    with atomic_file(file_of(folder, contender, seed)) as temporary:
        pd.concat(tables, ignore_index=True).to_parquet(temporary, index=False)
    facts = getattr(model, "training_", {})
    return {
        "learner": contender.name,
        "seed": seed,
        "seconds": round(seconds, 2),
        "parameters": facts.get("parameters"),
        "epochs": facts.get("epochs"),
        "thresholds": thresholds,
        "train": len(rows_of_split(graph, "train")),
        "test": len(rows_of_split(graph, "test")),
    }
