"""A baseline of one's own: the share of positives among training patients with as many modalities."""

from __future__ import annotations

import numpy as np

from gdsfd.baselines.baseline import BASELINES, Baseline
from gdsfd.baselines.labels import labels_of
from gdsfd.graph.availability import presence_of
from gdsfd.graph.loader import rows_of


@BASELINES.register("counting")
class Counting(Baseline):
    name = "counting modalities"
    key = "counting"

    def fit(self, graph):
        rows = rows_of(graph, "train").numpy()
        y = labels_of(graph, rows)[:, 0]
        observed = presence_of(graph).numpy()[rows].sum(1)
        shares = [y[(observed == n) & np.isfinite(y)] for n in range(len(graph.schema.modalities) + 1)]
        self.shares = np.array([own.mean() if len(own) else np.nanmean(y) for own in shares])
        return self

    def predict_proba(self, graph, split=None, ids=None):
        rows = rows_of(graph, split=split, ids=ids).numpy()
        p = self.shares[presence_of(graph).numpy()[rows].sum(1)]
        return np.column_stack([1 - p, p])

    def describe(self):
        return {"name": self.name, "features": "number of modalities"}

    def arrays(self):
        return {"shares": self.shares}

    def to_dict(self):
        return {"seed": self.seed}

    @classmethod
    def from_stored(cls, arrays, described, schema, where):
        made = cls(described["seed"])
        made.shares = arrays["shares"]
        return made
