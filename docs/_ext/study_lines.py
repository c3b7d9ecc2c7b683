"""The page of studies on real cohorts, from the lines of ``benchmarks/real_studies.py``.

    python docs/_ext/study_lines.py

Writes ``docs/study_results.md`` and the tables of ``docs/which_model.md`` anew between their marks. A test sees to it
that they are those of the stored lines.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
LINES = ROOT / "benchmarks" / "results" / "real_studies.jsonl"
PAGE = ROOT / "docs" / "study_results.md"
START, END = "<!-- studies: python docs/_ext/study_lines.py -->", "<!-- end of studies -->"

ADVICE = ROOT / "docs" / "which_model.md"
NETWORKS = ("late:fusion=sum", "concat", "mmtm", "muse", "multimodn")

NAMES = {
    "physionet2012": "PhysioNet 2012",
    "support2": "SUPPORT2",
    "uci_heart": "UCI heart disease",
    "eicu": "eICU demo",
}
QUESTIONS = ("When does fusion help?", "Which fusion?", "How robust against missing modalities?", "How fair?")
#: Figures of a study that stand on the page: name in ``docs/pictures`` -> what it shows.
PICTURES = {
    "1_gains": "What is gained in AUROC; the grey band counts as no difference",
    "3_hidden_at_random": "AUROC with modalities hidden at random, and the floor of boosting trained for it",
    "3_ranks": "Places of learners by what test patients lose, the best on top",
    "3_conditions": "AUROC by what test patients lose",
}
Row = dict[str, Any]


def studies() -> list[Row]:
    """The newest line of each cohort, in the order of :data:`NAMES`."""
    found: dict[str, Row] = {}
    for text in LINES.read_text(encoding="utf-8").splitlines() if LINES.is_file() else ():
        line = json.loads(text)
        found[line["cohort"]] = line
    return [found[name] for name in NAMES if name in found]


def section() -> str:
    """The text between the marks."""
    lines = studies()
    parts = [*across(lines), *(part for line in lines for part in of_cohort(line))]
    return "\n\n".join(parts)


def across(lines: Sequence[Row]) -> list[str]:
    """Whether the order of learners survives, cohort by cohort."""
    rows = []
    for line in lines:
        for row in line["tables"]["3_rank_agreement"]:
            if row["condition"].startswith(("by ", "hidden ", "habits ", "random 0.5", "window ", "cells ")):
                held = (_ends(row, "tau", 2), _ends(row, "tau_random", 2))
                rows.append((NAMES[line["cohort"]], row["condition"], *held))
    return [
        "## Do rankings survive?",
        "Kendall's tau between the order of learners under a condition and the order as patients come, and with\n"
        "half of the modalities hidden at random, with 95 % intervals over draws of subjects. 1: the same order,\n"
        "0: no relation, -1: the reverse.",
        _table(("cohort", "test patients lose", "as they come", "hidden at random"), rows),
    ]


def of_cohort(line: Row) -> list[str]:
    """One cohort's answers, learners and conditions."""
    planned, tables = line["planned"], line["tables"]
    splits = "one seed" if len(planned["seeds"]) == 1 else f"{len(planned['seeds'])} seeds"
    facts = (
        f"{line['patients']['train']:,} patients to train on and {line['patients']['test']:,} to judge by, "
        f"{len(planned['modalities'])} modalities, {splits}, {line['fits']} fits; plan `{line['plan'][:12]}`; "
        f"`{line['command']}`."
    )
    answers = "\n".join(
        f"{number}. **{QUESTIONS[int(number) - 1]}** {' '.join(said)}" for number, said in line["sentences"].items()
    )
    learners = [
        (
            f"`{row['learner']}`",
            _number(row["auroc"]),
            _ends(row, "minus_concat"),
            row["verdict_concat"],
            _ends(row, "minus_boosting"),
            row["verdict_boosting"],
            _number(row["calibration_slope"], 2),
            _number(row["chance_of_being_best"], 2),
        )
        for row in tables["2_learners"]
    ]
    head = ("learner", "AUROC", "minus concat", "", "minus boosting", "", "slope", "chance of being best")
    parts = [f"## {NAMES[line['cohort']]}", facts, answers, _table(head, learners)]
    short = tables["3_in_short"]
    half = next((name for name in ("random 0.5",) if name in short[0]), "natural")
    columns = {
        "as they come": lambda row: _number(row["natural"]),
        "half hidden": lambda row: _number(row[half]),
        "minus boosting, half hidden": lambda row: _ends(row, "hidden_minus_boosting"),
        "largest regret": lambda row: _number(row["largest_regret"]),
        "hidden in ill": lambda row: _number(row.get("hidden in ill 0.5")),
        "hidden in well": lambda row: _number(row.get("hidden in well 0.5")),
        "swing": lambda row: _ends(row, "swing"),
    }
    rows = [(f"`{row['learner']}`", *(cell(row) for cell in columns.values())) for row in short]
    parts.append(_table(("learner", *columns), rows))
    for name in [each for each in tables if each.startswith("3_trained_under_")]:
        columns = list(tables[name][0])
        parts.append(
            f"`{name.removeprefix('3_trained_under_')}`, by what training (down) and test patients (across) lose:"
        )
        parts.append(_table(columns, [[_cell(row[each]) for each in columns] for row in tables[name]]))
    for name, words in PICTURES.items():
        picture = f"study_{line['cohort']}_{name}.svg"
        if (ROOT / "docs" / "pictures" / picture).is_file():
            parts.append(f"![{words}](pictures/{picture})")
    return parts


def advice() -> dict[str, str]:
    """Name of a table of ``which_model.md`` -> the table, cohorts across."""
    lines = studies()
    head = ("", *(NAMES[line["cohort"]] for line in lines))
    short = [{row["learner"]: row for row in line["tables"]["3_in_short"]} for line in lines]

    def row(name: str, cell: Any, of: Sequence[Any] = short) -> tuple[str, ...]:
        return (name, *(cell(each) for each in of))

    def both(learner: str) -> Any:
        return lambda own: f"{_number(own[learner]['natural'])}, {_number(own[learner]['random 0.5'])}"

    def extreme(pick: Any) -> Any:
        gaps = "hidden_minus_boosting"
        return lambda own: _ends(pick((own[name] for name in NETWORKS), key=lambda each: each[gaps]), gaps)

    def networks(figure: str) -> Any:
        def cell(own: dict[str, Row]) -> str:
            values = [own[name][figure] for name in NETWORKS]
            return f"{_number(min(values))} to {_number(max(values))}"

        return cell

    hidden = [
        row("boosting, as they come and with half hidden", both("boosting")),
        row("logistic regression", both("logistic")),
        row("networks, as they come", networks("natural")),
        row("networks, with half hidden", networks("random 0.5")),
        row("networks minus boosting, half hidden, the least", extreme(min)),
        row("the most", extreme(max)),
        row("boosting trained on patients who lose as much", _floor, lines),
    ]
    absence = [
        row(f"`{name}`", lambda own, name=name: _ends(own[name], "swing"))
        for name in ("logistic", "boosting", "concat", "muse")
    ]
    leakage = [line["tables"]["3_presence_alone"][0] for line in lines]
    absence.append(row("who has what, without any value (AUROC)", lambda own: _plain_ends(own, "auroc", 2), leakage))
    orders = [{each["condition"]: each for each in line["tables"]["3_rank_agreement"]} for line in lines]
    conditions = {
        "missing by risk": "by risk 0.5",
        "missing in patients with the outcome": "hidden in ill 0.5",
        "missing in patients without it": "hidden in well 0.5",
    }
    rankings = [row("as patients come", lambda own: _ends(own["random 0.5"], "tau", 2), orders)]
    rankings += [
        row(words, lambda own, name=name: _ends(own[name], "tau_random", 2), orders)
        for words, name in conditions.items()
    ]

    def lowest(own: dict[str, Row]) -> str:
        sites = [each for name, each in own.items() if name.startswith("habits of ")]
        return _ends(min(sites, key=lambda each: each["tau_random"]), "tau_random", 2) if sites else ""

    rankings.append(row("as another site records, the lowest", lowest, orders))
    found = {"hidden": hidden, "absence": absence, "rankings": rankings}
    return {name: _table(head, rows) for name, rows in found.items()}


def _floor(line: Row) -> str:
    """AUROC of boosting retrained for half hidden at random: boosting's, and what it lost by not being so."""
    half, boosting = "random 0.5", {row["learner"]: row for row in line["tables"]["3_in_short"]}["boosting"]
    regrets = {(row["condition"], row["learner"]): row["regret"] for row in line["tables"]["3_regret"]}
    return _number(boosting[half] + regrets[half, "boosting"])


def with_advice(text: str) -> str:
    """The page of advice with its tables anew."""
    for name, table in advice().items():
        start, end = f"<!-- {name}: python docs/_ext/study_lines.py -->", f"<!-- end of {name} -->"
        before, _, rest = text.partition(start)
        text = f"{before}{start}\n\n{table}\n\n{end}{rest.partition(end)[2]}"
    return text


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))


def _cell(value: Any) -> str:
    return value if isinstance(value, str) else _number(value)


def _number(value: float | None, digits: int = 3) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _ends(row: Row, name: str, digits: int = 3) -> str:
    value, low, high = (row.get(f"{name}{end}") for end in ("", "_low", "_high"))
    if value is None:
        return ""
    plain = f"{value:+.{digits}f}"
    return plain if low is None or high is None else f"{plain} [{low:+.{digits}f}, {high:+.{digits}f}]"


def _plain_ends(row: Row, name: str, digits: int) -> str:
    """A figure that is no difference, with its interval."""
    value, low, high = (row.get(f"{name}{end}") for end in ("", "_low", "_high"))
    plain = _number(value, digits)
    return plain if low is None or high is None else f"{plain} [{low:.{digits}f}, {high:.{digits}f}]"


def main() -> None:
    """Writes the section and the tables anew."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(START)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{START}\n\n{section()}\n\n{END}{after}", encoding="utf-8")
    ADVICE.write_text(with_advice(ADVICE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
