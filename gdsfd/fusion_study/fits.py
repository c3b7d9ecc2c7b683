"""One fit of a study: trained, asked under every condition, its predictions and facts written down."""

from __future__ import annotations

import re
import time
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch_geometric.data import HeteroData

from gdsfd.atomic_write import atomic_file
from gdsfd.baselines.asked_for import baseline_asked_for
from gdsfd.evaluation.targets import rows_of_split, targets_of
from gdsfd.fusion_study.conditions import losses, under
from gdsfd.fusion_study.contenders import PRESENCE, Contender
from gdsfd.fusion_study.presence_model import PresenceModel
from gdsfd.fusion_study.training_changes import changed
from gdsfd.graph.loader import rows_of
from gdsfd.graph.modality_ablation import hide_observations, keep_modalities
from gdsfd.graph.take_patients import take_patients
from gdsfd.training.debiaser import Debiaser
from gdsfd.training.run_record.operating_point import choose_threshold

__all__ = ["COLUMNS", "file_of", "fit_contender", "fitted_model", "losses_in_test", "predictions_of"]

#: Of a table of predictions: one row per patient, condition and target.
COLUMNS = ("id", "subject", "seed", "learner", "condition", "target", "y", "p")


def file_of(folder: Path, contender: Contender, seed: int, holdout: str | None = None) -> Path:
    """Where a fit's predictions are kept.

    Args:
        folder: The study's.
        contender: What was fitted.
        seed: Of the fit.
        holdout: The environment that was left out, if one was.
    """
    left_out = "" if holdout is None else f"-without-{_in_files(holdout)}"
    return folder / "predictions" / f"{_in_files(contender.name)}-{seed}{left_out}.parquet"


def _in_files(name: str) -> str:
    """A name as files have it: names that differ stay different."""
    plain = re.sub(r"[^A-Za-z0-9_.=-]+", "_", name)
    return plain if plain == name else f"{plain}-{zlib.crc32(name.encode()):08x}"


def fitted_model(graph: HeteroData, contender: Contender, seed: int, settings: Mapping[str, Any]) -> Any:
    """The contender, fitted on the graph's training patients."""
    if contender.part == PRESENCE:
        return PresenceModel().fit(graph)
    if not contender.network:
        return baseline_asked_for(contender.part, "study")(seed).fit(graph)
    options = {**dict(settings).get("backbone_options", {}), **contender.options}
    # What fusion gives is the question: trees beside a network would answer for it.
    own = {"boosted_members": 0, **settings, "backbone_options": options}
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
    holdout: str | None = None,
    lost: Mapping[str, NDArray[np.bool_]] | None = None,
) -> dict[str, Any]:
    """Fits a contender on one split and writes its predictions of the test patients, whole or not at all.

    Thresholds are chosen on tuning patients. A contender on some modalities sees no others in training either.

    Args:
        graph: With splits ``train``, ``tuning`` and ``test``.
        contender: What is fitted.
        seed: Of weights, and of what conditions draw.
        conditions: Of test patients.
        settings: Training settings.
        sensitivity: Share of tuning patients with the outcome whom thresholds find.
        folder: The study's.
        holdout: The environment that is the test split, if one is left out.
        lost: Condition -> what test patients lose, as :func:`losses_in_test` has it; worked out where it is not given.

    Returns:
        Facts of the fit, JSON-able.
    """
    start = time.perf_counter()
    seen = graph if contender.modalities is None else keep_modalities(graph, list(contender.modalities))
    if contender.training != "natural":
        seen = changed(seen, contender.training, seed)
    model = fitted_model(seen, contender, seed, settings)
    seconds = time.perf_counter() - start
    tuning = predictions_of(model, seen, "tuning", contender, seed, "natural")
    thresholds = {
        str(name): choose_threshold(own["y"].to_numpy(), own["p"].to_numpy(), sensitivity).threshold
        for name, own in tuning.groupby("target", sort=False)
    }
    lost = losses_in_test(graph, conditions, seed) if lost is None else lost
    judged, tables = take_patients(seen, split="test"), []
    for condition in conditions:
        shown = judged
        if condition in lost:
            shown = hide_observations(judged, torch.from_numpy(lost[condition]))
        elif condition != "natural":
            shown = under(judged, condition, seed)
        tables.append(predictions_of(model, shown, "test", contender, seed, condition))
    with atomic_file(file_of(folder, contender, seed, holdout)) as temporary:
        pd.concat(tables, ignore_index=True).to_parquet(temporary, index=False)
    facts = getattr(model, "training_", {})
    return {
        "learner": contender.name,
        "seed": seed,
        "holdout": holdout,
        "seconds": round(seconds, 2),
        "seconds_with_predictions": round(time.perf_counter() - start, 2),
        "parameters": facts.get("parameters"),
        "epochs": facts.get("epochs"),
        "thresholds": thresholds,
        "train": len(rows_of_split(graph, "train")),
        "test": len(rows_of_split(graph, "test")),
    }


def losses_in_test(graph: HeteroData, conditions: tuple[str, ...], seed: int) -> dict[str, NDArray[np.bool_]]:
    """What test patients lose under each condition that takes whole modalities; bool [test patients, K] each."""
    rows = rows_of(graph, "test")
    found = {each: losses(graph, each, seed, rows) for each in conditions}
    return {each: lost[rows.numpy()] for each, lost in found.items() if lost is not None}
