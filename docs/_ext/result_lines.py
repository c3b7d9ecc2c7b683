"""Lines of benchmark results as tables and sentences. Every word about a result follows from its figures by a rule.

Needs nothing of Sphinx; writes reStructuredText.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from rst_table import list_table

Line = dict[str, Any]

REFERENCE = "boosting"
BASELINES = (REFERENCE, "boosting+tuning", "lightgbm tuned", "logistic")
MOST_BELOW = 0.010  # AUROC that the better backbone may lie below boosting
MOST_BYTES = 4e9  # peak memory of ingestion, for as many events and patients as these
MOST_EVENTS, MOST_PATIENTS = 20_000_000, 200_000


RESULTS = Path(__file__).parents[2] / "benchmarks" / "results"
#: Tables that are made from another table's lines.
FILES = {"default_parts": "forced_and_delivered", "streams_together": "forced_and_delivered"}


def file_of(name: str) -> Path:
    """The file whose lines a table is made from.

    Example:
        >>> file_of("streams_together").name
        'forced_and_delivered.jsonl'
    """
    return RESULTS / f"{FILES.get(name, name)}.jsonl"


def read_lines(file: Path) -> list[Line] | None:
    """The file's lines, oldest first; None when there is no such file.

    Raises:
        ValueError: A line is no JSON object; says which.
    """
    if not file.is_file():
        return None
    lines = []
    for number, text in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        if not text.strip():
            continue
        try:
            line = json.loads(text)
        except json.JSONDecodeError as error:
            raise ValueError(f"{file.name}, line {number}: not JSON ({error})") from error
        if not isinstance(line, dict):
            raise ValueError(f"{file.name}, line {number}: expected an object, got {type(line).__name__}")
        lines.append(line)
    return sorted(lines, key=lambda line: str(line.get("time", "")))  # lines of a run have that of its first one


def newest(lines: Iterable[Line], key: Callable[[Line], Any]) -> dict[Any, Line]:
    """The last line of each key, keys in the order of their first appearance."""
    found: dict[Any, Line] = {}
    for line in lines:
        found[key(line)] = line
    return found


def real_cohorts(lines: list[Line]) -> list[str]:
    """Table, commands and sentences of every cohort."""
    found = newest(lines, lambda line: (line["cohort"], line["arm"]))
    out = ["AUROC minus boosting on all cohorts; each with its figures below:", "", *overview(found), ""]
    for cohort in sorted({cohort for cohort, _ in found}):
        arms = [line for (name, _), line in found.items() if name == cohort]
        arms.sort(key=lambda line: (line["arm"] in BASELINES, line["arm"]))
        sizes = sorted({f"{line['patients']:,} labelled patients, {line['folds']} folds" for line in arms})
        out += [f".. rubric:: {cohort}", "", f"{'; '.join(sizes)}.", "", *_cohort_table(arms), ""]
        out += [f"- {sentence}" for sentence in cohort_sentences(arms)]
        out += ["", *_commands(arms), ""]
    return out


def overview(found: dict[tuple[str, str], Line]) -> list[str]:
    """AUROC minus boosting by arm and cohort, with its interval; bold where that leaves out 0."""
    return list_table(overview_rows(found))


def overview_rows(found: dict[tuple[str, str], Line]) -> list[list[str]]:
    """The rows of :func:`overview`, its header first."""
    cohorts = sorted({cohort for cohort, _ in found})
    arms = sorted({arm for _, arm in found if arm != REFERENCE}, key=lambda arm: (arm in BASELINES, arm))
    rows = [["arm", *cohorts]]
    for arm in arms:
        cells = []
        for cohort in cohorts:
            line = found.get((cohort, arm))
            cells.append("–" if line is None else _gap_cell(line))
        rows.append([arm, *cells])
    return rows


def _gap_cell(line: Line) -> str:
    low, high = line["auroc_minus_boosting_interval"]
    mean = _signed(line["auroc_minus_boosting"])
    shown = f"**{mean}**" if low > 0 or high < 0 else mean
    return f"{shown} [{_signed(low)}, {_signed(high)}]"


def cohort_sentences(arms: list[Line]) -> list[str]:
    """What the figures of one cohort's arms say."""
    said = [
        difference_sentence(
            line["arm"], line[f"{figure}_minus_boosting"], line[f"{figure}_minus_boosting_interval"], word
        )
        for line in arms
        if line["arm"] != REFERENCE
        for figure, word in (("auroc", "AUROC"), ("auprc", "AUPRC"))
    ]
    backbones = [line for line in arms if line["arm"] not in BASELINES and not math.isnan(line["auroc_minus_boosting"])]
    if backbones:
        best = max(backbones, key=lambda line: line["auroc_minus_boosting"])
        verdict = "kept" if best["auroc_minus_boosting"] >= -MOST_BELOW else "missed"
        said.append(
            f"The bar that the better backbone is at most {MOST_BELOW:.3f} AUROC below {REFERENCE} is **{verdict}**: "
            f"{best['arm']} is at {_signed(best['auroc_minus_boosting'])}."
        )
    if len({(line["command"], line["commit"]) for line in arms}) > 1:
        said.append("The lines are not all of one run; each difference is taken inside its own run.")
    if any(line["dirty"] for line in arms):
        said.append("Commits marked + had changes that were not committed.")
    return said


def difference_sentence(arm: str, difference: float, interval: list[float], figure: str) -> str:
    """One arm beside boosting: above or below only if the interval leaves out 0."""
    low, high = interval
    limits = f"[{_signed(low)}, {_signed(high)}]"
    size = f"{abs(difference):.3f} {figure} (difference {limits})"
    if any(math.isnan(value) for value in (difference, low, high)):
        return f"{arm} could not be compared with {REFERENCE} in {figure}."
    if low > 0:
        return f"{arm} is above {REFERENCE} by {size}."
    if high < 0:
        return f"{arm} is below {REFERENCE} by {size}."
    return f"{arm} and {REFERENCE} cannot be told apart in {figure}: {_signed(difference)} {limits}."


def small_cohort_choices(lines: list[Line]) -> list[str]:
    """Table, commands and sentences of every cohort and backbone."""
    found = newest(lines, lambda line: (line["cohort"], line["backbone"], line["arm"]))
    out = []
    for cohort, backbone in dict.fromkeys((cohort, backbone) for cohort, backbone, _ in found):
        arms = [line for (name, used, _), line in found.items() if (name, used) == (cohort, backbone)]
        rows = [["arm", "tuning log loss, nats", "minus default", "tuning AUROC", "s per fit", "load", "commit"]]
        for line in arms:
            gap = line["tuning_loss_difference"]
            low, high = gap["interval"]
            shown = f"{gap['mean']:+.4f} [{low:+.4f}, {high:+.4f}]" if line["arm"] != line["reference"] else "0"
            figures = [f"{line['tuning_loss']:.4f}", shown, f"{line['tuning_auroc']:.3f}"]
            rows.append([line["arm"], *figures, f"{line['seconds']:.1f}", f"{line['load']:g}", commit_words(line)])
        title = f"{cohort}, {backbone}, {arms[0]['folds']} folds, {arms[0]['seeds']} seed(s)"
        out += [f".. rubric:: {title}", "", *list_table(rows), ""]
        out += [f"- {choice_sentence(line)}" for line in arms if line["arm"] != line["reference"]]
        out += ["", *_commands(arms), ""]
    return out


def choice_sentence(line: Line) -> str:
    """Whether an arm's tuning loss is told apart from the default's."""
    low, high = line["tuning_loss_difference"]["interval"]
    if math.isnan(low) or math.isnan(high):
        return f"{line['arm']} could not be compared."
    if high < 0:
        return f"{line['arm']} has a lower loss than the default."
    if low > 0:
        return f"{line['arm']} has a higher loss than the default."
    return f"{line['arm']} cannot be told apart from the default here."


def ingest(lines: list[Line]) -> list[str]:
    """Table, commands and sentences of every size and way of measuring."""
    found = newest(lines, lambda line: (_measured(line), _size(line), line["contestant"]))
    out = []
    for measured, size in dict.fromkeys((measured, size) for measured, size, _ in found):
        pair = [line for (way, shape, _), line in found.items() if (way, shape) == (measured, size)]
        events, patients = size
        out += [f".. rubric:: {events:,} events of {patients:,} patients, {measured}", "", *_ingest_table(pair), ""]
        out += [f"- {sentence}" for sentence in ingest_sentences({line["contestant"]: line for line in pair})]
        out += ["", *_commands(pair), ""]
    return out


def ingest_sentences(pair: dict[str, Line]) -> list[str]:
    """What the figures of the two contestants say."""
    if not {"gdsfd", "pandas"} <= pair.keys():
        return [f"Only {' and '.join(pair)} was measured: nothing to compare."]
    mine, other = pair["gdsfd"], pair["pandas"]
    ratio = f"{mine['seconds']:.1f} s against {other['seconds']:.1f} s, {mine['seconds'] / other['seconds']:.2f} times"
    if mine["seconds_high"] < other["seconds_low"]:
        said = [f"gdsfd is faster than pandas: {ratio} as long."]
    elif mine["seconds_low"] > other["seconds_high"]:
        said = [f"gdsfd is slower than pandas: {ratio} as long."]
    else:
        said = [f"The spreads overlap: no difference in time ({ratio} as long)."]
    less = "less" if mine["peak_bytes"] < other["peak_bytes"] else "no less"
    said.append(
        f"gdsfd takes {less} memory than pandas at the peak: {_gigabytes(mine)} against {_gigabytes(other)} GB."
    )
    if mine["shape"]["events"] >= MOST_EVENTS and mine["shape"]["patients"] >= MOST_PATIENTS:
        verdict = "kept" if mine["peak_bytes"] < MOST_BYTES else "missed"
        said.append(f"The bar of {MOST_BYTES / 1e9:.0f} GB is **{verdict}**.")
    busy = [line for line in pair.values() if line["load"] > line["threads"] / 2]
    if busy:
        said.append(
            f"The machine was busy with other work (load {busy[0]['load']} before the run): the times are rough."
        )
    return said


def _cohort_table(arms: list[Line]) -> list[str]:
    header = ["arm", "AUROC", "AUPRC", "AUROC minus boosting", "AUPRC minus boosting", "s per fold", "load", "commit"]
    rows = [header]
    for line in arms:
        rows.append([line["arm"], *(f"{line[figure]:.3f} {_interval(line, figure)}" for figure in ("auroc", "auprc"))])
        for figure in ("auroc", "auprc"):
            gap = f"{figure}_minus_boosting"
            shown = f"{_signed(line[gap])} {_interval(line, gap, _signed)}" if line["arm"] != REFERENCE else "0"
            rows[-1].append(shown)
        rows[-1] += [f"{line['seconds']:.1f}", f"{line['load']:g}", commit_words(line)]
    return list_table(rows)


def _ingest_table(pair: list[Line]) -> list[str]:
    rows = [["contestant", "seconds, median [quartiles]", "peak, GB", "runs", "threads", "load", "commit"]]
    for line in pair:
        seconds = f"{line['seconds']:.1f} [{line['seconds_low']:.1f}, {line['seconds_high']:.1f}]"
        counts = [str(line["repetitions"]), str(line["threads"]), f"{line['load']:g}"]
        rows.append([line["contestant"], seconds, _gigabytes(line), *counts, commit_words(line)])
    return list_table(rows)


def _commands(lines: list[Line]) -> list[str]:
    shown = dict.fromkeys((line["command"], str(line["time"])[:10]) for line in lines)
    return [f"``{command}`` ({day})\n" for command, day in shown]


def commit_words(line: Line) -> str:
    """The commit of a line, with a + where it had changes that were not committed."""
    return f"``{line['commit'][:8]}``{' +' if line['dirty'] else ''}"


def _interval(line: Line, name: str, shown: Callable[[float], str] = "{:.3f}".format) -> str:
    low, high = line[f"{name}_interval"]
    return f"[{shown(low)}, {shown(high)}]"


def _signed(value: float) -> str:
    return f"{value:+.3f}"


def _gigabytes(line: Line) -> str:
    return f"{line['peak_bytes'] / 1e9:.2f}"


def _measured(line: Line) -> str:
    ways = {"work": "the aggregation alone", "process": "the whole process"}
    return ways[line.get("measures", "work")]


def _size(line: Line) -> tuple[int, int]:
    return line["shape"]["events"], line["shape"]["patients"]
