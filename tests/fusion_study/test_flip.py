"""A model that learned "absent means ill" collapses under the flip; one that cannot see absence does not."""

from __future__ import annotations

import pandas as pd
from sklearn.metrics import roc_auc_score

from gdsfd.fusion_study.contenders import read_contender, trained_under
from gdsfd.fusion_study.fits import file_of, fit_contender
from tests.fusion_study.two_sites import two_sites

ILL, WELL = "hidden in ill 0.8: imaging", "hidden in well 0.8: imaging"


def test_the_flip_turns_boosting_upside_down(tmp_path):
    graph, _ = two_sites(600)
    areas = {}
    plain = read_contender("boosting")
    for made in (plain, trained_under(plain, ILL)):
        fit_contender(graph, made, 0, ("natural", ILL, WELL), {}, 0.8, tmp_path)
        table = pd.read_parquet(file_of(tmp_path, made, 0))
        areas[made.name] = {name: roc_auc_score(own["y"], own["p"]) for name, own in table.groupby("condition")}
    linked = areas[f"boosting, trained under {ILL}"]
    assert linked[ILL] > areas["boosting"]["natural"] + 0.02
    assert linked[WELL] < areas["boosting"][WELL] - 0.2
