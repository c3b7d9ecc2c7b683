"""Two processes come to the sums, rows and gradients of one."""

from __future__ import annotations

import multiprocessing

import pytest
import torch
from torch import distributed, nn

from gdsfd.ops.over_ranks import Ranks, all_rows_needed, own_draws, rows_of_all_ranks, sum_over_ranks

PATIENTS, SIZE = 7, 2  # shares of 4 and 3


def problem() -> tuple[torch.Tensor, nn.Linear, nn.Linear, nn.Linear]:
    """Patients, a map before the sum over patients, one of the sum, and one behind everybody's codes."""
    draw = torch.Generator().manual_seed(0)
    maps = nn.Linear(3, 4).double(), nn.Linear(4, 4).double(), nn.Linear(4, 1).double()
    for each in maps:
        for parameter in each.parameters():
            parameter.data = torch.randn(parameter.shape, generator=draw, dtype=torch.float64)
    return torch.randn(PATIENTS, 3, generator=draw, dtype=torch.float64), *maps


def loss_of(x: torch.Tensor, first: nn.Module, of_sum: nn.Module, last: nn.Module, mapped: bool) -> torch.Tensor:
    """Codes that know the sum over all patients, and a loss that is no mean over them."""

    def body(x: torch.Tensor) -> torch.Tensor:
        own = torch.tanh(first(x))
        total, count = sum_over_ranks(own.sum(0, keepdim=True), own.new_tensor([[len(own)]]))
        return own * torch.tanh(of_sum(total / count))

    code = torch.vmap(body)(x.unsqueeze(0))[0] if mapped else body(x)
    (code,) = rows_of_all_ranks([code])
    scores = last(code)
    return (scores @ scores.t()).logsumexp(1).sum() + torch.cdist(code, code).sum()


def gradients(modules: tuple[nn.Module, ...]) -> list[torch.Tensor]:
    return [each.grad.clone() for module in modules for each in module.parameters()]


def work(rank: int, folder: str, said) -> None:
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=SIZE)
    ranks, found = Ranks(rank, SIZE), {}
    for mapped in (False, True):
        x, *maps = problem()
        with ranks.step(PATIENTS):
            assert all_rows_needed()
            loss = loss_of(ranks.share(x), *maps, mapped)
        loss.backward()
        ranks.average_gradients([each for module in maps for each in module.parameters()])
        found[mapped] = loss.item(), [each.tolist() for each in gradients(tuple(maps))]
    ranks.draw_by(5, torch.device("cpu"))
    torch.manual_seed(1)
    with ranks.step(PATIENTS):
        with own_draws():
            own = torch.rand(3)
        shared = torch.rand(3)
        with own_draws():
            further = torch.rand(3)
    found["draws"] = own.tolist(), shared.tolist(), further.tolist()
    one, none, half = (nn.Parameter(torch.zeros(2)) for _ in range(3))
    one.grad = torch.full((2,), 1.0 + rank)
    if rank:
        half.grad = torch.ones(2)
    ranks.average_gradients([one, none, half])
    found["gradients"] = one.grad.tolist(), none.grad, half.grad.tolist()
    rows = torch.arange(2 * PATIENTS).view(PATIENTS, 2)
    mine = ranks.share(rows)
    found["gathered"] = ranks.gathered(mine.flatten(), PATIENTS, len(mine)).tolist()  # two rows of each patient
    with ranks.step(PATIENTS):
        flags, numbers = rows_of_all_ranks([mine > 4, mine.float()])
    found["kinds"] = flags.tolist(), numbers.tolist()
    found["first"] = ranks.first_ones({"loss": 1.0 + rank, "area": float("nan")})["loss"]
    with ranks.step(1):  # fewer patients than processes: everybody has them all
        found["few"] = all_rows_needed(), len(ranks.share(rows[:1])), float(sum_over_ranks(torch.ones(1))[0])
    with ranks.passes(PATIENTS):
        found["pass"] = all_rows_needed(), float(sum_over_ranks(torch.ones(1))[0])
    distributed.destroy_process_group()
    said.put((rank, found))


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    context = multiprocessing.get_context("spawn")
    said, folder = context.Queue(), str(tmp_path_factory.mktemp("ranks"))
    processes = [context.Process(target=work, args=(rank, folder, said)) for rank in range(SIZE)]
    for each in processes:
        each.start()
    results = dict(said.get(timeout=120) for _ in processes)
    for each in processes:
        each.join()
    return results


@pytest.mark.parametrize("mapped", [False, True])
def test_loss_and_gradients_are_those_of_one_process(found, mapped):
    x, *maps = problem()
    loss = loss_of(x, *maps, mapped)
    loss.backward()
    for rank in range(SIZE):
        other, theirs = found[rank][mapped]
        assert other == pytest.approx(loss.item(), rel=1e-12)
        for mine, each in zip(gradients(tuple(maps)), theirs, strict=True):
            torch.testing.assert_close(torch.tensor(each, dtype=torch.float64), mine)


def test_draws_of_own_patients_differ_and_the_others_are_the_same(found):
    (first, shared, further), (other, same, more) = (found[rank]["draws"] for rank in range(SIZE))
    torch.manual_seed(1)
    assert shared == same == torch.rand(3).tolist()  # as if nothing had been drawn in between
    assert len({tuple(each) for each in (first, further, other, more, shared)}) == 5


def test_a_gradient_that_one_rank_has_counts_and_one_that_none_has_stays_none(found):
    assert found[0]["gradients"] == found[1]["gradients"] == ([1.5, 1.5], None, [0.5, 0.5])


def test_rows_come_in_the_order_of_the_batch_with_their_types(found):
    numbers = torch.arange(2 * PATIENTS)
    for rank in range(SIZE):
        assert found[rank]["gathered"] == numbers.tolist()
        flags, rows = found[rank]["kinds"]
        assert rows == numbers.view(PATIENTS, 2).tolist()
        assert flags == (numbers.view(PATIENTS, 2) > 4).tolist()


def test_what_is_decided_by_figures_is_decided_by_the_first_rank(found):
    assert [found[rank]["first"] for rank in range(SIZE)] == [1.0, 1.0]


def test_where_there_are_fewer_patients_than_processes_each_has_all(found):
    assert found[0]["few"] == found[1]["few"] == (False, 1, 1.0)


def test_a_pass_adds_up_sums_and_asks_for_no_rows(found):
    assert found[0]["pass"] == found[1]["pass"] == (False, 2.0)


def test_a_process_by_itself_changes_nothing():
    ranks, x = Ranks(), torch.rand(3, 2)
    state = torch.get_rng_state()
    ranks.draw_by(0, torch.device("cpu"))
    with ranks.step(3), own_draws():
        assert not all_rows_needed()
        assert ranks.share(x) is x
        assert sum_over_ranks(x)[0] is x
        assert rows_of_all_ranks([x])[0] is x
        assert ranks.gathered(x, 3, 3) is x
    assert torch.equal(state, torch.get_rng_state())
