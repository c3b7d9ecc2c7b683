"""What the page on message passing says follows from the figures."""

from __future__ import annotations

from typing import Any

import pytest

from tests.test_documentation import docs_module

pages = docs_module("bench_lines")

STAMP = {"commit": "0123456789ab", "dirty": False, "load": 0.1, "threads": 2, "processor": "Some CPU", "device": "cpu"}
STAMP |= {"command": "gdsfd bench", "time": "2026-01-01T00:00:00+00:00", "dtype": "float32"}


def line(contestant: str, seconds: float, step: float, mode: str = "forward+backward", **other: Any) -> dict[str, Any]:
    shape = {"patients": 20_000, "modalities": 5, "density": 0.6, "channels": 128, "layers": 2, "edges": 60_000}
    made = {"contestant": contestant, "mode": mode, "part": "encoder", "shape": shape, "step_bytes": step}
    made |= {"seconds": seconds, "seconds_low": 0.95 * seconds, "seconds_high": 1.05 * seconds, "repetitions": 9}
    made |= {"speedup_over_plain": 1 / seconds, "times_bare_products": seconds / 0.2, "peak_bytes": step + 5e8}
    made |= {"bytes_per_second": 1e9, "copy_bytes_per_second": 2e10, "matrix_flops_per_second": 2e11, "copy_share": 0.1}
    return {**made, **STAMP, **other}


def members(mine: float, memory: float, **other: Any) -> dict[tuple[str, str, str], dict[str, Any]]:
    lines = [line("plain pyg", 1.0, 1e9), line("auto", mine, memory, **other), line("segment", 0.9, 5e8)]
    return {(each["part"], each["mode"], each["contestant"]): each for each in lines}


@pytest.mark.parametrize(
    ("seconds", "memory", "said"),
    [
        (0.25, 4e8, ["4.00 times as fast as plain PyG; the bar of 3 is **kept**", "40% of plain PyG's own memory"]),
        (0.25, 4e8, ["1.25 times as long as the bare matrix products; the bar of 2.0 is **kept**"]),
        (0.5, 4e8, ["2.00 times as fast as plain PyG; the bar of 3 is **missed**"]),
        (0.5, 4.6e8, ["the bar of 45% is **missed**", "bare matrix products; the bar of 2.0 is **missed**"]),
        (0.98, 4e8, ["The spreads of auto and plain PyG overlap (1.02 times as fast): no difference."]),
    ],
)
def test_bars_are_kept_or_missed_by_the_figures(seconds, memory, said):
    text = " ".join(pages.shape_sentences(members(seconds, memory)))
    for sentence in said:
        assert sentence in text
    assert "busy" not in text


def test_a_backend_that_beats_auto_is_named_and_a_busy_machine_told():
    text = " ".join(pages.shape_sentences(members(0.97, 4e8, load=3.0, seconds_low=0.96)))
    assert "segment is faster than auto here" in text
    assert "busy with other work (load 3.0 before)" in text


def test_the_page_has_a_table_per_shape_and_says_that_no_gpu_was_measured():
    lines = [
        *members(0.25, 4e8).values(),
        line("auto", 0.1, 0.0, mode="forward"),
        line("plain pyg", 0.3, 0.0, "forward"),
    ]
    toward = {"part": "aggregate toward hubs"}
    lines += [line("pyg", 0.1, 0.0, "forward", **toward), line("pyg", 0.2, 0.0, **toward)]
    text = "\n".join(pages.message_passing(lines))
    assert ".. rubric:: 20,000 patients x 5 hubs, density 0.6, 128 channels, 2 layers, float32, Some CPU" in text
    assert "250 [237, 262] ms" in text
    assert "aggregate toward hubs" in text
    assert "No figure of a GPU has been measured yet" in text
    gpu = [{**each, "device": "cuda", "processor": "Some GPU"} for each in lines]
    assert "No figure of a GPU" not in "\n".join(pages.message_passing([*lines, *gpu]))


def test_a_training_step_has_its_own_bar():
    shape = {"patients": 8192, "modalities": 3, "density": 0.6, "channels": 128, "layers": 2, "batch": 512}
    other: dict[str, Any] = {"shape": shape, "model": "muse", "patients_per_second": 1.0}
    lines = [line("plain pyg", 1.0, 1e8, **other), line("gdsfd", 0.3, 1e8, **other)]
    text = "\n".join(pages.train_step(lines))
    assert "gdsfd is 3.33 times as fast as plain PyG; the bar of 5 is **missed**" in text
    assert "muse, batches of 512 patients, 3 modalities" in text
    assert "nothing to compare" in "\n".join(pages.train_step(lines[:1]))


@pytest.mark.parametrize(
    ("seconds", "kept"),
    [
        (0.5, "2.00 times ERM's step; the bar of 2.6 is **kept**"),
        (0.75, "3.00 times ERM's step; the bar of 2.6 is **missed**"),
    ],
)
def test_two_streams_are_set_against_erm(seconds, kept):
    shape = {"patients": 8192, "modalities": 3, "density": 0.6, "channels": 128, "layers": 2, "batch": 512}
    other: dict[str, Any] = {"shape": shape, "model": "streams", "patients_per_second": 1.0}
    erm = line("gdsfd, ERM", 0.25, 1e8, **other)
    del erm["speedup_over_plain"]
    text = "\n".join(
        pages.train_step([line("plain pyg", 1.0, 1e8, **other), line("gdsfd", seconds, 1e8, **other), erm])
    )
    assert f"gdsfd is {1 / seconds:.2f} times as fast as plain PyG." in text  # no bar was set
    assert kept in text
    assert "as fast as gdsfd" not in text


@pytest.mark.parametrize(
    ("peak", "ratio", "said"),
    [
        (9e9, 1.1, ["9.0 GB in all; the bar of 12 GB is **kept**", "1.10 times", "1.3 is **kept**"]),
        (13e9, 1.4, ["13.0 GB in all; the bar of 12 GB is **missed**", "1.40 times", "1.3 is **missed**"]),
    ],
)
def test_a_million_patients(peak, ratio, said):
    def whole(patients: int, contestant: str, **figures: Any) -> dict[str, Any]:
        shape = {
            "patients": patients,
            "modalities": 5,
            "density": 0.6,
            "channels": 128,
            "layers": 2,
            "edges": 3 * patients,
        }
        return line(contestant, 5.0, 1e9, "full graph", shape=shape, edges_per_second=1e6, **figures)

    lines = [whole(100_000, "auto", cost_per_edge_ratio=1.0), whole(100_000, "plain pyg", cost_per_edge_ratio=1.0)]
    lines.append(whole(1_000_000, "auto", cost_per_edge_ratio=ratio, peak_bytes=peak))
    one = line("gdsfd", 0.002, 0.0, "one patient", patients_per_second=500.0)
    text = "\n".join(pages.inference([*lines, one]))
    for sentence in said:
        assert sentence in text
    assert "one patient" in text


def test_curves_take_the_newest_line_of_each_point():
    plot = docs_module("bench_plot") if _has_docutils() else None
    if plot is None:
        pytest.skip("docutils comes with the documentation's extra")
    old, new = line("auto", 1.0, 0.0), line("auto", 2.0, 0.0, time="2026-02-01T00:00:00+00:00")
    other = line("reference", 1.0, 0.0)
    wide = line("auto", 3.0, 0.0)
    wide["shape"] = {**wide["shape"], "modalities": 6}
    assert plot.chosen_lines([old, new, other, wide], "patients") == [new]


def _has_docutils() -> bool:
    import importlib.util

    return all(importlib.util.find_spec(name) for name in ("docutils", "sphinx"))


def test_whole_trainings_by_two_commits_stand_below_each_other():
    shared = {"cohort": "eicu", "backbone": "muse", "debias": "none", "epochs": 4, **STAMP}
    before = {"trained_by": "a" * 40, "seconds": 80.0, "seconds_of_epochs": 60.0, "times_as_fast": 1.0}
    after = {"trained_by": "b" * 40, "seconds": 20.0, "seconds_of_epochs": 10.0, "times_as_fast": 4.0}
    lines = [
        {**shared, **before, "times_as_fast_per_epoch": 1.0},
        {**shared, **after, "times_as_fast_per_epoch": 6.0},
    ]
    text = "\n".join(pages.train_command(lines))
    assert "``aaaaaaaa``\n     - 4\n     - 80 s\n     - 15.0 s\n     - 1.0, 1.0" in text
    assert "``bbbbbbbb``\n     - 4\n     - 20 s\n     - 2.5 s\n     - 4.0, 6.0" in text
