"""A small cohort of two sites: one takes images of the old alone, the other of everybody. Everybody has a table."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from torch_geometric.data import HeteroData

import gdsfd

__all__ = ["two_sites"]


def two_sites(patients: int = 400, seed: int = 0) -> tuple[HeteroData, NDArray[np.float64]]:
    """The graph and each patient's age, standardised.

    Args:
        patients: Half of them of each site.
        seed: Of the draws.
    """
    rng = np.random.default_rng(seed)
    ids = [f"p{row}" for row in range(patients)]
    age, other = rng.normal(size=patients), np.arange(patients) % 2 == 1
    y = (rng.random(patients) < 1 / (1 + np.exp(-2 * age))).astype(int)
    cohort = pd.DataFrame({"id": ids, "site": np.where(other, "other", "careful"), "died": y})
    imaged = other | (age > 0)
    spec = {
        "cohort": {"source": cohort, "id": "id", "environment": "site"},
        "outcome": {"name": "died", "column": "died", "positive": "1", "negative": "0"},
        "modality": [
            {"name": "basics", "kind": "table", "source": pd.DataFrame({"id": ids, "age": age}), "id": "id"},
            {
                "name": "imaging",
                "kind": "table",
                "source": pd.DataFrame({"id": ids, "size": y + rng.normal(size=patients)})[imaged],
                "id": "id",
            },
        ],
    }
    return gdsfd.build_graph(gdsfd.CohortSpec(**spec), progress=False), age
