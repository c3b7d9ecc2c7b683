"""Cohorts whose answer is known, through the study: whether every planted answer comes out.

    python benchmarks/planted_studies.py
    python benchmarks/planted_studies.py --cases interaction,additive --cohorts 3

Each case makes cohorts (``gdsfd.fusion_study.planted``), asks ``gdsfd.study`` of them, and says whether the planted
answer came out (``holds``). One line per case and cohort:

interaction          the outcome follows a product of two modalities: fusion helps, and most of it is interaction. On
                     8,000 patients and five splits: of three cohorts of 2,000 and three splits it came out in one, in
                     one the interval was too wide, and in one a network of 1,200 patients missed the product
additive             it follows their sum: fusion helps, and most of it is additive
useless              a third modality is noise: what it adds to the others lies within .01 of 0, with its interval
permuted             in the additive cohort imaging is dealt out anew (the study's own placebo): likewise
linked missingness   learners train where half of the ill lack imaging and are judged where half of the well do:
                     ``concat`` with its flags falls below .6 and ``multimodn`` stays .1 above it, or more
ordered image        an image is ordered by severity: naive gain .10, weighted and true .05, each within .02
                     (``benchmarks/ordered_images.py``); 100,000 patients: the naive gain among the 5,000 of
                     20,000 who are imaged moves by .01
half the events      a group has half the events and no gap: at most 5 alarms in 100 draws
noisier sensor       a group's sensor is noisier: at least 80 alarms in 100 draws (``benchmarks/planted_fairness.py``)
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ordered_images import judged as judged_image
from planted_fairness import judged_world
from results_line import append_line

import gdsfd
from gdsfd.fusion_study.planted import write_planted

PATIENTS, SEEDS, DRAWS = 2000, 3, 100
#: Where a gain of 0 has to be told from .01: the interval of three splits of 2,000 patients is .08 wide.
MANY_TIMES, MANY_SPLITS = 10, 5
NO_GAIN = 0.01
#: Share of one class that lacks imaging; at .8 the score of those who have it is shifted so far that nobody holds.
LINKED = "hidden in ill 0.5: imaging"
FLIPPED = "hidden in well 0.5: imaging"
SETTINGS: dict[str, Any] = {
    "members": 1,
    "channels": 32,
    "max_epochs": 30,
    "batch_size": 128,
    "learning_rate": 5e-3,
    "patience": 6,
    "details": False,
}


def asked(kind: str, cohort: int, patients: int, seeds: int, **options: Any) -> dict[int, Any]:
    """Answers about a planted cohort, by the question's number."""
    with tempfile.TemporaryDirectory() as folder:
        spec = write_planted(Path(folder) / "exports", kind, patients, cohort)
        done = gdsfd.study(spec, Path(folder) / "study", seeds=seeds, **{**SETTINGS, **options})
        return {answer.number: answer for answer in done.answers}


def question_1(
    kind: str,
    cohort: int,
    patients: int,
    seeds: int,
    learners: Sequence[str] = ("late:fusion=sum", "concat", "boosting"),
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What question 1 says of a planted cohort: for the line, and its tables by contrast or modality."""
    answer = asked(kind, cohort, patients, seeds, questions=(1,), learners=list(learners))[1]
    gains = {row["contrast"]: row for row in answer.facts["gains"]}
    placebo = answer.tables["placebo"].set_index("modality").to_dict("index")
    line = {"sentences": list(answer.sentences), "kind_of_gain": answer.facts["kind_of_gain"]}
    return line, {"gains": gains, "placebo": placebo, "all": next(iter(gains.values()))}


def interaction(cohort: int, patients: int, seeds: int) -> Iterator[dict[str, Any]]:
    patients, seeds = 4 * patients, MANY_SPLITS
    line, found = question_1("interaction", cohort, patients, seeds)
    inter = next(row for name, row in found["gains"].items() if name.startswith("interaction"))
    helps = found["all"]["verdict"] == inter["verdict"] == "better"
    line |= {"patients": patients, "splits": seeds}
    yield {"case": "interaction", "gain": found["all"], "interaction": inter, **line} | {
        "holds": helps and line["kind_of_gain"] == "interaction"
    }


def additive(cohort: int, patients: int, seeds: int) -> Iterator[dict[str, Any]]:
    line, found = question_1("additive", cohort, patients, seeds)
    inter = next(row for name, row in found["gains"].items() if name.startswith("interaction"))
    helps = found["all"]["verdict"] == "better" and inter["verdict"] != "better"
    yield {"case": "additive", "gain": found["all"], "interaction": inter, **line} | {
        "holds": helps and line["kind_of_gain"] == "additive"
    }


def permuted(cohort: int, patients: int, seeds: int) -> Iterator[dict[str, Any]]:
    _, found = question_1("additive", cohort, MANY_TIMES * patients, MANY_SPLITS, ["boosting"])
    placebo = found["placebo"]["imaging"]
    real = found["gains"]["all modalities minus all but imaging"]
    sizes = {"patients": MANY_TIMES * patients, "splits": MANY_SPLITS}
    yield {"case": "permuted", **sizes, "placebo": placebo, "as_it_is": real, "holds": _no_gain(placebo)}


def useless(cohort: int, patients: int, seeds: int) -> Iterator[dict[str, Any]]:
    line, found = question_1("useless", cohort, MANY_TIMES * patients, MANY_SPLITS, ["boosting"])
    noise = found["gains"]["all modalities minus all but notes"]
    sizes = {"patients": MANY_TIMES * patients, "splits": MANY_SPLITS}
    yield {"case": "useless", **sizes, "noise": noise, **line, "holds": _no_gain(noise)}


def _no_gain(row: dict[str, Any]) -> bool:
    """Whether a gain and both ends of its interval lie within .01 of 0, and the plan's rule says so, too."""
    ends = (row["gain"], row["gain_low"], row["gain_high"])
    return max(map(abs, ends)) <= NO_GAIN and row["verdict"] == "no difference"


def linked(cohort: int, patients: int, seeds: int) -> Iterator[dict[str, Any]]:
    learners = ["concat", "multimodn"]
    options: dict[str, Any] = {"questions": (3,), "learners": learners, "retrain": learners}
    answer = asked("linked missingness", cohort, patients, seeds, train_conditions=[LINKED], **options)[3]
    areas = {}
    for name in learners:
        square = answer.tables[f"trained_under_{name}"].set_index("trained under")
        areas[name] = {word: float(square.loc[LINKED, word]) for word in ("natural", LINKED, FLIPPED)}
    fallen, kept = areas["concat"][FLIPPED], areas["multimodn"][FLIPPED]
    yield {"case": "linked missingness", "trained_under": LINKED, "auroc": areas} | {
        "holds": fallen < 0.6 and kept >= fallen + 0.1
    }


def ordered(cohort: int, patients: int, seeds: int) -> Iterator[dict[str, Any]]:
    line = judged_image(cohort, 50 * patients, 30)
    near = (abs(line["naive"]["value"] - 0.10), abs(line["weighted"]["value"] - line["true"]), abs(line["true"] - 0.05))
    yield {"case": "ordered image", **line, "holds": max(near) <= 0.02}


def half_the_events(cohort: int, patients: int, seeds: int) -> Iterator[dict[str, Any]]:
    line = judged_world("half the events", DRAWS, 1000)
    yield {"case": "half the events", **line, "holds": line["alarms"] <= 0.05 * line["draws"]}


def noisier_sensor(cohort: int, patients: int, seeds: int) -> Iterator[dict[str, Any]]:
    line = judged_world("noisier sensor", DRAWS, 1000)
    yield {"case": "noisier sensor", **line, "holds": line["alarms"] >= 0.8 * line["draws"]}


#: Name -> what judges it, given cohort, patients and seeds; and whether its cohorts differ.
CASES: dict[str, tuple[Callable[[int, int, int], Iterator[dict[str, Any]]], bool]] = {
    "interaction": (interaction, True),
    "additive": (additive, True),
    "permuted": (permuted, True),
    "useless": (useless, True),
    "linked missingness": (linked, True),
    "ordered image": (ordered, True),
    "half the events": (half_the_events, False),
    "noisier sensor": (noisier_sensor, False),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", default=",".join(CASES))
    parser.add_argument("--cohorts", type=int, default=1)
    parser.add_argument("--patients", type=int, default=PATIENTS)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    arguments = parser.parse_args()
    for name in arguments.cases.split(","):
        judge, differ = CASES[name]
        for cohort in range(arguments.cohorts if differ else 1):
            for line in judge(cohort, arguments.patients, arguments.seeds):
                line = {"case": line.pop("case"), "cohort": cohort, "seeds": arguments.seeds, **line}
                append_line("planted_studies.jsonl", **line)
                print(line["case"], cohort, "holds" if line["holds"] else "DOES NOT HOLD", line, flush=True)


if __name__ == "__main__":
    main()
