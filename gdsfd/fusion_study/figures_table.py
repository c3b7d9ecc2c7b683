"""Figures of every fit from its predictions alone."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from torch_geometric.data import HeteroData

from gdsfd.evaluation.metrics.formulas import auprc, auroc, brier, log_loss
from gdsfd.fusion_study.contenders import Contender
from gdsfd.fusion_study.fits import COLUMNS, file_of
from gdsfd.graph.availability import presence_of

__all__ = ["figures_of", "mean_over_targets", "patients_of", "read_facts", "read_predictions"]

#: Figures of a table, and how they are worked out.
_FIGURES = {"auroc": auroc, "auprc": auprc, "brier": brier, "log_loss": log_loss}


def read_predictions(
    folder: Path, contenders: Iterable[Contender], seeds: Iterable[int], holdouts: Iterable[str | None] = (None,)
) -> pd.DataFrame:
    """Predictions of all fits that are done; one row per patient, seed, learner, condition, target.

    Args:
        folder: The study's.
        contenders: Whose.
        seeds: Of which splits.
        holdouts: Environments that were left out; None = the split of everybody. With one named, the rows say it in a
            column ``holdout``.
    """
    seeds, holdouts = list(seeds), list(holdouts)
    parts = []
    for each in contenders:
        for seed in seeds:
            for holdout in holdouts:
                file = file_of(folder, each, seed, holdout)
                if file.is_file():
                    table = pd.read_parquet(file)
                    parts.append(table if holdout is None else table.assign(holdout=holdout))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=[*COLUMNS, "holdout"])


def figures_of(predictions: pd.DataFrame) -> pd.DataFrame:
    """AUROC, AUPRC, Brier score and log loss of each fit, condition and target.

    Args:
        predictions: As :func:`read_predictions` gives them.

    Returns:
        Columns ``learner``, ``seed``, ``condition``, ``target``, ``n``, ``events``, ``prevalence``, ``auroc``,
        ``auprc``, ``brier``, ``log_loss``; NaN where a figure is not defined.
    """
    rows: list[dict[str, Any]] = []
    for key, own in predictions.groupby(["learner", "seed", "condition", "target"], sort=False):
        y, p = own["y"].to_numpy(), own["p"].to_numpy()
        figures = {name: formula(y, p) for name, formula in _FIGURES.items()}
        names = dict(zip(("learner", "seed", "condition", "target"), key, strict=True))
        rows.append({**names, "n": len(y), "events": int(y.sum()), "prevalence": float(y.mean()), **figures})
    return pd.DataFrame(rows)


def mean_over_targets(figures: pd.DataFrame) -> pd.DataFrame:
    """The same with targets averaged: of those that have an AUROC with every learner and condition of a seed."""
    defined = figures.groupby(["seed", "target"])["auroc"].transform(lambda own: own.notna().all())
    kept = figures[defined] if defined.any() else figures
    return kept.groupby(["learner", "seed", "condition"], sort=False, as_index=False)[list(_FIGURES)].mean()


def patients_of(graph: HeteroData) -> pd.DataFrame:
    """Facts of each patient: ``id``, ``environment``, ``pattern`` (like ``101``), ``has:NAME``, ``group:NAME``."""
    patient, presence = graph["patient"], presence_of(graph).numpy()
    environment = patient.get("environment") or [""] * len(patient.id)
    facts: dict[str, Any] = {
        "id": [str(each) for each in patient.id],
        "environment": [str(each) for each in environment],
        "pattern": ["".join("01"[int(each)] for each in row) for row in presence],
    }
    facts |= {f"has:{name}": presence[:, number] for number, name in enumerate(graph.schema.names)}
    for name, values in dict(patient.get("groups") or {}).items():
        facts[f"group:{name}"] = np.asarray([str(each) or "Unknown" for each in values], dtype=object)
    return pd.DataFrame(facts)


def read_facts(file: Path) -> list[dict[str, Any]]:
    """Facts of the fits, the newest of each learner, seed and environment left out; a cut line is left out."""
    found: dict[tuple[str, int, str | None], dict[str, Any]] = {}
    for text in file.read_text(encoding="utf-8").splitlines() if file.is_file() else ():
        try:
            line = json.loads(text)
        except ValueError:
            continue
        if isinstance(line, dict) and "learner" in line and "seed" in line:
            found[line["learner"], line["seed"], line.get("holdout")] = line
    return list(found.values())
