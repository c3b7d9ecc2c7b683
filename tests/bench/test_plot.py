"""Lines as pictures."""

from __future__ import annotations

import pytest

from gdsfd.bench.plot import plot_bars, plot_bench, plot_sweep
from tests.bench.lines import line


def test_three_values_of_a_size_are_curves_and_fewer_bars(tmp_path):
    many = [line(name, patients) for name in ("auto", "plain pyg") for patients in (1000, 10_000, 100_000)]
    curves = plot_bench(many, tmp_path / "curves.svg")
    (panel,) = curves.axes
    assert panel.get_xscale() == "log"
    assert panel.get_xlabel() == "patients"
    assert [text.get_text() for text in panel.get_legend().get_texts()] == ["auto", "plain pyg"]
    rates = panel.lines[0].get_ydata()
    assert rates[0] == pytest.approx(3000 / 0.02 / 1e6)
    bars = plot_bench(many[:2], tmp_path / "bars.png")
    assert len(bars.axes) >= 2
    assert (tmp_path / "curves.svg").read_text().startswith("<?xml")
    assert (tmp_path / "bars.png").stat().st_size > 1000


def test_bars_stand_by_time_the_fastest_on_top():
    figure = plot_bars([line("a", seconds=0.1), line("b", seconds=0.3), line("c", seconds=0.2)])
    assert [text.get_text() for text in figure.axes[0].get_yticklabels()] == ["b", "c", "a"]


def test_a_sweep_over_density_is_on_a_linear_axis():
    lines = []
    for density in (0.1, 0.5, 0.9):
        lines.append(line("auto"))
        lines[-1]["shape"] = {**lines[-1]["shape"], "density": density}
    assert plot_sweep(lines, "density").axes[0].get_xscale() == "linear"
