"""Gives each stay in the ICU its last frontal chest radiograph before the prediction.

An image of MIMIC-CXR names a person and a time, no stay; a modality of the kind ``embedding`` has one vector per
patient. Which image belongs to which stay is a matter of several rows at a time, which a spec does not express, so it
is settled here, once: ``python examples/mimic_cxr/match_studies.py FOLDER`` writes ``FOLDER/cxr_by_stay.parquet``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd

__all__ = ["match_studies", "study_time"]

FRONTAL = ("AP", "PA")


def study_time(metadata: pd.DataFrame) -> pd.Series:
    """When a study was taken: StudyDate 21800506 and StudyTime 1105.031 are 2180-05-06 00:11:05."""
    day = pd.to_datetime(metadata["StudyDate"].astype(str), format="%Y%m%d")
    clock = metadata["StudyTime"].astype(int)
    seconds = clock // 10000 * 3600 + clock // 100 % 100 * 60 + clock % 100
    return day + pd.to_timedelta(seconds, unit="s")


def match_studies(folder: str | Path, hours: float = 48) -> pd.DataFrame:
    """One row per stay that has a frontal image from its begin up to ``hours`` later and before its end.

    Args:
        folder: With ``mimic-cxr-2.0.0-metadata.csv.gz``, ``cxr_embeddings.parquet`` and ``icu/icustays.csv.gz``.
        hours: The prediction's time after ``intime``; an image at that minute or later is not taken.

    Returns:
        ``stay_id``, ``hadm_id``, ``dicom_id``, ``study_id``, ``ViewPosition``, ``taken_at`` and ``embedding``.
    """
    folder = Path(folder)
    metadata = pd.read_csv(folder / "mimic-cxr-2.0.0-metadata.csv.gz")
    stays = pd.read_csv(folder / "icu" / "icustays.csv.gz", parse_dates=["intime", "outtime"])
    images = metadata[metadata["ViewPosition"].isin(FRONTAL)].assign(taken_at=study_time)
    pairs = images.merge(stays[["subject_id", "hadm_id", "stay_id", "intime", "outtime"]], on="subject_id")
    end = pairs[["outtime"]].assign(then=pairs["intime"] + pd.Timedelta(hours=hours)).min(axis=1)
    within = pairs[(pairs["taken_at"] >= pairs["intime"]) & (pairs["taken_at"] < end)]
    last = within.sort_values(["stay_id", "taken_at", "dicom_id"]).drop_duplicates("stay_id", keep="last")
    vectors = pd.read_parquet(folder / "cxr_embeddings.parquet")
    columns = ["stay_id", "hadm_id", "dicom_id", "study_id", "ViewPosition", "taken_at", "embedding"]
    return last.merge(vectors, on="dicom_id", validate="1:1")[columns]


if __name__ == "__main__":
    match_studies(sys.argv[1]).to_parquet(Path(sys.argv[1]) / "cxr_by_stay.parquet")
