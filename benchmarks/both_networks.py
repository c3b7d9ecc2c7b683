"""A model and its reference on cohorts of 2,000 patients, for studies of what is declared."""

from __future__ import annotations

from typing import Any

import numpy as np

import gdsfd
from gdsfd.evaluation.metrics.formulas import auroc

#: Of every fit.
SETTINGS: dict[str, Any] = {"members": 1, "learning_rate": 1e-3, "patience": 6, "max_epochs": 40, "batch_size": 128}


def areas(model: gdsfd.Debiaser, graph: Any, splits: tuple[str, ...]) -> dict[str, dict[str, float]]:
    """AUROC of both networks on each split, and of the one that the guard chose."""
    y = graph["patient"].y[:, 0].numpy()
    where = np.asarray(graph["patient"].split)
    found: dict[str, dict[str, float]] = {}
    for which in ("reference", "debiased", "auto"):
        scores = model.use(which).predict_proba(graph)[:, 1]
        rows = {name: (where == name) & np.isfinite(y) for name in splits}
        found[which] = {name: round(float(auroc(y[mask], scores[mask])), 5) for name, mask in rows.items()}
    return found
