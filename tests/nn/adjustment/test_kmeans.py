"""k-means inside groups: against scikit-learn, and where there is less to cluster than asked for."""

from __future__ import annotations

import pytest
import torch
from sklearn.cluster import KMeans
from torch import Tensor

from gdsfd.nn.adjustment import kmeans as module
from gdsfd.nn.adjustment.kmeans import kmeans, nearest_center, stratum_sums


def blobs(groups: int = 3, each: int = 4, size: int = 60, width: int = 5) -> tuple[Tensor, Tensor, Tensor]:
    """Well-separated blobs, as many in each group; codes, group and blob, in an order of no meaning."""
    generator = torch.Generator().manual_seed(1)
    middle = torch.randn(groups * each, width, generator=generator) * 20
    blob = torch.arange(groups * each).repeat_interleave(size)
    codes = middle[blob] + torch.randn(len(blob), width, generator=generator)
    order = torch.randperm(len(blob), generator=generator)
    return codes[order], (blob // each)[order], blob[order]


def inertia(codes: Tensor, group: Tensor, centers: Tensor, center_group: Tensor) -> float:
    return float((codes - centers[nearest_center(codes, group, centers, center_group)]).square().sum())


def test_centres_are_as_good_as_those_of_scikit_learn_run_group_by_group() -> None:
    generator = torch.Generator().manual_seed(0)
    codes, group = torch.randn(900, 4, generator=generator), torch.randint(0, 3, (900,), generator=generator)
    asked = torch.tensor([2, 5, 3])
    best = sum(
        KMeans(int(asked[g]), n_init=1, random_state=0).fit(codes[group == g].numpy()).inertia_ for g in range(3)
    )
    got = []
    for seed in range(5):
        centers, center_group = kmeans(codes, group, asked, 50, torch.Generator().manual_seed(seed))
        assert torch.bincount(center_group).equal(asked)
        got.append(inertia(codes, group, centers, center_group))
    assert min(got) < 1.02 * best
    assert max(got) < 1.08 * best


def test_every_centre_is_the_mean_of_its_rows_when_it_has_settled() -> None:
    codes, group, _ = blobs()
    centers, center_group = kmeans(codes, group, torch.tensor([4, 4, 4]), 100, torch.Generator().manual_seed(0))
    ids = nearest_center(codes, group, centers, center_group)
    for stratum in range(len(centers)):
        torch.testing.assert_close(centers[stratum], codes[ids == stratum].mean(0))


def test_seeds_are_spread_so_that_most_fits_find_all_blobs() -> None:
    codes, group, blob = blobs()
    found = 0
    for seed in range(10):
        centers, center_group = kmeans(codes, group, torch.tensor([4, 4, 4]), 20, torch.Generator().manual_seed(seed))
        ids = nearest_center(codes, group, centers, center_group)
        found += len(torch.stack([ids, blob]).unique(dim=1).T) == 12
    assert found >= 5  # uniform seeds find all twelve in under one of a thousand


def test_seeds_are_drawn_in_proportion_to_the_squared_distance() -> None:
    codes = torch.tensor([[0.0], [0.0], [1.0], [2.0]])
    group, times = torch.zeros(4, dtype=torch.long), 4000
    generator = torch.Generator().manual_seed(0)
    pairs = torch.stack([module._seeds(codes, group, torch.tensor([2]), generator) for _ in range(times)])
    first = torch.bincount(pairs[:, 0], minlength=4) / times
    torch.testing.assert_close(first, torch.full((4,), 0.25), atol=0.03, rtol=0)
    second = pairs[pairs[:, 0] < 2, 1]  # after a seed at 0: weights 0, 0, 1, 4
    torch.testing.assert_close(
        torch.bincount(second, minlength=4) / len(second), torch.tensor([0, 0, 0.2, 0.8]), atol=0.03, rtol=0
    )


def test_groups_do_not_touch_each_other() -> None:
    codes, group, _ = blobs()
    moved = codes.clone()
    moved[group == 2] += 1000
    asked = torch.tensor([4, 4, 4])
    before, before_group = kmeans(codes, group, asked, 20, torch.Generator().manual_seed(0))
    after, after_group = kmeans(moved, group, asked, 20, torch.Generator().manual_seed(0))
    assert before[before_group < 2].equal(after[after_group < 2])


def test_fewer_distinct_rows_than_centres() -> None:
    codes = torch.tensor([[1.1, 0.3]] * 7 + [[0.2, 0.7], [0.2, 0.7], [3.0, 1.0]] + [[5.0, 5.0]])
    group = torch.tensor([0] * 7 + [1] * 3 + [3])
    centers, center_group = kmeans(codes, group, torch.tensor([4, 4, 4, 1]))
    assert center_group.tolist() == [0, 1, 1, 3]
    assert centers.isfinite().all()
    torch.testing.assert_close(centers[0], codes[0])
    assert {tuple(row) for row in centers[1:3].tolist()} == {tuple(codes[8].tolist()), tuple(codes[9].tolist())}


def test_nothing_to_cluster() -> None:
    centers, center_group = kmeans(torch.zeros(0, 3), torch.zeros(0, dtype=torch.long), torch.tensor([2]))
    assert centers.shape == (0, 3)
    assert center_group.shape == (0,)
    centers, _ = kmeans(torch.zeros(0, 3), torch.zeros(0, dtype=torch.long), torch.zeros(0, dtype=torch.long))
    assert centers.shape == (0, 3)


def test_the_seed_decides_and_the_global_state_is_left_alone() -> None:
    codes, group = torch.randn(300, 3), torch.zeros(300, dtype=torch.long)
    state = torch.get_rng_state()
    first, _ = kmeans(codes, group, torch.tensor([6]), 20, torch.Generator().manual_seed(3))
    again, _ = kmeans(codes, group, torch.tensor([6]), 20, torch.Generator().manual_seed(3))
    other, _ = kmeans(codes, group, torch.tensor([6]), 20, torch.Generator().manual_seed(4))
    assert torch.get_rng_state().equal(state)
    assert first.equal(again)
    assert not first.equal(other)
    torch.manual_seed(5)
    first, _ = kmeans(codes, group, torch.tensor([6]))
    torch.manual_seed(5)
    assert first.equal(kmeans(codes, group, torch.tensor([6]))[0])


def test_nearest_is_within_the_group_or_of_all_where_it_has_no_centre() -> None:
    centers, center_group = torch.tensor([[0.0], [10.0], [4.0]]), torch.tensor([0, 0, 1])
    codes = torch.tensor([[4.0], [6.0], [0.0], [9.0]])
    assert nearest_center(codes, torch.tensor([0, 0, 1, 5]), centers, center_group).tolist() == [0, 1, 2, 1]
    assert nearest_center(codes, None, centers, center_group).tolist() == [2, 2, 0, 1]
    assert nearest_center(codes[:0], None, centers, center_group).shape == (0,)


@pytest.mark.parametrize("pairs", [1, 50, 2**24])
def test_blocks_of_rows_change_nothing(pairs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    generator = torch.Generator().manual_seed(0)
    codes, centers = torch.randn(101, 3, generator=generator), torch.randn(7, 3, generator=generator)
    group, center_group = torch.randint(0, 2, (101,), generator=generator), torch.arange(7) % 2
    expected = torch.cdist(codes.double(), centers.double())
    expected[group.unsqueeze(1) != center_group] = torch.inf
    monkeypatch.setattr(module, "_PAIRS", pairs)
    ids = nearest_center(codes, group, centers, center_group)
    assert ids.equal(expected.argmin(1))
    sums, count = stratum_sums(codes, ids, 8)
    assert count.tolist() == torch.bincount(ids, minlength=8).tolist()
    torch.testing.assert_close(sums, torch.zeros(8, 3).index_add(0, ids, codes))


def test_autocast_does_not_move_rows_between_centres() -> None:
    codes, centers = torch.randn(2000, 32), torch.randn(40, 32)
    plain = nearest_center(codes, None, centers, torch.zeros(40))
    with torch.autocast("cpu", torch.bfloat16):
        assert nearest_center(codes, None, centers, torch.zeros(40)).equal(plain)
