"""The picture: right numbers, no text on another, no global state."""

from __future__ import annotations

import itertools

import matplotlib
import numpy as np
import pytest
from matplotlib._pylab_helpers import Gcf
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from gdsfd.errors import InputError
from gdsfd.graph.availability import pattern_table, presence_table
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.graph.plot import plot_presence
from tests.cohort_factory import make_cohort


def texts(figure: Figure) -> list[Text]:
    return [text for axes in figure.axes for text in (*axes.texts, *axes.get_xticklabels()) if text.get_text().strip()]


def rows_of_heat_map(figure: Figure) -> np.ndarray:
    """The numbers in the cells, by position."""
    cells = [text for text in figure.axes[0].texts if type(text) is Text]
    grid = np.empty((round(max(t.get_position()[1] for t in cells)) + 1, 5), dtype=object)
    for text in cells:
        column, row = text.get_position()
        grid[round(row), round(column)] = text.get_text()
    return grid


def test_numbers_of_the_heat_map():
    graph = graph_from_cohort(make_cohort(120))
    shown = rows_of_heat_map(plot_presence(graph))
    table = presence_table(graph).to_numpy()
    assert shown.shape == (4, 5)
    for got, share in zip(shown[1:].ravel(), table.ravel(), strict=True):
        assert got == f"{share * 100:.0f}"


def test_zero_and_hundred_are_said_only_when_exact():
    cohort = make_cohort(400, environments=1)
    one = cohort.observations["note"]
    one.patient, one.vector = one.patient[:1], one.vector[:1]
    many = cohort.observations["scan"]
    many.patient, many.vector = np.arange(399), np.zeros((399, 4), np.float32)
    shown = rows_of_heat_map(plot_presence(graph_from_cohort(cohort)))
    assert shown[0, 3:].tolist() == ["<1", "99"]


def test_patterns_counts_and_the_rest():
    graph = graph_from_cohort(make_cohort(120))
    figure = plot_presence(graph)
    table = pattern_table(graph)
    counts = [text.get_text() for text in figure.axes[2].texts if "%" in text.get_text()]
    assert counts == [f"{row.patients:,}  ({row.share:.1%})" for row in table.head(10).itertuples()]
    rest = table["patients"][10:].sum()
    assert any(
        f"{len(table) - 10} further patterns: {rest} patients" in text.get_text() for text in figure.axes[1].texts
    )


def test_many_environments_are_pooled():
    cohort = make_cohort(300)
    cohort.environment = [f"h{row % 40:02d}" for row in range(300)]
    labels = [text.get_text() for text in plot_presence(graph_from_cohort(cohort)).axes[0].texts]
    assert "15 smaller ones" in labels
    assert sum(label.startswith("h") and label[1:].isdigit() for label in labels) == 25


@pytest.mark.parametrize(
    ("environments", "by", "outcomes"),
    [(3, "environment", "binary"), (60, "environment", "multiclass"), (25, "split", "multilabel")],
)
def test_no_text_stands_on_another(environments, by, outcomes):
    cohort = make_cohort(300, outcomes=outcomes, environments=environments)
    cohort.environment = [f"Hospital of {place}" if "1" in place else place for place in cohort.environment]
    figure = plot_presence(graph_from_cohort(cohort), by=by)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    level = [text for text in texts(figure) if text.get_rotation() == 0]
    boxes = [(text.get_text(), text.get_window_extent(renderer)) for text in level]
    for (one, box), (other, other_box) in itertools.combinations(boxes, 2):
        assert not box.overlaps(other_box), (one, other)


@pytest.mark.parametrize("num_patients", [0, 1, 2])
def test_tiny_graphs(num_patients):
    assert plot_presence(graph_from_cohort(make_cohort(num_patients))).axes


def test_unlabelled_patterns_say_so():
    cohort = make_cohort(60)
    cohort.y[:] = np.nan
    figure = plot_presence(graph_from_cohort(cohort))
    assert [text.get_text() for text in figure.axes[3].texts].count("no label") == 10


def test_names_are_never_read_as_mathematics(tmp_path):
    cohort = make_cohort(60)
    cohort.environment = [r"$\frac{" if row % 2 else r"a$b$\x" for row in range(60)]
    plot_presence(graph_from_cohort(cohort), tmp_path / "picture.png")


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_saves(tmp_path, ending):
    plot_presence(graph_from_cohort(make_cohort(30)), tmp_path / f"picture.{ending}")
    assert (tmp_path / f"picture.{ending}").stat().st_size > 5000


def test_unknown_by():
    with pytest.raises(InputError, match="by='site'"):
        plot_presence(graph_from_cohort(make_cohort(30)), by="site")


def test_pyplot_and_its_settings_are_left_alone():
    before = dict(matplotlib.rcParams)
    plot_presence(graph_from_cohort(make_cohort(20)))
    assert dict(matplotlib.rcParams) == before
    assert Gcf.get_num_fig_managers() == 0
