"""The cohort table of a plan: ids, persons, sites, labels, splits, origins of times."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from tests.cohort.ingestion.plans import CohortPlan

__all__ = ["CohortColumns", "cohort_table", "quoted_sql"]

_NAMES = {
    "plain": "pid person site era sex died other set admitted admitted_utc start use",
    "reserved": "rowid patient order number group train value step minutes row_time minute select",
    "odd": "Patient-ID|who?|the site|år|M/F|dead;alive|a\"b|split, 1|it's|t[0]|100%|in use",
}
_KEYS = ("id", "person", "site", "era", "sex", "died", "other", "set", "admitted", "admitted_utc", "start", "use")
_DAY = pd.Timestamp("2150-01-01 06:30")
_SPLITS = ("train", "train", "train", "test", "tuning", "train", "train", "north hospital", "train", "test")
_SYNONYMS = {"train": ("train", "Training", "TRAIN"), "tuning": ("val", "val"), "test": ("test", "Testing")}


@dataclass
class CohortColumns:
    """What modalities are made from.

    Args:
        ids: The patients' ids.
        names: The cohort's columns by key.
        stays: When each patient's time begins; None = blank.
        starts: The same in minutes.
        keep: As in :class:`~tests.cohort.ingestion.exports.Table`.
        risks: What chance may do to so few patients: ``absent class``.
    """

    ids: list[str]
    names: dict[str, str]
    stays: list[pd.Timestamp | None]
    starts: list[int]
    keep: tuple[str, str] | None = None
    risks: set[str] = field(default_factory=set)


def cohort_table(plan: CohortPlan, random: np.random.Generator) -> tuple[pd.DataFrame, dict[str, Any], CohortColumns]:
    """The table, the fields ``cohort``, ``outcome`` and ``split`` of the spec, and what modalities need."""
    count = plan.patients
    words = _NAMES[plan.names].split("|" if plan.names == "odd" else " ")
    names = dict(zip(_KEYS, words))
    ids = _ids(plan, random)
    persons = [f"p{row // 2 if plan.subjects else row}" for row in range(count)]
    of_person = {person: number for number, person in enumerate(dict.fromkeys(persons))}
    label = [of_person[person] for person in persons]
    stays = [
        None if random.random() < 0.05 else _DAY + pd.Timedelta(minutes=int(random.integers(0, 500_000))) for _ in ids
    ]
    columns = CohortColumns(ids, names, stays, [int(random.integers(0, 300)) for _ in ids])
    classes, outcome = _outcomes(plan, label, names, random)
    split, by_split = _split(plan, label, names, stays, random)
    frame = pd.DataFrame(
        {
            "id": ids,
            "person": [None if plan.subjects and random.random() < 0.05 else person for person in persons],
            "site": random.choice(["north", "south", "Süd, Ost", ""], count, p=[0.3, 0.4, 0.2, 0.1]),
            "era": random.choice(["early", "late"], count),
            "sex": random.choice(["F", "M", ""], count),
            **classes,
            "set": split,
            "admitted": [None if stay is None else str(stay) for stay in stays],
            "admitted_utc": [None if stay is None else f"{stay.isoformat()}+00:00" for stay in stays],
            "start": [str(start) for start in columns.starts],
            "use": random.choice(["y", "y", "y", "n", ""], count) if plan.filtered else "y",
        },
        dtype=object,
    ).replace("", None)
    frame = _dirty(frame, plan, random)
    cohort = {
        "id": names["id"],
        "environment": names["site"] if plan.split == "environment" else [names["site"], names["era"]],
        "groups": [names["sex"]],
    }
    if plan.subjects:
        cohort["subject"] = names["person"]
    if plan.filtered:
        columns.keep = names["use"], "y"
        cohort["where"] = f"{quoted_sql(names['use'])} = 'y'"
    if plan.split in ("environment", "time") or plan.filtered or max(of_person.values()) < 12:
        columns.risks |= {"absent class", "nobody left"}
    if plan.ids == "alike":  # a row of a patient who is left out is near to another's
        columns.risks.add("near id")
    frame = frame.sample(frac=1, random_state=int(random.integers(1 << 30))).reset_index(drop=True)
    frame = frame.astype(object).where(frame.notna(), None)
    return frame.rename(columns=names), {"cohort": cohort, "outcome": outcome, "split": by_split}, columns


def quoted_sql(name: str) -> str:
    """A column's name in SQL."""
    return '"' + name.replace('"', '""') + '"'


def _ids(plan: CohortPlan, random: np.random.Generator) -> list[str]:
    numbers = [int(number) for number in random.permutation(400)[: plan.patients] + 1]
    if plan.ids == "numbers":
        return [str(number) for number in numbers]
    if plan.ids == "zeros":
        return [f"{number:05d}" for number in numbers]
    if plan.ids == "letters":
        return [f"Ä {number}" if number % 7 == 0 else f"P-{number}" for number in numbers]
    # spellings that a careless reader takes for one: each is a patient of its own
    words = ["7", "07", "7.0", "7e0", "+7", "a", "A", "'a'", "true", "1", "01", "1.0", "NA", "nan", "-", "=1+1"]
    words += [f"{number} b" for number in numbers] + ["x" * 900]
    return [*words[: plan.patients - 1], "y" * 990]


def _outcomes(
    plan: CohortPlan, label: list[int], names: dict[str, str], random: np.random.Generator
) -> tuple[dict[str, Any], Any]:
    """The outcomes' columns, and their entries; patients of a person are alike, so that splits keep both classes."""
    words = {
        "words": ["no", "yes"],
        "rest": ["no", "yes"],
        "two": ["no", "yes"],
        "numbers": ["0", "1.0"],
        "truth": ["false", "true"],
        "classes": ["CN", "MCI", "AD"],
    }[plan.outcome]
    died: list[Any] = [words[person % len(words)] for person in label]
    other: list[Any] = [["low", "high"][person // 2 % 2] for person in label]
    for row in range(4, len(died)):  # the first keep their labels, so that both classes are there
        chance = random.random()
        if chance < 0.05:
            died[row] = None
        elif chance < 0.1 and plan.outcome != "truth":
            died[row] = {"numbers": "2", "rest": "transferred"}.get(plan.outcome, random.choice(["NA", "moved"]))
    if plan.dirt == "outcome spelled otherwise":
        died[-1] = {"numbers": "1,0", "truth": "true.", "classes": "cn"}.get(plan.outcome, "YES")
    elif plan.dirt == "outcome that reads as missing":
        died[-1] = "N/A"
    elif plan.dirt == "absent class":
        died = [words[0] if cell == words[1] else cell for cell in died]
    first: dict[str, Any] = {"name": "outcome", "column": names["died"]}
    if plan.outcome == "classes":
        first["classes"] = words
    elif plan.outcome == "truth":
        first |= {"positive": True, "negative": False}
    elif plan.outcome == "numbers":
        first |= {"positive": 1, "negative": ["0"], "missing": [2]}
    else:
        first |= {"positive": words[1]} | ({} if plan.outcome == "rest" else {"negative": words[0]})
    entries = [first]
    if plan.outcome == "two":
        entries.append({"name": "second", "column": names["other"], "positive": "high", "negative": "low"})
    return {"died": died, "other": other}, entries


def _split(
    plan: CohortPlan, label: list[int], names: dict[str, str], stays: list[Any], random: np.random.Generator
) -> tuple[list[Any], dict[str, Any]]:
    """The column of splits or of times, and the entry."""
    seed = int(random.integers(1000))
    if plan.split == "column":
        turn = 4 if max(label) > 8 else 0  # all classes among those who train
        split = [_SPLITS[0] if person < turn else _SPLITS[(person * 7) % 10] for person in label]
        cells: list[Any] = [random.choice(_SYNONYMS.get(name, (name,))) for name in split]
        if plan.dirt == "unclear split name":
            cells[-1] = "development"
        elif plan.dirt == "subject in two splits":
            cells[0], cells[1] = "train", "test"
        elif random.random() < 0.3:
            cells[-1] = None
        return cells, {"kind": "column", "column": names["set"], "seed": seed}
    if plan.split == "time":
        years = random.random() < 0.5
        cells = [
            str(int(random.integers(2000, 2020))) if years else f"21{person + 10}-03-0{row % 9 + 1}"
            for row, person in enumerate(label)
        ]
        if plan.dirt == "unreadable split time":
            cells[0] = str(random.choice(["03/04/2020", "soon", ""]))
        return cells, {"kind": "time", "column": names["set"], "seed": seed}
    cells = [None] * len(label)
    if plan.split == "environment":
        return cells, {"kind": "environment", "holdout": ["north"], "seed": seed}
    if plan.split == "folds":
        return cells, {"kind": "subject", "folds": 4, "fold": int(random.integers(4)), "seed": seed}
    return cells, {"kind": "subject", "fractions": [0.6, 0.2, 0.2], "seed": seed}


def _dirty(frame: pd.DataFrame, plan: CohortPlan, random: np.random.Generator) -> pd.DataFrame:
    if plan.blank_ids:
        frame = pd.concat([frame, frame.tail(2).assign(id=None)], ignore_index=True)
    if plan.dirt == "repeated id":
        again = frame.head(1)
        frame = pd.concat([frame, again if random.random() < 0.5 else again.assign(era="late")], ignore_index=True)
    elif plan.dirt == "endless id":
        frame.loc[0, "id"] = "z" * 1001
    elif plan.dirt == "origin unreadable":
        frame.loc[frame.index[:3], "admitted"] = "31.01.2150"
    return frame
