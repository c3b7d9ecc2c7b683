"""Lines on a practice planted among real patients, as a table of reStructuredText."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from guard_lines import NAMES
from result_lines import Line, commit_words, newest
from rst_table import list_table

TRUE_U = "logistic, margin of the true U"
#: Arms in the order of the table, those that are not there left out.
ARMS = ("none", "full", "boosting", "logistic_margin", "boosting_margin", "latent_linear", "boosting_strata", TRUE_U)
WORLDS = {"practice": "goes with the outcome", "none": "says nothing of it"}


def draws(lines: Sequence[Line]) -> list[Line]:
    """The newest line of each cohort, world and seed."""
    return [*newest(lines, lambda line: (line["cohort"], line["world"], line["seed"])).values()]


def planted_rows(lines: Sequence[Line]) -> list[list[str]]:
    """One row per cohort and world: cohorts in which a practice was found, and AUROC unbiased / turned round."""
    found = draws(lines)
    arms = [arm for arm in ARMS if any(arm in line["auroc"] for line in found)]
    rows = [["patients of", "the practice", "seeds", "found", *(f"``{arm}``" for arm in arms)]]
    for cohort, world in dict.fromkeys((line["cohort"], line["world"]) for line in found):
        own = [line for line in found if (line["cohort"], line["world"]) == (cohort, world)]
        used = sum(line["strata"]["used"] for line in own)
        cells = [_mean(own, arm) for arm in arms]
        rows.append([NAMES.get(cohort, cohort), WORLDS[world], str(len(own)), f"{used} of {len(own)}", *cells])
    return rows


def _mean(lines: Sequence[Line], arm: str) -> str:
    areas = [line["auroc"][arm] for line in lines if arm in line["auroc"]]
    if not areas:
        return "–"
    means = (np.mean([each[split] for each in areas]) for split in ("test_unbiased", "test_flipped"))
    return " / ".join(f"{mean:.3f}".lstrip("0") for mean in means)


def gain_words(lines: Sequence[Line], arm: str = "boosting_strata", other: str = "boosting_margin") -> str:
    """What strata give beside the margin in the cohorts in which they are found; the margin is used in the others."""
    own = [line for line in draws(lines) if line["world"] == "practice"]
    used = [line["auroc"] for line in own if line["strata"]["used"]]
    words = []
    for split, name in (("test_unbiased", "unbiased"), ("test_flipped", "turned round")):
        gaps = [each[arm][split] - each[other][split] for each in used]
        words.append(f"{np.mean(gaps):+.3f} ({min(gaps):+.3f} to {max(gaps):+.3f}) {name}")
    return (
        f"``{arm}`` less ``{other}`` in the {len(used)} of {len(own)} draws in which a practice that goes with the "
        f"outcome is found: {', '.join(words)}; in the others the margin of the suspects is what there is."
    )


def network_words(lines: Sequence[Line]) -> str:
    """What ``full`` gives over the same network without debiasing, as the guard delivers it; nothing without lines."""
    own = [line for line in draws(lines) if line["world"] == "practice" and "delivered" in line["auroc"]]
    if not own:
        return ""
    backbones = ", ".join(sorted({f"``{line['backbone']}``" for line in own}))
    words = []
    for split, name in (("test_unbiased", "unbiased"), ("test_flipped", "turned round")):
        gaps = [line["auroc"]["delivered"][split] - line["auroc"]["none"][split] for line in own]
        words.append(f"{np.mean(gaps):+.3f} ({min(gaps):+.3f} to {max(gaps):+.3f}) {name}")
    chosen = sum(line["choice"] == "debiased" for line in own)
    return (
        f"Networks ({backbones}, two members, one beside trees): what the guard delivers less the same network without "
        f"debiasing over {len(own)} draws of {_names(own)}: {', '.join(words)}; it delivered ``full`` in {chosen}."
    )


def _names(lines: Sequence[Line]) -> str:
    return ", ".join(dict.fromkeys(NAMES.get(line["cohort"], line["cohort"]) for line in lines))


def planted_practice(lines: list[Line]) -> list[str]:
    """The table, a sentence, and where the lines are from."""
    commits = ", ".join(sorted({commit_words(line) for line in draws(lines)}))
    words = [words for words in (gain_words(lines), network_words(lines)) if words]
    return [*list_table(planted_rows(lines)), "", f"{' '.join(words)} Commit {commits}.", ""]
