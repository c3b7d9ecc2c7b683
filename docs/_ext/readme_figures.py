"""The README's figures, from the lines of the benchmarks.

    make readme

Writes the section between the two marks anew. A test sees to it that it is that of the stored lines.
"""

from __future__ import annotations

from pathlib import Path
from textwrap import fill

import bench_lines
import deconfounding_fits
import delivered_lines
import guard_lines
import numpy as np
import package_lines
import planted_lines
import result_lines
import streams_lines
import study_lines

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "results"
START, END = "<!-- figures: make readme -->", "<!-- end of figures -->"


def section() -> str:
    """The text between the marks."""
    table, *rest = ranking(), found_strata(), planted(), apart(), real_shifts(), missingness(), studied(), speed()
    return "\n\n".join([table, *(fill(part, 120, break_on_hyphens=False) for part in rest)])


def ranking() -> str:
    """Networks and logistic regression beside boosting, by cohort."""
    lines = result_lines.read_lines(RESULTS / "real_cohorts.jsonl") or []
    found = result_lines.newest(lines, lambda line: (line["cohort"], line["arm"]))
    rows = result_lines.overview_rows(found)
    table = [f"| {' | '.join(row)} |" for row in rows]
    table.insert(1, "|---" * len(rows[0]) + "|")
    words = (
        "**Beside gradient boosting**, AUROC minus boosting's on the same patients and folds, with the defaults, which "
        "were developed on eicu and physionet2012 (`python benchmarks/real_cohorts.py examples/COHORT.toml`; bold: the "
        "95 % interval leaves out 0). That half of a model's networks start from trees was decided on another fold of "
        "each of these cohorts but mimic_iv_24h, so the figures lean to the good side; the latter is a demo of 100 "
        "persons, 15 of whom died, and can show next to nothing:"
    )
    told = (sizes(found), with_half_hidden(found), of_before(found), elsewhere())
    more = [fill(each, 120, break_on_hyphens=False) for each in told if each]
    rest = [line for each in more for line in ("", each)]
    return "\n".join([fill(words, 120, break_on_hyphens=False), "", *table, *rest])


def sizes(found: dict[tuple[str, str], result_lines.Line]) -> str:
    """How many labelled patients (or stays) each cohort has."""
    by_cohort = {cohort: line["patients"] for (cohort, _), line in sorted(found.items())}
    return "Labelled patients or stays: " + ", ".join(f"{name} {count:,}" for name, count in by_cohort.items()) + "."


def with_half_hidden(found: dict[tuple[str, str], result_lines.Line]) -> str:
    """What each arm has where each modality of a test patient is hidden with a chance of one half."""
    cohorts = sorted({cohort for (cohort, _), line in found.items() if "auroc_half_hidden" in line})
    told = []
    for cohort in cohorts:
        arms = {arm: line for (name, arm), line in found.items() if name == cohort and "auroc_half_hidden" in line}
        told.append(f"{cohort}: " + ", ".join(f"{arm} {line['auroc_half_hidden']:.3f}" for arm, line in arms.items()))
    if not told:
        return ""
    return f"Had each modality of a test patient been missing with a chance of one half, AUROC: {'; '.join(told)}."


def elsewhere() -> str:
    """The networks beside their rivals on cohorts on which nothing was chosen."""
    lines = result_lines.read_lines(RESULTS / "package_cohorts.jsonl") or []
    if not lines:
        return ""
    said = [
        package_lines.sentence(lines, arm, rival)
        for arm in ("concat", "muse")
        for rival in (result_lines.REFERENCE, "lightgbm tuned", "logistic")
    ]
    count = len({line["cohort"] for line in lines})
    return (
        f"On {count} cohorts that come with Python packages, on none of which anything was chosen (`python "
        f"benchmarks/package_cohorts.py`), means over cohorts with 95 % intervals: {'; '.join(said)}."
    )


def of_before(found: dict[tuple[str, str], result_lines.Line]) -> str:
    """Which networks in the table were trained before half of them started from boosted trees."""
    networks = [key for key, line in found.items() if key[1] not in result_lines.BASELINES]
    old = [(cohort, arm) for cohort, arm in networks if "auroc_half_hidden" not in found[cohort, arm]]
    by_cohort = {cohort: [arm for name, arm in old if name == cohort] for cohort, _ in old}
    told = "; ".join(f"{cohort}: {', '.join(sorted(arms))}" for cohort, arms in sorted(by_cohort.items()))
    return f"Trained before half of a model's networks started from boosted trees: {told}." if told else ""


def studied() -> str:
    """What the study of fusion said of the first of its cohorts."""
    (line, *_) = study_lines.studies()
    said = line["sentences"]
    return (
        f"**When does fusion help, which fusion, how robust, how fair?** On {study_lines.NAMES[line['cohort']]} "
        f"(`{line['command']}`; other cohorts in `docs/study_results.md`, what follows in `docs/which_model.md`): "
        f"{said['1'][0]} {said['2'][0]} {said['2'][1]} {said['3'][0]} {said['4'][0]}"
    )


def found_strata() -> str:
    """What ``full`` gains over what is declared and over simpler models of found strata; what it leaves alone."""
    lines = result_lines.read_lines(RESULTS / "forced_and_delivered.jsonl") or []
    lines = [line for line in lines if line["backbone"] == "concat"]
    by_design: dict[str, list[result_lines.Line]] = {}
    for line in lines:
        by_design.setdefault(line["design"], []).append(line)
    biased = [own for own in by_design.values() if "boosting_strata" in own[0]["auroc"]]
    nulls = [line for design in delivered_lines.NULLS for line in by_design.get(design, [])]

    def gained(design: str, other: str, split: str = "test_unbiased", arm: str = "full") -> str:
        gaps = delivered_lines.differences(by_design[design], arm, other, split)
        return "{:+.3f} [{:+.3f}, {:+.3f}]".format(*delivered_lines.interval(gaps))

    told = [
        f"{gained('latent', 'none', arm='delivered')} over the same members without debiasing",
        f"{gained('latent', 'margin')} over them beside a margin of the suspects",
        f"{gained('latent', 'logistic_margin')} over logistic regression beside it",
        f"{gained('latent', 'latent_linear')} over a linear average over found strata",
        f"{gained('latent', 'boosting_strata')} over boosting beside them",
    ]
    flipped = gained("latent", "logistic_margin", "test_flipped")
    ahead = sum(
        delivered_lines.differences(own, "full", "boosting_strata", "test_unbiased").mean() > 0 for own in biased
    )
    kinds = sum(each in by_design for each in delivered_lines.NULLS)
    left = sum(line["choice"] == "reference" for line in nulls)
    return (
        "**Where what is declared tells only part of the practice** (simulated, sites tell half of it; `python "
        f"benchmarks/forced_and_delivered.py`, `concat`, two members, one beside trees, {len(by_design['latent'])} "
        "seeds): AUROC of `full`, which looks for strata in the data, where practice no longer goes with the outcome: "
        f"{', '.join(told)}; where practice is turned round, {flipped} over logistic regression beside the margin. It "
        f"is ahead of boosting beside found strata on {ahead} of {len(biased)} designs by the mean. Where there is "
        f"nothing to gain ({len(nulls)} cohorts of {kinds} kinds) the guard "
        f"delivered the network without debiasing in {left}."
    )


def apart() -> str:
    """What the two streams of ``full`` tell, and what training them together would cost."""
    lines = result_lines.read_lines(RESULTS / "streams_apart.jsonl") or []
    head, *rows = streams_lines.apart_rows(lines)
    (row,) = (dict(zip(head, row)) for row in rows if row[0] == "``latent``")
    together = streams_lines.gaps_of(result_lines.read_lines(RESULTS / "forced_and_delivered.jsonl") or [])
    kinds = streams_lines.by_kind(together)
    told = [
        f"{unbiased} and, turned round, {flipped} over the {len(own)} {kind.removeprefix('the ')}"
        for kind, own in kinds.items()
        for unbiased, flipped in [streams_lines.over_designs(own)]
    ]
    return (
        f"**Two streams that lie apart** (the same design; `python benchmarks/streams_apart.py`, {row['seeds']} "
        "seeds): among patients with the same outcome the biased stream of `full` ranks the true practice with "
        f"AUROC {row['practice told by: biased']}, its causal one with {row['practice told by: causal']}, training "
        f"without debiasing with {row['practice told by: ERM']}. Where practice is as in training the two streams' "
        f"log-odds together predict the outcome with {row['AUROC on test: sum']}, training without debiasing with "
        f"{row['AUROC on test: ERM']}. Trained together instead (`streams`) they change the prediction by "
        f"{', by '.join(told)}."
    )


def real_shifts() -> str:
    """The sentences on held-out environments."""
    found, _ = guard_lines.cohort_means(result_lines.read_lines(RESULTS / "real_shifts_trees.jsonl") or [])
    means = [{arm: float(np.mean([each[arm] for each in seeds])) for arm in seeds[0]} for seeds in found.values()]
    several = {name: seeds for name, seeds in found.items() if len(seeds) > 1}
    gaps = {name: np.array([each["full"] - each["none"] for each in seeds]) for name, seeds in several.items()}
    told = [
        f"{guard_lines.NAMES.get(name, name)} {'{:+.3f} [{:+.3f}, {:+.3f}]'.format(*delivered_lines.interval(each))}"
        for name, each in gaps.items()
    ]
    return (
        "**On real environments left out in turn** (hospitals, regions, types of ICU, disease classes; `python "
        "benchmarks/real_shifts.py`, `concat`, the command in `docs/debiasing-results.md`), mean AUROC as delivered: "
        f"{guard_lines.over_cohorts(means)} `full` less its ERM, where there are several seeds: {', '.join(told)}."
    ).replace("``", "`")


def planted() -> str:
    """How often a practice planted among real patients is found, and what that is worth to boosting."""
    lines = planted_lines.draws(result_lines.read_lines(RESULTS / "planted_practice.jsonl") or [])
    found = {
        cohort: ([each["strata"]["used"] for each in lines if (each["cohort"], each["world"]) == (cohort, "practice")])
        for cohort in dict.fromkeys(line["cohort"] for line in lines)
    }
    null = [line["strata"]["used"] for line in lines if line["world"] == "none"]
    told = [f"{guard_lines.NAMES.get(name, name)} {sum(used)} of {len(used)}" for name, used in found.items()]
    text = (
        "**A practice planted among real patients** (their severity, long tails and absences as they are; `python "
        f"benchmarks/planted_practice.py`): it is found beside severity in {', '.join(told)} draws, and where it says "
        f"nothing of the outcome, in {sum(null)} of {len(null)}. {planted_lines.gain_words(lines)} "
        f"{planted_lines.network_words(lines)}"
    )
    return text.rstrip().replace("``", "`")


def missingness() -> str:
    """What adjustment over strata gains under a shift of who is observed."""
    (study,) = deconfounding_fits.read_studies([RESULTS / "missingness_shift.jsonl"])
    said = []
    for words, other in (("training without debiasing", "none"), ("shuffled strata", "prototypes:placebo=shuffled")):
        gaps = [study.gap("prototypes", other, "mnar", figure) for figure in ("elsewhere", "silent")]
        said.append(f"minus {words} {interval(gaps[0])} and {interval(gaps[1])}")
    return (
        "**When who has what shifts** (simulated, presence follows care practice in training; "
        f"`python benchmarks/missingness_shift.py`, {len(study.seeds)} seeds): AUROC of `prototypes` on the mean of "
        f"all other mechanisms, and of those under which presence says nothing of practice: {'; '.join(said)}."
    )


def speed() -> str:
    """A training step of message passing beside plain PyG."""
    lines = result_lines.read_lines(RESULTS / "train_step.jsonl") or []
    mine = [line for line in lines if (line["device"], line["model"]) == ("cpu", "muse")]
    (said,) = [line[2:] for line in bench_lines.train_step(mine) if line.startswith("- gdsfd is") and "PyG;" in line]
    return f"**A training step** of `muse` on {mine[-1]['threads']} CPU threads (`make bench BENCH=step`): {said}"


def interval(gap: object) -> str:
    """A difference with its interval."""
    return deconfounding_fits.gap_text(gap)  # type: ignore[arg-type]


def main() -> None:
    file = ROOT / "README.md"
    before, _, rest = file.read_text(encoding="utf-8").partition(START)
    _, end, after = rest.partition(END)
    if not end:
        raise SystemExit(f"README.md: expected the marks {START} and {END}")
    file.write_text(f"{before}{START}\n\n{section()}\n\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
