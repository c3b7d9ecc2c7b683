"""Writes files in the layout of ADNI's exports: columns and codes as there, every value invented.

``python examples/adni/generate.py --out examples/adni/exports`` takes about a second. The files are

- ``ADNIMERGE.csv``: a row per person and visit;
- ``VITALS.csv``: vital signs, a row per person and visit, with -4 (no answer, also of old forms) and -1 (not done);
- ``ADNI_GWAS.tsv``: a row per person, as ``plink2 --export A`` writes it (``.raw``, tab-separated).

What is true to the source besides the names: a person has two to seven visits and the later ones are telephone calls
without a diagnosis; AV45 began with ADNIGO; not everyone has a lumbar puncture; the assay of CSF reports ``>1700`` and
``<200`` beyond its range; weight is in pounds or kilograms; some with MCI become AD and some return to CN; VITALS and
the genotypes hold persons that ADNIMERGE does not. A few volumes and PET values are -4, as in copies of ADNIMERGE into
which somebody merged the single tables.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

__all__ = ["write"]

MONTHS = {"bl": 0, "m06": 6, "m12": 12, "m18": 18, "m24": 24, "m30": 30, "m36": 36}
PROTOCOLS = ["ADNI1", "ADNIGO", "ADNI2", "ADNI3"]
BASELINE = {"CN": "CN", "SMC": "CN", "EMCI": "MCI", "LMCI": "MCI", "AD": "Dementia"}
STAGE = {"CN": 0.0, "MCI": 1.0, "Dementia": 2.0}
SNPS = ["rs429358_C", "rs7412_T", "rs6733839_T", "rs11136000_T", "rs3851179_T", "rs610932_A"]
#: Scores of cognition: value at CN, change per stage, noise, decimals.
COGNITION = {
    "CDRSB": (0.1, 2.1, 0.5, 1),
    "ADAS11": (6, 6, 2.5, 2),
    "ADAS13": (9, 9, 3.5, 2),
    "ADASQ4": (3, 2.7, 1.5, 0),
    "MMSE": (29, -2.8, 1.2, 0),
    "RAVLT_immediate": (45, -11, 7, 0),
    "RAVLT_learning": (6, -1.9, 2, 0),
    "RAVLT_forgetting": (3.8, 0.4, 2, 0),
    "RAVLT_perc_forgetting": (35, 27, 20, 2),
    "LDELTOTAL": (13, -5.8, 2.5, 0),
    "DIGITSCOR": (45, -9, 8, 0),
    "TRABSCOR": (85, 55, 30, 0),
    "FAQ": (0.2, 6.5, 2.5, 0),
    "MOCA": (26, -3.3, 2, 0),
    "EcogPtTotal": (1.4, 0.3, 0.3, 3),
    "EcogSPTotal": (1.2, 0.75, 0.3, 3),
}
#: FreeSurfer volumes in mm3, likewise; and the share of the head's size in the noise.
VOLUMES = {
    "Ventricles": (33000, 6500, 14000, 0.2),
    "Hippocampus": (7300, -560, 750, 0.3),
    "WholeBrain": (1040000, -24000, 60000, 0.8),
    "Entorhinal": (3800, -330, 500, 0.3),
    "Fusiform": (18000, -900, 1900, 0.5),
    "MidTemp": (20500, -1100, 2100, 0.5),
    "ICV": (1530000, 0, 20000, 7.0),
}


def write(folder: str | Path, persons: int = 320, seed: int = 0) -> None:
    """Writes the files.

    Args:
        folder: Where to; made if need be.
        persons: People in ADNIMERGE.
        seed: The same seed gives the same bytes.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    people = _people(rng, persons)
    visits = _visits(rng, people)
    _with_baseline(_measured(rng, visits)).to_csv(folder / "ADNIMERGE.csv", index=False, na_rep="")
    _vitals(rng, visits).to_csv(folder / "VITALS.csv", index=False, na_rep="")
    _genotypes(rng, people).to_csv(folder / "ADNI_GWAS.tsv", index=False, sep="\t", na_rep="NA")


def _people(rng: np.random.Generator, count: int) -> pd.DataFrame:
    site = rng.choice([2, 5, 7, 11, 13, 22, 23, 27, 33, 57, 67, 130], count)
    rid = np.sort(rng.choice(np.arange(2, 7000), count, replace=False))
    protocol = np.select([rid < 2000, rid < 2400, rid < 5500], PROTOCOLS[:3], PROTOCOLS[3])
    # SMC and EMCI were first recruited in ADNIGO; some sites are memory clinics and see more disease.
    late, clinic = protocol != "ADNI1", np.isin(site, [11, 22, 57, 130])
    share = np.array([0.26, 0.0, 0.0, 0.49, 0.25]) + late[:, None] * np.array([0.0, 0.12, 0.22, -0.27, -0.07])
    share = share * np.where(clinic[:, None], [0.5, 0.5, 1, 1.2, 1.8], 1)
    diagnosis = np.array(list(BASELINE))[
        ((share / share.sum(1, keepdims=True)).cumsum(1) < rng.random(count)[:, None]).sum(1)
    ]
    stage = np.array([STAGE[BASELINE[name]] for name in diagnosis])
    people = pd.DataFrame({"RID": rid, "SITE": site, "ORIGPROT": protocol, "DX_bl": diagnosis})
    people["PTID"] = [f"{own:03d}_S_{number:04d}" for own, number in zip(site, rid)]
    people["AGE"] = np.round(rng.normal(72.5 + stage, 7, count).clip(55, 91), 1)
    people["PTGENDER"] = np.where(rng.random(count) < 0.53, "Male", "Female")
    people["PTEDUCAT"] = rng.normal(16.2 - 0.4 * stage, 2.7, count).round().clip(6, 20).astype(int)
    people["PTETHCAT"] = rng.choice(["Not Hisp/Latino", "Hisp/Latino", "Unknown"], count, p=[0.95, 0.04, 0.01])
    people["PTRACCAT"] = rng.choice(["White", "Black", "Asian", "More than one"], count, p=[0.91, 0.05, 0.02, 0.02])
    people["PTMARRY"] = rng.choice(
        ["Married", "Widowed", "Divorced", "Never married"], count, p=[0.75, 0.12, 0.1, 0.03]
    )
    people["alleles"] = rng.binomial(2, np.array([0.15, 0.27, 0.42])[stage.astype(int)])
    people["APOE4"] = people["alleles"].astype("Int64").where(rng.random(count) > 0.03)
    people["head"] = rng.normal(np.where(people["PTGENDER"] == "Male", 0.5, -0.5), 1)
    people["amyloid"] = rng.random(count) < 0.18 + 0.25 * stage + 0.15 * people["alleles"]
    people["first"] = pd.Timestamp("2005-09-01") + pd.to_timedelta(
        np.select([rid < 2000, rid < 2400, rid < 5500], [0, 1600, 2200], 4200) + rng.integers(0, 600, count), unit="D"
    )
    # The month in which the stage goes up (MCI: a third within three years), or down again.
    change, up = rng.random(count), rng.choice([12, 24, 36], count)
    people["up_at"] = np.where((stage == 1) & (change < 0.34) | (stage == 0) & (change < 0.08), up, 999)
    people["down_at"] = np.where((stage == 1) & (change > 0.94), up, 999)
    people["last"] = rng.choice([6, 12, 24, 36], count, p=[0.1, 0.2, 0.3, 0.4])
    return people


def _visits(rng: np.random.Generator, people: pd.DataFrame) -> pd.DataFrame:
    """A row per person and visit, with the stage of the disease and the diagnosis as recorded."""
    visits = people.merge(pd.DataFrame({"VISCODE": list(MONTHS), "M": list(MONTHS.values())}), how="cross")
    visits = visits[visits["M"] <= visits["last"]].sort_values(["RID", "M"]).reset_index(drop=True)
    stage = visits["DX_bl"].map(BASELINE).map(STAGE)
    visits["stage"] = stage + (visits["M"] >= visits["up_at"]) - (visits["M"] >= visits["down_at"])
    visits["DX"] = visits["stage"].map({own: name for name, own in STAGE.items()})
    # Telephone visits, and some forms that never came; the baseline always has a diagnosis.
    blank = (visits["M"] == 30) | (visits["M"] > 0) & (rng.random(len(visits)) < 0.04)
    visits["DX"] = visits["DX"].where(~blank)
    visits["COLPROT"] = visits["ORIGPROT"]
    visits["EXAMDATE"] = visits["first"] + pd.to_timedelta(
        np.where(visits["M"] == 0, 0, visits["M"] * 30.44 + rng.integers(-20, 21, len(visits))).astype(int), unit="D"
    )
    return visits


def _measured(rng: np.random.Generator, visits: pd.DataFrame) -> pd.DataFrame:
    """ADNIMERGE's columns of PET, CSF, cognition and MRI beside the visits."""
    count, stage, phone = len(visits), visits["stage"].to_numpy(), (visits["M"] == 30).to_numpy()
    ill = stage + rng.normal(0, 0.55, count)  # what brain and scores follow; the diagnosis is not drawn from it alone

    def seen(chance: float | np.ndarray) -> np.ndarray:
        return (rng.random(count) < chance) & ~phone

    merged = visits.copy()
    amyloid, yearly = merged["amyloid"].to_numpy(), np.isin(merged["M"], [0, 12, 24])
    merged["FDG"] = np.where(seen(0.55 * yearly), rng.normal(1.29 - 0.07 * ill, 0.1), np.nan).round(5)
    merged["PIB"], merged["FBB"] = np.nan, np.nan
    late = (merged["ORIGPROT"] != "ADNI1").to_numpy()
    av45 = rng.normal(1.08 + 0.28 * amyloid + 0.03 * ill, 0.1)
    merged["AV45"] = np.where(seen(0.8 * (late & np.isin(merged["M"], [0, 24]))), av45, np.nan).round(5)
    lumbar = seen(np.where(merged["M"] == 0, 0.62, 0.2 * np.isin(merged["M"], [12, 24])))
    merged["ABETA"] = _assay(np.exp(rng.normal(7.2 - 0.7 * amyloid, 0.38)), lumbar, 200, 1700)
    tau = np.exp(rng.normal(5.35 + 0.12 * ill + 0.2 * amyloid, 0.5))
    merged["TAU"] = _assay(tau, lumbar, 80, 1300)
    merged["PTAU"] = _assay(0.095 * tau * np.exp(rng.normal(0, 0.12, count)), lumbar, 8, 120)
    tested = stage + rng.normal(0, 0.25, count)  # the diagnosis is made from these scores, so they follow it closely
    for name, (start, step, noise, digits) in COGNITION.items():
        score = np.round(start + step * tested + rng.normal(0, noise, count) * 0.7, digits)
        merged[name] = np.where(seen(0.97), score.clip(0, 30 if name in ("MMSE", "MOCA") else None), np.nan)
    scanned = seen(np.where(np.isin(merged["M"], [0, 6, 12, 24]), 0.9 - 0.08 * stage, 0.4))
    three = np.where(merged["ORIGPROT"] == "ADNI1", merged["SITE"] % 5 == 2, True)
    merged["FLDSTRENG"] = pd.Series(np.where(three, "3 Tesla MRI", "1.5 Tesla MRI"), merged.index).where(scanned)
    merged["FSVERSION"] = pd.Series(
        np.where(three, "Cross-Sectional FreeSurfer (5.1)", "Cross-Sectional FreeSurfer (FreeSurfer Version 4.3)"),
        merged.index,
    ).where(scanned)
    merged["IMAGEUID"] = pd.Series(rng.integers(12000, 999999, count), merged.index).astype("Int64").where(scanned)
    partial = rng.random(count) < 0.12  # the segmentation of the cortex failed its quality check
    for name, (start, step, noise, head) in VOLUMES.items():
        volume = start + step * ill + rng.normal(0, noise, count) + head * noise * merged["head"].to_numpy()
        failed = partial if name in ("Entorhinal", "Fusiform", "MidTemp") else np.zeros(count, bool)
        measured = pd.Series((volume * np.where(three, 1.02, 1)).clip(1000).round(), merged.index).astype("Int64")
        measured = measured.where(scanned & ~failed)
        merged[name] = measured.mask(measured.notna() & (rng.random(count) < 0.01), -4)
    merged["FDG"] = merged["FDG"].mask(merged["FDG"].notna() & (rng.random(count) < 0.03), -4)
    return merged


def _assay(value: np.ndarray, measured: np.ndarray, low: float, high: float) -> list[str]:
    """As the assay reports it: a text beyond its range."""
    texts = np.select([value > high, value < low], [f">{high}", f"<{low}"], [f"{number:.4g}" for number in value])
    return np.where(measured, texts, "").tolist()


def _with_baseline(merged: pd.DataFrame) -> pd.DataFrame:
    """ADNIMERGE's columns in their order: those of the visit, then those of the baseline under ``_bl``."""
    own = ["RID", "COLPROT", "ORIGPROT", "PTID", "SITE", "VISCODE", "EXAMDATE", "DX_bl", "AGE", "PTGENDER", "PTEDUCAT"]
    own += ["PTETHCAT", "PTRACCAT", "PTMARRY", "APOE4"]
    measured = ["FDG", "PIB", "AV45", "FBB", "ABETA", "TAU", "PTAU", *COGNITION]
    measured += ["FLDSTRENG", "FSVERSION", "IMAGEUID", *VOLUMES]
    first = merged[merged["M"] == 0].set_index("RID")
    baseline = {f"{name}_bl": merged["RID"].map(first[name]) for name in ["EXAMDATE", *measured] if name != "IMAGEUID"}
    years = ((merged["EXAMDATE"] - merged["first"]).dt.days / 365.25).round(6)
    times = {"Years_bl": years, "Month_bl": (years * 12).round(5), "Month": merged["M"], "M": merged["M"]}
    table = merged[[*own, *measured, "DX"]].assign(**baseline, **times, update_stamp="2023-07-08 04:59:40.0")
    dates = {name: table[name].dt.strftime("%Y-%m-%d") for name in ("EXAMDATE", "EXAMDATE_bl")}
    return table.assign(**dates)


def _vitals(rng: np.random.Generator, visits: pd.DataFrame) -> pd.DataFrame:
    there = visits[(visits["M"] != 30) & (rng.random(len(visits)) < 0.93)]
    failed = pd.DataFrame({"RID": 9000 + np.arange(25), "SITE": 11, "VISCODE": "bl", "ORIGPROT": "ADNI2"})
    failed["PTID"] = [f"011_S_{number}" for number in failed["RID"]]  # failed the screening; not in ADNIMERGE
    failed = failed.assign(PTGENDER="Male", EXAMDATE=pd.Timestamp("2012-03-01"))
    there = pd.concat([there, failed], ignore_index=True)
    count = len(there)
    pounds = rng.random(count) < 0.7
    kilograms = rng.normal(np.where(there["PTGENDER"] == "Male", 84, 69), 12, count).clip(40)

    def coded(values: np.ndarray) -> np.ndarray:
        chance = rng.random(count)
        return np.select([chance < 0.02, chance < 0.03], [-4, -1], values)

    off = np.where(rng.random(count) < 0.05, -60, -rng.integers(0, 15, count))  # vitals of another occasion
    frame = pd.DataFrame({"PHASE": there["ORIGPROT"], "PTID": there["PTID"], "RID": there["RID"]})
    frame["VISCODE"] = there["VISCODE"]
    frame["VISCODE2"] = there["VISCODE"]
    frame["VISDATE"] = (there["EXAMDATE"] + pd.to_timedelta(off, unit="D")).dt.strftime("%Y-%m-%d")
    frame["VSWEIGHT"] = coded(np.where(pounds, kilograms / 0.45359237, kilograms).round(1))
    frame["VSWTUNIT"] = coded(np.where(pounds, 1, 2))
    frame["VSHEIGHT"], frame["VSHTUNIT"] = -4, -4  # taken at the screening visit only
    frame["VSBPSYS"] = coded(rng.normal(135, 16, count).round())
    frame["VSBPDIA"] = coded(rng.normal(75, 9, count).round())
    frame["VSPULSE"] = coded(rng.normal(65, 9, count).round())
    frame["VSRESP"] = coded(rng.normal(16, 2.5, count).round())
    frame["USERDATE"] = frame["VISDATE"]
    gone = rng.random(count) < 0.02  # a form of which every field is -4
    frame.loc[gone, ["VSWEIGHT", "VSWTUNIT", "VSBPSYS", "VSBPDIA", "VSPULSE", "VSRESP"]] = -4
    return frame


def _genotypes(rng: np.random.Generator, people: pd.DataFrame) -> pd.DataFrame:
    """Counts of the allele after the underscore; PHENOTYPE is -9, plink's word for missing."""
    typed = people[rng.random(len(people)) < 0.72]
    others = pd.DataFrame({"PTID": [f"099_S_{number}" for number in range(8000, 8015)], "alleles": 0})
    typed = pd.concat([typed, others], ignore_index=True)
    frame = pd.DataFrame({"FID": typed["PTID"], "IID": typed["PTID"], "PAT": 0, "MAT": 0})
    frame["SEX"] = typed["PTGENDER"].map({"Male": 1, "Female": 2}).fillna(0).astype(int)
    frame["PHENOTYPE"] = -9
    for name, frequency in zip(SNPS, [0.0, 0.07, 0.4, 0.39, 0.36, 0.44]):
        drawn = typed["alleles"].to_numpy() if name == "rs429358_C" else rng.binomial(2, frequency, len(typed))
        frame[name] = pd.Series(drawn).astype("Int64").mask(rng.random(len(typed)) < 0.02)
    return frame


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Writes files in the layout of ADNI's exports, with invented values.")
    parser.add_argument("--out", default=Path(__file__).parent / "exports", help="folder to write to")
    parser.add_argument("--persons", type=int, default=320)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    write(arguments.out, arguments.persons, arguments.seed)
