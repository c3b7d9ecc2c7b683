"""Studies of fusion on real cohorts: the four answers, and whether rankings survive other kinds of missingness.

    python benchmarks/real_studies.py physionet2012 --out studies
    python benchmarks/real_studies.py support2 uci_heart eicu --out studies

PhysioNet 2012 is studied on all of its 4,000 patients and one split, so that intervals allow for the draw of test
patients and not for that of training patients; the others with ``--quick``: at most 2,000 patients, three splits drawn
anew. Each study stands in a folder of its own under ``--out``, goes on where
it stopped, and is private, since it holds predictions of patients. One line per study is appended to
``results/real_studies.jsonl``, with figures of groups alone, and figures of PhysioNet 2012 are copied to
``docs/pictures``. ``docs/study_results.md`` is written from the lines by ``docs/_ext/study_lines.py``.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path
from typing import Any

from results_line import append_line

import gdsfd

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
#: Cohort -> figures that the documentation shows.
PICTURES = {"physionet2012": ("1_gains", "3_hidden_at_random", "3_ranks", "3_conditions")}
LEARNERS = ("late:fusion=sum", "concat", "mmtm", "muse", "multimodn", "boosting", "logistic")
#: Cohort -> how it is studied.
STUDIES: dict[str, dict[str, Any]] = {
    "physionet2012": {
        "learners": LEARNERS,
        "one_split": True,
        "seeds": 1,
        "train_conditions": ("hidden in ill 0.8: chemistry", "dropout 0.5"),
        "retrain": ("concat",),
        "members": 1,
        "max_epochs": 30,
        "learning_rate": 1e-3,
        "patience": 5,
    },
    "support2": {"quick": True},
    "uci_heart": {"quick": True},
    "eicu": {"quick": True},
}
#: Tables that a line keeps; none of them has a row for a group.
TABLES = {
    1: ("gains", "alone", "had_everyone_been_measured"),
    2: ("learners",),
    3: ("in_short", "rank_agreement", "conditions", "presence_alone", "regret"),
    4: ("what_fusion_changes",),
}


def line_of(found: Any, cohort: str) -> dict[str, Any]:
    """What a line says of a study."""
    from gdsfd.comparison.fit_log import plain
    from gdsfd.fusion_study.figures_table import read_facts

    tables = {}
    for answer in found.answers:
        names = [*TABLES[answer.number], *(name for name in answer.tables if name.startswith("trained_under_"))]
        tables |= {
            f"{answer.number}_{name}": answer.tables[name].to_dict("records") for name in names if name in answer.tables
        }
    fits = read_facts(found.folder / "fits.jsonl")
    seconds = sum(each["seconds_with_predictions"] for each in fits)
    return {
        "cohort": cohort,
        "command": f"python benchmarks/real_studies.py {cohort} --out studies",
        "plan": found.plan.hash,
        "planned": plain({**found.plan.to_dict(), "contenders": [each.name for each in found.plan.contenders]}),
        "fits": len(fits),
        "seconds_of_fits": round(seconds),
        "patients": {key: round(sum(each[key] for each in fits) / len(fits)) for key in ("train", "test")},
        "sentences": {str(answer.number): list(answer.sentences) for answer in found.answers},
        "tables": plain(tables),
    }


def _graph_of(spec: Path, folder: Path) -> Path:
    if not folder.exists():
        gdsfd.save_graph(gdsfd.build_graph(spec, progress=False), folder)
    return folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cohorts", nargs="+", choices=sorted(STUDIES))
    parser.add_argument("--out", type=Path, required=True, help="a private folder for the studies")
    parser.add_argument("--jobs", type=int, default=1)
    arguments = parser.parse_args()
    for cohort in arguments.cohorts:
        asked = dict(STUDIES[cohort])
        source = EXAMPLES / f"{cohort}.toml"
        if asked.pop("one_split", False):
            source = _graph_of(source, arguments.out / f"{cohort}_graph")
        found = gdsfd.study(
            source,
            arguments.out / cohort,
            jobs=arguments.jobs,
            on_fit=lambda words, cohort=cohort: print(f"{cohort}: {words}", flush=True),
            **asked,
        )
        append_line("real_studies.jsonl", **line_of(found, cohort))
        for name in PICTURES.get(cohort, ()):
            picture = found.folder / "figures" / f"{name}.svg"
            shutil.copy(picture, ROOT / "docs" / "pictures" / f"study_{cohort}_{name}.svg")
        for answer in found.answers:
            print(answer.number, *answer.sentences)


if __name__ == "__main__":
    main()
