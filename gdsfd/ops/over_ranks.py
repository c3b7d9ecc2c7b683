"""Sums, rows and random draws over several processes ("ranks") that each hold some of a batch's patients.

What is written here does nothing in a process by itself: outside of :meth:`Ranks.step` and :meth:`Ranks.passes` the
functions give back what they are given.

How several processes come to the numbers of one: up to a patient's codes each works on its own patients; sums over all
patients on the way are added up over the ranks (:func:`sum_over_ranks`); then all get everybody's codes
(:func:`rows_of_all_ranks`) and each works out the loss of the whole batch by itself. So a loss may be any function of a
batch, and needs to know nothing of ranks. Gradients are then averaged (:meth:`Ranks.average_gradients`): that of a
weight before the codes is a sum over patients, each rank's part of which comes ``size`` times as large from
:func:`rows_of_all_ranks`; that of a weight behind them is the same everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, distributed, nn

__all__ = ["Ranks", "all_rows_needed", "own_draws", "rows_of_all_ranks", "sum_over_ranks"]


class Ranks:
    """The processes that train together, and this one's number among them.

    Args:
        rank: Of this process, from 0.
        size: How many there are; with 1 all methods do nothing.
    """

    def __init__(self, rank: int = 0, size: int = 1) -> None:
        self.rank, self.size = rank, size
        self.counts: Sequence[int] | None = None
        self._draws: dict[str, Tensor] = {}

    def share(self, rows: Tensor) -> Tensor:
        """This rank's part of some rows, the first ranks' being the longer by at most one; all of them where some rank
        would have none."""
        if self.size == 1 or len(rows) < self.size:
            return rows
        return rows.tensor_split(self.size)[self.rank]

    def draw_by(self, seed: int, device: torch.device) -> None:
        """Begins the random numbers of this rank's own patients anew, from a seed that all ranks give alike."""
        if self.size > 1:
            mine = torch.Generator().manual_seed((seed + 1 + self.rank) % 2**63)
            self._draws = {"cpu": mine.get_state()}
            if device.type == "cuda":
                on_device = torch.Generator(device).manual_seed((seed + 1 + self.rank) % 2**63)
                self._draws["cuda"] = on_device.get_state()

    @contextmanager
    def step(self, patients: int) -> Iterator[None]:
        """Inside, what is computed is of this rank's :meth:`share` of a batch of so many patients."""
        shared = self.size > 1 and patients >= self.size
        whole, longer = divmod(patients, self.size)
        with self._inside([whole + (rank < longer) for rank in range(self.size)] if shared else None, shared):
            yield

    @contextmanager
    def passes(self, patients: int) -> Iterator[None]:
        """Inside, sums over this rank's :meth:`share` of so many patients are added up, without gradients."""
        with self._inside(None, self.size > 1 and patients >= self.size):
            yield

    @contextmanager
    def _inside(self, counts: Sequence[int] | None, shared: bool) -> Iterator[None]:
        global _current
        before, self.counts = _current, counts
        _current = self if shared else None
        try:
            yield
        finally:
            _current, self.counts = before, None

    @torch.no_grad()
    def average_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replaces every gradient by its mean over the ranks; one that no rank has stays None."""
        if self.size == 1:
            return
        trained = [each for each in parameters if each.requires_grad]
        parts = [each.new_zeros(each.numel()) if each.grad is None else each.grad.reshape(-1) for each in trained]
        has = parts[0].new_tensor([float(each.grad is not None) for each in trained])
        whole = torch.cat([*parts, has])
        distributed.all_reduce(whole)
        *means, has = (whole / self.size).split([*(each.numel() for each in parts), len(trained)])
        for each, mean, known in zip(trained, means, has.tolist()):
            if known:
                if each.grad is None:
                    each.grad = torch.empty_like(each)
                each.grad.copy_(mean.view_as(each))

    def gathered(self, own: Tensor, patients: int, mine: int) -> Tensor:
        """Rows of all ranks from each one's, on the CPU and without gradients.

        Args:
            own: A row, or several alike, for each of this rank's :meth:`share` of the patients.
            patients: How many these are in all.
            mine: How many of them are this rank's.
        """
        if self.size == 1 or patients < self.size:
            return own
        there = own.to(_device())
        with self.step(patients):
            assert self.counts is not None
            found = _all_rows(there.reshape(mine, -1), self.rank, self.counts)
        return found.view(-1, *own.shape[1:]).cpu()

    def first_ones(self, figures: Mapping[str, float]) -> dict[str, float]:
        """Rank 0's figures: what is decided by them is decided alike everywhere."""
        if self.size == 1:
            return dict(figures)
        found = torch.tensor(list(figures.values()), dtype=torch.float64, device=_device())
        distributed.broadcast(found, 0)
        return dict(zip(figures, found.tolist()))


_current: Ranks | None = None


def _device() -> torch.device:
    """Where tensors have to be to be exchanged."""
    return torch.device("cuda" if distributed.get_backend() == "nccl" else "cpu")


def all_rows_needed() -> bool:
    """Whether rows have to be put together by :func:`rows_of_all_ranks`."""
    return _current is not None and _current.counts is not None


@contextmanager
def own_draws() -> Iterator[None]:
    """Inside, random numbers are this rank's own; outside all ranks draw the same."""
    draws = _current._draws if _current is not None and _current.counts is not None else {}
    before = {"cpu": torch.get_rng_state()} if draws else {}
    if "cuda" in draws:
        before["cuda"] = torch.cuda.get_rng_state()
    _put(draws)
    try:
        yield
    finally:
        if draws:
            draws["cpu"] = torch.get_rng_state()
        if "cuda" in draws:
            draws["cuda"] = torch.cuda.get_rng_state()
        _put(before)


def _put(states: dict[str, Tensor]) -> None:
    if "cpu" in states:
        torch.set_rng_state(states["cpu"])
    if "cuda" in states:
        torch.cuda.set_rng_state(states["cuda"])


def sum_over_ranks(*values: Tensor) -> tuple[Tensor, ...]:
    """Sums of tensors over the ranks, of one shape everywhere, in one exchange; differentiable.

    Args:
        values: float [n, C_1], [n, C_2], ...

    Returns:
        As many, of the same shapes.
    """
    if _current is None:
        return values
    side_by_side = torch.cat(values, dim=-1)
    total: Tensor = _Sum.apply(side_by_side)
    return total.split([each.size(-1) for each in values], dim=-1)


class _Sum(torch.autograd.Function):
    """The sum over ranks. Everybody's loss depends on it, so its gradient is the sum of theirs."""

    @staticmethod
    def forward(values: Tensor) -> Tensor:
        return _summed(values)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        return None

    @staticmethod
    def backward(ctx: Any, above: Tensor) -> Tensor:
        return _summed(above)

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int | None, ...], values: Tensor) -> tuple[Tensor, int | None]:
        """Of several members at once."""
        found: Tensor = _Sum.apply(values)
        return found, in_dims[0]


def _summed(values: Tensor) -> Tensor:
    total = values.detach().clone(memory_format=torch.contiguous_format)
    distributed.all_reduce(total)
    return total


def rows_of_all_ranks(values: Sequence[Tensor]) -> list[Tensor]:
    """Rows of all the batch's patients from those of each rank's, in one exchange; differentiable.

    Args:
        values: [b, ...] each, of this rank's patients; truth values and numbers.

    Returns:
        [B, ...] each, of the same types, in the order of the batch.
    """
    if _current is None or _current.counts is None:
        return list(values)
    kinds = [each.dtype for each in values if each.is_floating_point()]
    kind = torch.float64 if torch.float64 in kinds else torch.float32
    flat = torch.cat([each.flatten(1).to(kind) for each in values], dim=1)
    found: Tensor = _Rows.apply(flat, _current.rank, _current.counts)
    parts = found.split([each[:1].numel() for each in values], dim=1)
    return [part.reshape(-1, *each.shape[1:]).to(each.dtype) for part, each in zip(parts, values)]


class _Rows(torch.autograd.Function):
    """The rows of all ranks. Every rank works out the same of them, so what comes back to one's own comes from all."""

    @staticmethod
    def forward(ctx: Any, own: Tensor, rank: int, counts: Sequence[int]) -> Tensor:
        ctx.rank, ctx.counts = rank, counts
        return _all_rows(own, rank, counts)

    @staticmethod
    def backward(ctx: Any, above: Tensor) -> tuple[Tensor | None, ...]:
        own = above.split(list(ctx.counts))[ctx.rank]
        return own * len(ctx.counts), None, None


def _all_rows(own: Tensor, rank: int, counts: Sequence[int]) -> Tensor:
    if len(own) != counts[rank]:
        raise RuntimeError(f"rank {rank} has {len(own)} rows of a batch, expected {counts[rank]}")
    longest = own.new_zeros(counts[0], *own.shape[1:])
    longest[: len(own)] = own.detach()
    found = [torch.empty_like(longest) for _ in counts]
    distributed.all_gather(found, longest)
    return torch.cat([each[:count] for each, count in zip(found, counts)])
