"""The presence picture: inside the page, the same every time, absent where there is nothing to draw."""

from __future__ import annotations

import base64
import re
from types import SimpleNamespace

import pytest

from gdsfd.evaluation.config import EvaluationConfig
from gdsfd.evaluation.report.sections.presence import PresenceSection, presence_picture
from gdsfd.graph.from_cohort import graph_from_cohort
from tests.cohort_factory import make_cohort


@pytest.fixture(scope="module")
def graph():
    return graph_from_cohort(make_cohort(60))


def test_the_same_graph_gives_the_same_picture_with_its_modalities(graph):
    picture = presence_picture(graph)
    assert picture == presence_picture(graph)
    assert "<svg" in picture
    assert not re.search(r"<dc:date>", picture)
    for name in (*graph.schema.names, *sorted(set(graph["patient"].environment))):
        assert f"<!-- {name}" in picture  # matplotlib notes the text of each path


@pytest.mark.parametrize(("modalities", "wide"), [(8, False), (9, True)])
def test_it_stands_in_the_page_as_data(modalities, wide):
    schema = SimpleNamespace(modalities=[None] * modalities)
    page = PresenceSection().render("<svg>é</svg>", schema, EvaluationConfig())
    (data,) = re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', page)
    assert base64.b64decode(data).decode() == "<svg>é</svg>"
    assert ('class="presence wide"' in page) == wide


def test_nobody_has_no_picture():
    assert presence_picture(graph_from_cohort(make_cohort(0))) is None
