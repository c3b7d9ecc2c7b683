"""Weights undo what the pattern owes to what is always observed, and do nothing where it owes nothing."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gdsfd.errors import InputError
from gdsfd.graph.build import build_graph
from gdsfd.graph.flatten import flatten
from gdsfd.graph.from_cohort import edge_type, graph_from_cohort
from gdsfd.graph.loader import rows_of
from gdsfd.graph.modality_ablation import drop_modalities
from gdsfd.simulation import simulate
from gdsfd.training.suspects.pattern_propensity import PatternPropensity, pattern_propensity
from tests.cohort_factory import make_cohort

N = 3000


def pressure_of(graph) -> np.ndarray:
    """Standardised pressure of every patient; 0 = not measured."""
    chart = graph[edge_type("chart")]
    value = np.full(N, np.nan)
    value[chart.edge_index[0].numpy()] = chart.numeric[:, 1].numpy()
    return np.nan_to_num((value - np.nanmean(value)) / np.nanstd(value))


def graph_where_labs_are_missing(slope: float, seed: int = 0):
    """Labs are missing with log-odds ``slope`` times pressure; chart, diagnosis and note are there, a scan never."""
    splits = ["train"] * (N - 500) + ["test"] * 500
    graph = graph_from_cohort(make_cohort(N, presence=1.0, nobody_has=("scan",), splits=splits))
    chance = 1 / (1 + np.exp(-slope * pressure_of(graph)))
    gone = np.random.default_rng(seed).random(N) < chance
    return drop_modalities(graph, "labs", np.flatnonzero(gone)), gone, chance


def training_rows(graph) -> torch.Tensor:
    """Training patients who have anything (every tenth has nothing)."""
    rows = rows_of(graph, "train")
    return rows[rows % 10 != 3]


def propensity(graph, rows=None, **options) -> PatternPropensity:
    return pattern_propensity(graph, flatten(graph), training_rows(graph) if rows is None else rows, **options)


@pytest.fixture(scope="module")
def driven():
    return graph_where_labs_are_missing(1.5)


def test_weights_are_near_the_true_ones_and_balance_the_covariate(driven):
    graph, gone, chance = driven
    found, rows = propensity(graph), training_rows(graph).numpy()
    assert found.always == ("chart", "diagnosis", "note")
    assert sorted(found.patterns.tolist()) == [[True, False, True, True, False], [True, True, True, True, False]]
    gone, chance, weight = gone[rows], chance[rows], found.weight.double().numpy()[rows]
    true = np.where(gone, gone.mean() / chance, (~gone).mean() / (1 - chance)).clip(max=10)
    assert np.corrcoef(np.log(weight), np.log(true / true.mean()))[0, 1] > 0.95
    assert abs(weight.mean() - 1) < 1e-6
    pressure = pressure_of(graph)[rows]

    def apart(weight: np.ndarray) -> float:
        return float(
            np.average(pressure[gone], weights=weight[gone]) - np.average(pressure[~gone], weights=weight[~gone])
        )

    assert apart(np.ones(len(rows))) > 0.8
    assert abs(apart(weight)) < 0.15
    assert found.cross_entropy_gain > 0.1
    assert found.effective == pytest.approx(weight.sum() ** 2 / (weight**2).sum())
    assert found.effective < len(rows)


def test_a_pattern_that_follows_from_nothing_leaves_all_weights_at_one():
    found = propensity(graph_where_labs_are_missing(0.0)[0])
    assert found.cross_entropy_gain == 0
    assert (found.weight == 1).all()
    assert found.clipped == 0
    assert found.effective == pytest.approx(len(training_rows(graph_where_labs_are_missing(0.0)[0])))


def test_many_columns_for_few_patients_do_not_explain_their_own_pattern():
    """Without cross-fitting 400 columns would tell 200 patients apart perfectly."""
    graph, *_ = graph_where_labs_are_missing(0.0)
    matrix, names = flatten(graph)
    noise = np.random.default_rng(0).normal(size=(N, 400)).astype(np.float32)
    place = names.index("labs (present)")
    table = np.concatenate([matrix[:, :place], noise, matrix[:, place:]], axis=1)
    columns = [*names[:place], *(f"chart.noise{number}" for number in range(400)), *names[place:]]
    found = pattern_propensity(graph, (table, columns), training_rows(graph)[:200])
    assert found.patterns.size(0) == 2
    assert (found.weight == 1).all()


def test_labels_and_other_rows_change_nothing(driven):
    graph, *_ = driven
    rows = training_rows(graph)
    changed = graph.clone()
    changed["patient"].y = 1 - graph["patient"].y
    others = rows_of(graph, "test")
    chart = changed[edge_type("chart")]
    chart.numeric[torch.isin(chart.edge_index[0], others)] = 1e6
    before, after = propensity(graph), propensity(drop_modalities(changed, "labs", others))
    torch.testing.assert_close(after.weight[rows], before.weight[rows], rtol=0, atol=0)
    assert torch.isfinite(after.weight).all()


def test_weights_are_cut(driven):
    graph, *_ = driven
    rows = training_rows(graph)
    free, cut = propensity(graph, clip=1e9), propensity(graph, clip=1.5)
    assert free.clipped == 0
    assert 0 < cut.clipped < 1
    assert cut.weight[rows].mean() == pytest.approx(1)
    ratio = free.weight[rows].double()
    # the same ratios, cut at 1.5 of their own scale, then brought to mean 1
    assert torch.equal(cut.weight[rows].argsort(stable=True)[:100], ratio.argsort(stable=True)[:100])
    share = (cut.weight[rows] >= cut.weight[rows].max() - 1e-6).double().mean()
    assert float(share) == pytest.approx(cut.clipped)
    assert cut.effective > free.effective


def test_nothing_varies():
    graph = graph_from_cohort(make_cohort(200, presence=1.0, splits=["train"] * 200))
    found = propensity(graph)
    assert found.patterns.tolist() == [[True] * 5]
    assert (found.weight == 1).all()


def test_a_rare_pattern_is_merged(driven):
    graph, *_ = driven
    rows = training_rows(graph)
    few = drop_modalities(graph, "note", rows[:20])  # 1 %: the note is still always observed
    assert propensity(few).always == ("chart", "diagnosis", "note")
    some = drop_modalities(graph, "note", rows[:40])
    found = propensity(some)
    assert found.always == ("chart", "diagnosis")
    assert found.patterns[:, 3].all()
    assert len(propensity(some, least=10).patterns) > 2


def test_nothing_always_observed_nobody_and_a_strangers_table(driven):
    graph, *_ = driven
    everyone = rows_of(graph, "train")
    with pytest.raises(InputError, match=r"no modality is present for at least 99% .* is 'chart' with 90\.0%"):
        propensity(graph, everyone)
    assert propensity(graph, everyone, always=0.85).always == ("chart", "diagnosis", "note")
    with pytest.raises(InputError, match="there is no training patient"):
        propensity(graph, everyone[:0])
    (matrix, names), rows = flatten(graph), training_rows(graph)
    with pytest.raises(InputError, match=r"3000 patients .* got 10 rows"):
        pattern_propensity(graph, (matrix[:10], names), rows)
    with pytest.raises(InputError, match="with columns for chart, labs"):
        pattern_propensity(graph, (matrix[:, 1:], names[1:]), rows)


@pytest.mark.parametrize("mechanism", ["mar", "mcar"])
def test_on_the_simulated_cohort(tmp_path, mechanism):
    missing = {"demographics": 0.0, "labs": 0.3, "imaging": 0.3}
    folder = simulate(
        tmp_path / "exports",
        patients=2000,
        mechanism=mechanism,
        modalities=tuple(missing),
        missing=missing,
        informative=("labs", "imaging"),
        seed=1,
    )
    graph = build_graph(folder / "spec.toml", progress=False)
    found = propensity(graph, rows_of(graph, "train"))
    assert found.always == ("demographics",)
    assert (found.cross_entropy_gain > 0) == (mechanism == "mar")
