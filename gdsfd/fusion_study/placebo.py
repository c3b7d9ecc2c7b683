"""The placebo control: a modality dealt out anew between patients, which can add nothing."""

from __future__ import annotations

import pandas as pd

from gdsfd.fusion_study.answer import Material
from gdsfd.fusion_study.contenders import floor_of
from gdsfd.fusion_study.differences import difference

__all__ = ["placebos"]


def placebos(material: Material) -> pd.DataFrame:
    """The gain of boosting by a modality dealt out anew, over boosting without the modality; 0 but for chance.

    Returns:
        Columns ``modality``, ``gain`` with its ends, ``verdict``; empty where the plan has no placebo.
    """
    fitted, rows = set(material.means["learner"]), []
    for each in material.plan.fits:
        kind, _, name = each.training.partition(" ")
        if kind != "permuted" or each.name not in fitted:
            continue
        reference = floor_of(material.plan.modalities, name)
        if reference not in fitted:
            continue
        found = difference(material, each.name, reference)
        ends = {"gain": found.mean, "gain_low": found.low, "gain_high": found.high}
        rows.append({"modality": name, **ends, "verdict": found.verdict})
    return pd.DataFrame(rows)
