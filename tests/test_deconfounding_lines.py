"""What the page of results of deconfounding says and draws follows from the figures."""

from __future__ import annotations

import json
import math
import zlib
from pathlib import Path
from typing import Any

import pytest

from tests.test_documentation import docs_module

arms = docs_module("deconfounding_arms")
fits = docs_module("deconfounding_fits")
pages = docs_module("deconfounding_lines")
plots = docs_module("deconfounding_plot")

MECHANISMS = ("mcar", "mar", "mnar", "mnar_outcome")
RUN = {"commit": "0123456789abcdef", "command": "python benchmarks/x.py", "time": "2026-01-01T10:00:00+00:00"}


def line(arm: str, seed: int, gain: float = 0.0, trained: str = "mnar", **other: Any) -> dict[str, Any]:
    """A fit whose AUROC is ``gain`` above ERM's wherever it was not trained, and as far below where it was."""
    base = 0.7 + 0.01 * seed
    areas = {name: base + (gain if name != trained else -gain) for name in MECHANISMS}
    taken = {"labs": {"test": base - 0.1 + gain, "test_unbiased": base - 0.2}}
    made = {"design": "missingness", "trained": trained, "seed": seed, "backbone": "concat", "arm": arm}
    made |= {"auroc": areas, "unbiased": base + 2 * gain, "without": taken, "only": taken}
    return {**made, "settings": {"max_epochs": 3}, **RUN, **other}


def lines(gains: dict[str, float], seeds: int = 4, trained: tuple[str, ...] = ("mnar",)) -> list[dict[str, Any]]:
    """Fits of several arms; gains wobble by up to four in ten thousand, each arm's in its own way."""
    return [
        line(arm, seed, gain + zlib.crc32(f"{arm} {seed}".encode()) % 100 / 250_000 * (gain != 0), one)
        for one in trained
        for seed in range(seeds)
        for arm, gain in {"none": 0.0, **gains}.items()
    ]


def write(file: Path, found: list[dict[str, Any]]) -> Path:
    file.write_text("".join(json.dumps(each) + "\n" for each in found))
    return file


def study(tmp_path: Path, *given: Any, **other: Any) -> Any:
    (found,) = fits.read_studies([write(tmp_path / "fits.jsonl", lines(*given, **other))])
    return found


def test_figures_of_a_fit():
    found = line("streams", 0, 0.05)
    found["auroc"]["mcar"] = 0.9
    assert fits.figure_of(found, "on mcar") == 0.9
    assert fits.figure_of(found, "alike") == pytest.approx(0.65)
    assert fits.figure_of(found, "elsewhere") == pytest.approx((0.9 + 0.75 + 0.75) / 3)
    assert fits.figure_of(found, "silent") == pytest.approx((0.9 + 0.75) / 2)
    assert fits.figure_of(found, "without labs test") == pytest.approx(0.65)
    assert math.isnan(fits.figure_of(found, "only imaging test"))
    assert math.isnan(fits.figure_of({**found, "auroc": {"mnar": 0.7}}, "elsewhere"))
    assert fits.figure_of({**found, "trained": "mcar"}, "silent") == pytest.approx(0.75)


def test_of_a_fit_made_twice_the_newer_counts_and_half_a_line_is_left_out(tmp_path):
    file = write(tmp_path / "fits.jsonl", [line("none", 0), line("streams", 0, 0.1), line("streams", 0, 0.2)])
    file.write_text(file.read_text() + '{"design": "miss')
    (found,) = fits.read_studies([file, tmp_path / "absent.jsonl"])
    assert found.gap("streams", "none", "mnar", "elsewhere").mean == pytest.approx(0.2)


def test_other_settings_are_another_study(tmp_path):
    found = [line("none", 0), line("streams", 0, settings={"max_epochs": 9})]
    assert len(fits.read_studies([write(tmp_path / "fits.jsonl", found)])) == 2


def test_differences_are_paired_by_seed(tmp_path):
    found = study(tmp_path, {"streams": 0.05})
    found.fits.pop(("mnar", "streams", 3))
    gap = found.gap("streams", "none", "mnar", "elsewhere")
    assert gap.n == 3
    assert gap.low < 0.0502 < gap.high  # gains wobble by up to .0004
    assert gap.high - gap.low < 0.01  # seeds differ by .01 each; pairs do not


def test_the_mean_over_all_mechanisms_takes_seeds_that_have_them_all(tmp_path):
    found = study(tmp_path, {"streams": 0.05}, trained=("mcar", "mnar"))
    found.fits.pop(("mcar", "streams", 0))
    assert found.gap("streams", "none", "all", "elsewhere").n == 3


@pytest.mark.parametrize(("gain", "verdict"), [(0.05, "**kept**"), (-0.05, "**missed**"), (0.0, "**missed**")])
def test_bars(tmp_path, gain, verdict):
    said = pages.bars(study(tmp_path, {"streams": gain, "prototypes": gain, "prototypes:placebo=random": 0.0}))
    assert len(said) == 2 * 3 + 2
    assert all(sentence.endswith(f"is {verdict}.") for sentence in said)
    assert sum("placebo *random*" in sentence for sentence in said) == 2


def test_bars_with_one_seed_are_open(tmp_path):
    said = pages.bars(study(tmp_path, {"streams": 0.05}, seeds=1))
    assert all("open: one seed has no interval" in sentence for sentence in said)
    assert pages.bars(study(tmp_path, {})) == ["Too few fits so far for any difference."]


def test_the_tables(tmp_path):
    gains = {"streams": 0.05, "prototypes": 0.04, "prototypes:placebo=shuffled": 0.01}
    found = lines(gains, trained=("mcar", "mnar"))
    found = [{**each, "guard": "debiased" if each["seed"] else "reference"} for each in found]
    text = pages.missingness_shift(write(tmp_path / "fits.jsonl", found))
    page = "\n".join(text)
    assert "4 seeds; trained under 2, tested under 4 mechanisms." in page
    assert "3 of 4" in page  # the guard
    assert "+0.030 [+0.0" in page  # real minus shuffled
    assert "Modalities taken away: 4 tables" in page
    assert "   * - MNAR by confounder\n     - labs" in page
    widths = _widths(text)
    assert widths
    assert all(len(set(rows)) == 1 for rows in widths)


def test_a_placebo_without_its_real_arm_is_left_out(tmp_path):
    found = study(tmp_path, {"prototypes:placebo=random": 0.0})
    assert pages.placebo_table(found) == []
    assert pages.placebo_pairs(["streams:intervention=1.0", "prototypes:intervention=1.0:placebo=random"]) == []
    assert pages.placebo_pairs(["prototypes:draws=8", "prototypes:draws=8:placebo=random"]) == [
        ("prototypes:draws=8", "prototypes:draws=8:placebo=random")
    ]


@pytest.mark.parametrize(
    ("ablation", "names", "expected"),
    [
        (
            "strata",
            ["prototypes:strata=pattern+cluster", "prototypes", "prototypes:strata=cluster"],
            {"prototypes": ["pattern", "cluster", "pattern × cluster"]},
        ),
        (
            "clusters",
            ["prototypes:strata=pattern+cluster:clusters=16", "prototypes", "prototypes:strata=pattern+cluster"],
            {"prototypes, strata pattern × cluster": ["1", "8", "16"]},
        ),
        (
            "draws",
            ["prototypes:fit=backdoor:estimator=sampled:draws=4", "prototypes:fit=backdoor", "prototypes:draws=4"],
            {"prototypes, estimator sampled, fit backdoor": ["4", "all"]},
        ),
        (
            "update",
            ["prototypes", "prototypes:update=ema:decay=0.9", "prototypes:refit_every=1"],
            {"prototypes": ["refit", "refit, refit every 1", "EMA, decay 0.9"]},
        ),
        (
            "estimator",
            ["prototypes:estimator=nwgm", "none", "prototypes", "streams"],
            {"prototypes": ["exact", "mean centre (nwgm)"]},
        ),
        ("fusion", ["prototypes:fusion=film", "prototypes"], {"prototypes": ["concat", "film"]}),
        (
            "mass",
            ["prototypes:mass=target", "prototypes", "prototypes:mass=uniform"],
            {"prototypes": ["training", "uniform", "target site"]},
        ),
        (
            "intervention",
            ["streams:intervention=1.0", "streams", "prototypes", "streams:intervention=0.5"],
            {"streams": ["0", "0.5", "1"]},
        ),
    ],
)
def test_curves_of_ablations(ablation, names, expected):
    found = arms.curves(names, ablation)
    assert {curve: [point.label for point in points] for curve, points in found.items()} == expected


def test_every_ablation_has_the_default_once():
    names = ["none", "prototypes", "streams", "prototypes:strata=pattern+cluster", "prototypes:mass=uniform"]
    names += ["prototypes:clusters=8:mass=uniform:fusion=concat", "streams:intervention=1.0"]
    for ablation in arms.ABLATIONS:
        for points in arms.curves(names, ablation).values():
            assert sum(point.default for point in points) == 1, ablation


def test_a_setting_that_holds_anyway_makes_no_other_arm():
    assert arms.read_arm("prototypes:refit_every=5:fusion=concat").given == {}
    assert arms.read_arm("streams:intervention=0.0").given == {}


def test_the_sentences_of_an_ablation(tmp_path):
    gains = {"prototypes": 0.04, "prototypes:fusion=film": 0.07, "prototypes:fusion=add": 0.01}
    gains |= {"prototypes:fusion=gate": 0.042}
    file = write(tmp_path / "fits.jsonl", lines(gains))
    text = pages.ablation("fusion", [file, tmp_path / "absent.jsonl"])
    (said,) = [each for each in text if each.startswith("- ")]
    assert "against the default concat: better: film (+0.030" in said
    assert "worse: add (-0.030" in said
    assert "equivalent: gate (+0.002" in said
    ((*rows,),) = _widths(text)
    assert rows == [7] * 5
    assert pages.ablation("mass", [file]) == []


def test_pictures_show_the_means_and_intervals(tmp_path):
    gains = {"prototypes": 0.04, "prototypes:mass=uniform": 0.02, "prototypes:mass=target": 0.06}
    found = study(tmp_path, gains, trained=("mcar", "mnar"))
    figure = plots.plot_ablation([found], "mass")
    panels = figure.axes
    assert [panel.get_title(loc="left") for panel in panels] == [
        "trained under MCAR",
        "trained under MNAR by confounder",
    ]
    assert [text.get_text() for text in panels[0].get_xticklabels()] == ["training", "uniform", "target site"]
    drawn = panels[1].containers[0].lines[0].get_ydata()
    expected = [found.gap(arm, "none", "mnar", "silent").mean for arm in gains]
    assert list(drawn) == pytest.approx(expected)
    (bars,) = panels[1].containers[0].lines[2]
    low, high = bars.get_segments()[0][:, 1]
    gap = found.gap("prototypes", "none", "mnar", "silent")
    assert (low, high) == pytest.approx((gap.low, gap.high))


def test_a_picture_is_the_same_at_every_build(tmp_path):
    found = study(tmp_path, {"prototypes": 0.04, "prototypes:update=ema": 0.02})
    first, second = (plots.svg_of(plots.plot_ablation([found], "update"), "what it shows") for _ in range(2))
    assert first == second
    assert first.startswith('<svg role="img" aria-label="what it shows"')


@pytest.mark.parametrize("ablation", sorted(arms.ABLATIONS))
def test_too_little_makes_no_picture_and_no_error(tmp_path, ablation):
    for number, found in enumerate([[], lines({}), lines({"streams": 0.1}), lines({"prototypes": 0.1}, seeds=1)]):
        file = write(tmp_path / f"{number}.jsonl", found)
        assert plots.plot_ablation(fits.read_studies([file]), ablation) is None
        assert pages.ablation(ablation, [file]) == []
        assert all(isinstance(each, str) for each in pages.missingness_shift(file))
    one = write(tmp_path / "one.jsonl", lines({"prototypes": 0.1, "prototypes:mass=uniform": 0.1}, seeds=1))
    assert plots.plot_ablation(fits.read_studies([one]), "mass") is not None


def test_without_erm_nothing_is_compared(tmp_path):
    found = [
        each
        for each in lines({"streams": 0.1, "prototypes": 0.1, "prototypes:mass=uniform": 0.1})
        if each["arm"] != "none"
    ]
    file = write(tmp_path / "fits.jsonl", found)
    assert plots.plot_ablation(fits.read_studies([file]), "mass") is None
    assert "Too few fits" in "\n".join(pages.missingness_shift(file))


def test_how_fits_were_made(tmp_path):
    file = write(tmp_path / "fits.jsonl", [line("none", 0), line("none", 1, time="2026-01-03", commit="f" * 40)])
    (said,) = pages.fits_made([file])
    assert said == "- ``python benchmarks/x.py`` (2026-01-01 to 2026-01-03; ``01234567``, ``ffffffff``; 2 fits)"
    assert pages.fits_made([tmp_path / "absent.jsonl"]) == ["None yet."]


def _widths(text: list[str]) -> list[list[int]]:
    """The number of cells of each row of each list-table."""
    tables: list[list[int]] = []
    for each in text:
        if each == ".. list-table::":
            tables.append([])
        elif each.startswith("   * -"):
            tables[-1].append(1)
        elif each.startswith("     -"):
            tables[-1][-1] += 1
    return tables
