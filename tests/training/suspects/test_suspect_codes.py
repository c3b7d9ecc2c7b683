"""Codes of suspects: fitted on training rows only, missing values and rare ones."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.graph.loader import rows_of
from gdsfd.training.suspects.outcome_by_suspects import outcome_by_suspects
from gdsfd.training.suspects.suspect_codes import SuspectCodes, suspect_codes
from tests.cohort_factory import make_cohort


@pytest.fixture(scope="module")
def graph():
    return graph_from_cohort(make_cohort(400, presence=0.6))


def every_suspect(graph) -> list[str]:
    words = ["pattern", "environment", "groups", *(f"modality:{name}" for name in graph.schema.names)]
    for modality in graph.schema.modalities:
        columns = (*modality.numeric, *modality.categorical, *modality.items)
        words.extend(f"column:{modality.name}.{column}" for column in columns)
    return words


def test_every_kind_of_suspect_gives_codes_within_its_size(graph) -> None:
    train = rows_of(graph, "train")
    found = suspect_codes(graph, every_suspect(graph), train)
    assert len(found.names) == len(found.sizes) == found.codes.size(1) > 8
    for column, size in enumerate(found.sizes):
        codes = found.codes[train, column]
        assert int(codes.min()) >= 0
        assert int(codes.max()) == size - 1
        assert codes.unique().numel() > 1


def test_labels_and_other_rows_change_nothing(graph) -> None:
    train = rows_of(graph, "train")
    words = every_suspect(graph)
    before = suspect_codes(graph, words, train)
    changed = graph.clone()
    changed["patient"].y = 1 - graph["patient"].y
    test = rows_of(graph, "test")
    for name in graph.schema.names:
        edges = changed["patient", name, "modality"]
        theirs = torch.isin(edges.edge_index[0], test)
        if "numeric" in edges:
            edges.numeric[theirs] = 1e6
        if "vector" in edges:
            edges.vector[theirs] = -1e6
    after = suspect_codes(changed, words, train)
    assert after.names == before.names
    torch.testing.assert_close(after.codes[train], before.codes[train])


def test_missing_values_are_a_code_of_their_own_and_unseen_words_none(graph) -> None:
    train = rows_of(graph, "train")
    numeric = next(modality for modality in graph.schema.modalities if modality.numeric)
    found = suspect_codes(graph, [f"column:{numeric.name}.{numeric.numeric[0]}"], train)
    edges = graph["patient", numeric.name, "modality"]
    without = np.setdiff1d(np.arange(400), edges.edge_index[0].numpy())
    assert (found.codes[without, 0] == 0).all()
    changed = graph.clone()
    test = int(rows_of(graph, "test")[0])
    changed["patient"].environment[test] = "a hospital nobody has heard of"
    assert int(suspect_codes(changed, ["environment"], train).codes[test, 0]) == -1


def test_a_graph_without_environment_leaves_it_out() -> None:
    graph = graph_from_cohort(make_cohort(100, environments=None))
    assert suspect_codes(graph, ["environment"], rows_of(graph, "train")).names == ()


def planted(told: float, total: int = 4000, classes: int = 2) -> tuple[torch.Tensor, SuspectCodes]:
    generator = torch.Generator().manual_seed(0)
    y = torch.randint(0, classes, (total,), generator=generator)
    same = torch.rand(total, generator=generator) < told
    code = torch.where(same, y, torch.randint(0, classes, (total,), generator=generator))
    return y, SuspectCodes(("site",), code.unsqueeze(1), (classes,))


def test_margins_and_weights_are_those_of_the_counts() -> None:
    y, codes = planted(0.6)
    rows = torch.arange(3000)
    found = outcome_by_suspects(y.float().unsqueeze(1), codes, rows, [str(i) for i in range(4000)], 1)
    assert found.cross_entropy_gain[0] > 0.1
    for code in (0, 1):
        here = codes.codes[:3000, 0] == code
        share, overall = y[:3000][here].float().mean(), y[:3000].float().mean()
        expected = torch.logit(share) - torch.logit(overall)
        assert float((found.margin[:3000][here] - expected).abs().max()) < 0.15  # other folds' counts
        raw = torch.where(y[:3000][here] == 1, overall / share, (1 - overall) / (1 - share))
        assert float((found.weight[:3000, 0][here] / raw - 1).abs().max()) < 0.15
    assert abs(float(found.weight[:3000].mean()) - 1) < 1e-4
    weighted = (found.weight[:3000, 0] * (codes.codes[:3000, 0] == y[:3000])).sum() / 3000
    assert abs(float(weighted) - 0.5) < 0.03  # under the weights the code tells nothing


def test_suspects_that_tell_nothing_leave_everything_as_it_is() -> None:
    y, codes = planted(0.0)
    found = outcome_by_suspects(
        y.float().unsqueeze(1), codes, torch.arange(4000), ["p"] * 0 + [str(i) for i in range(4000)], 1
    )
    assert found.cross_entropy_gain == [0.0]
    assert not bool(found.margin.any())
    assert bool((found.weight == 1).all())


def test_multiclass_and_unlabelled() -> None:
    y, codes = planted(0.7, classes=3)
    y = y.clone()
    y[::7] = -1
    found = outcome_by_suspects(y, codes, torch.arange(4000), [str(i) for i in range(4000)], 3)
    assert found.margin.shape == (4000, 3)
    assert found.cross_entropy_gain[0] > 0.1
    assert bool((found.weight[y == -1] == 1).all())
    assert bool(torch.isfinite(found.margin).all())


@pytest.mark.parametrize("kind", ["one label", "few", "nothing labelled", "one code"])
def test_degenerate_training_rows(kind: str) -> None:
    y, codes = planted(0.9, total=200)
    label = y.float().unsqueeze(1)
    if kind == "one label":
        label[:] = 1.0
    elif kind == "few":
        label[8:] = float("nan")
    elif kind == "nothing labelled":
        label[:] = float("nan")
    else:
        codes = SuspectCodes((), torch.zeros(200, 0, dtype=torch.long), ())
    found = outcome_by_suspects(label, codes, torch.arange(200), [str(i) for i in range(200)], 1)
    assert not bool(found.margin.any())
    assert bool((found.weight == 1).all())
