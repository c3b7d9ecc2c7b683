"""Small models with strata."""

from __future__ import annotations

import numpy as np
import torch

from gdsfd.nn.streams.config import PRESETS
from gdsfd.training import Debiaser

SMALL = {"max_epochs": 4, "members": 1, "channels": 8, "guard_folds": 0, "learning_rate": 5e-3}


def fitted(graph, members=1, debias="prototypes", **prototypes):
    settings = {**PRESETS[debias].to_dict(), "prototypes": {"least": 15, **prototypes}}
    return Debiaser("concat", settings, **{**SMALL, "members": members}).fit(graph, baselines=False)


def rows_of(graph, split):
    return torch.from_numpy(np.flatnonzero(np.asarray(graph["patient"].split) == split))
