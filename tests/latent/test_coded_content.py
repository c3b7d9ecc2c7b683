from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from gdsfd.latent.coded_content import code_components, outcome_components, scaled_by_share, written_columns
from tests.cohort_factory import make_cohort


def flags(size: int, codes: int, lean: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Codes that a class of half the patients writes more or less often, and the class."""
    rng = np.random.default_rng(seed)
    u = rng.integers(0, 2, size)
    share = np.linspace(0.1, 0.4, codes)
    odds = np.log(share / (1 - share)) + lean * np.where(np.arange(codes) % 2, 1, -1) * (2 * u[:, None] - 1)
    return (rng.random((size, codes)) < 1 / (1 + np.exp(-odds))).astype(float), u


def words(columns: np.ndarray, levels: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """One column per word of each category [n, C], and which belong together."""
    written = (columns[:, :, None] == np.arange(levels)).reshape(len(columns), -1).astype(float)
    return written, np.repeat(np.arange(columns.shape[1]), levels)


def scaled(written: np.ndarray, owner: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    kept, share, scale = scaled_by_share(written, owner)
    return np.nan_to_num((written[:, kept] - share) / scale), owner[kept]


def test_what_many_codes_have_in_common_is_a_component_that_tells_the_class_apart():
    written, u = flags(1500, 20, 0.6)
    z, owner = scaled(written, np.arange(20))
    weights = code_components(z, owner)
    assert weights.shape == (20, 1)
    component = z @ weights[:, 0]
    assert component.std() == pytest.approx(1.0, abs=1e-6)
    area = roc_auc_score(u, component)
    knowing = roc_auc_score(u, written @ np.where(np.arange(20) % 2, 1.0, -1.0))  # Bayes: all codes lean alike
    assert max(area, 1 - area) > knowing - 0.01 > 0.9
    assert max(abs(roc_auc_score(u, column) - 0.5) for column in written.T) < 0.25  # no single code does


@pytest.mark.parametrize("seed", range(10))
def test_noise_gives_none(seed):
    rng = np.random.default_rng(seed)
    written = (rng.random((800, 40)) < rng.uniform(0.02, 0.9, 40)).astype(float)
    assert code_components(*scaled(written, np.arange(40))).shape[1] == 0
    assert code_components(*scaled(*words(rng.integers(0, 3, (800, 8))))).shape[1] == 0


def test_two_codes_for_one_thing_are_none_but_categories_that_go_together_are():
    """That the words of one category exclude each other is nothing that columns have in common."""
    rng = np.random.default_rng(0)
    u = rng.integers(0, 2, 2000)
    habits = np.where(rng.random((2000, 4)) < 0.5, 2 * u[:, None], rng.integers(0, 3, (2000, 4)))
    z, owner = scaled(*words(habits))
    weights = code_components(z, owner)
    assert weights.shape[1] >= 1
    area = roc_auc_score(u, z @ weights[:, 0])
    assert max(area, 1 - area) > 0.9
    one = rng.integers(0, 3, (2000, 1))
    lone = np.concatenate([one, rng.integers(0, 3, (2000, 3))], axis=1)
    assert code_components(*scaled(*words(lone))).shape[1] == 0


def test_independent_columns_spread_alike_in_every_direction():
    rng = np.random.default_rng(1)
    codes = (rng.random((40_000, 5)) < [0.05, 0.2, 0.5, 0.7, 0.9]).astype(float)
    z, _ = scaled(codes, np.arange(5))
    assert np.linalg.eigvalsh(np.cov(z.T)) == pytest.approx(np.ones(5), abs=0.06)
    z, _ = scaled(*words(rng.choice(3, (40_000, 2), p=[0.6, 0.3, 0.1])))
    assert np.sort(np.linalg.eigvalsh(np.cov(z.T)))[2:] == pytest.approx(np.ones(4), abs=0.06)


def test_rare_codes_and_those_that_all_have_are_left_out_and_the_frequent_ones_kept(monkeypatch):
    rng = np.random.default_rng(2)
    written = (rng.random((5000, 5)) < [0.005, 0.1, 0.3, 0.5, 0.995]).astype(float)
    written[:, 2][:100] = np.nan
    kept, share, _ = scaled_by_share(written, np.arange(5))
    assert kept.tolist() == [1, 2, 3]
    assert share[1] == pytest.approx(np.nanmean(written[:, 2]))  # of those measured
    monkeypatch.setattr("gdsfd.latent.coded_content.MOST_CODES", 2)
    assert scaled_by_share(written, np.arange(5))[0].tolist() == [2, 3]


def test_few_patients_or_one_column_give_none():
    written, _ = flags(90, 20, 2.0)
    assert code_components(*scaled(written, np.arange(20))).shape[1] == 0
    written, _ = flags(900, 20, 2.0)
    assert code_components(written[:, :1], np.zeros(1, dtype=int)).shape == (1, 0)
    assert code_components(written[:, :0], np.zeros(0, dtype=int)).shape == (0, 0)


def test_columns_are_those_of_codes_and_categories():
    fields = {each.name: each for each in make_cohort(60).schema.modalities}
    category = fields["chart"].categorical[0]
    names = ["chart (present)", "chart.a", f"chart.{category}=x", f"chart.{category}=y", "diagnosis=A", "diagnosis=B=C"]
    places, owner = written_columns(names, fields["chart"])
    assert (places.tolist(), owner.tolist()) == ([2, 3], [0, 0])
    places, owner = written_columns(names, fields["diagnosis"])
    assert (places.tolist(), owner.tolist()) == ([4, 5], [0, 1])
    assert not len(written_columns(names, fields["labs"])[0])


def test_what_tells_of_the_outcome_beside_components_is_one_more():
    """Codes 0 to 3 follow the outcome, those of a habit the class, and class and outcome go together."""
    rng = np.random.default_rng(3)
    habit, u = flags(3000, 20, 0.6)
    y = np.where(rng.random(3000) < 0.9, u, 1 - u)
    cause = (rng.random((3000, 4)) < np.where(y[:, None], 0.45, 0.25)).astype(float)
    written = np.concatenate([cause, habit], axis=1)
    z, owner = scaled(written, np.arange(24))
    weights = code_components(z, owner)
    told = outcome_components(z, weights, y)
    assert told.shape == (24, 1)
    assert weights.T @ told == pytest.approx(np.zeros((weights.shape[1], 1)), abs=1e-9)
    assert (z @ told).std() == pytest.approx(1.0)
    for u_is in (0, 1):  # among patients of one class it tells of the outcome, which the component hardly does
        own = u == u_is
        inside = roc_auc_score(y[own], z[own] @ told[:, 0])
        component = roc_auc_score(y[own], z[own] @ weights[:, 0])
        assert inside > 0.6 > abs(component - 0.5) + 0.5
    three = np.where(y == 1, 1 + rng.integers(0, 2, 3000), 0)
    assert outcome_components(z, weights, three).shape[1] in (1, 2)


@pytest.mark.parametrize("seed", range(10))
def test_where_no_code_tells_of_the_outcome_there_is_none(seed):
    written, _ = flags(1000, 60, 0.3, seed)
    z, _ = scaled(written, np.arange(60))
    y = np.random.default_rng(1000 + seed).integers(0, 2, 1000)
    assert outcome_components(z, np.eye(60)[:, :1], y).shape[1] == 0
    assert outcome_components(z, np.eye(60)[:, :1], np.ones(1000, dtype=int)).shape[1] == 0  # one class only
