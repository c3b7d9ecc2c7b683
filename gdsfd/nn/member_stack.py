"""The members of an ensemble in one pass: each weight stands once, with all members' values in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor, nn

from gdsfd.graph.grid_batch import GridBatch
from gdsfd.nn.all_patients import all_patients
from gdsfd.nn.encoders.token_grid import TokenGrid
from gdsfd.nn.ensemble import Ensemble
from gdsfd.nn.predictor import Batch, Prediction, Predictor
from gdsfd.ops.over_ranks import own_draws

__all__ = ["MemberStack"]

#: Memory that the tokens of training patients may take while members fit their memories.
_MOST_BYTES = 2**28


class MemberStack(nn.Module):
    """An ensemble's members as one network with a member axis on its weights, for training.

    The members are the same function of other weights. Their encoders are one (:class:`TokenGrid`), the rest up to the
    patient's code (:meth:`Predictor.body`) is mapped over the member axis (:func:`torch.vmap`): a step costs one
    dispatch of every operation instead of one for each member and modality. Values and gradients are those of the
    members by themselves. Heads are small and the members' losses differ, so they stay with the members.

    The members' own parameters become views of the stacked ones: whoever reads or writes a member's weights (a running
    average, the best epoch, a checkpoint) reads or writes these. Moving the ensemble to another device ends that.

    Args:
        network: The ensemble, on the device it is trained on. Its members take batches in fixed shapes
            (:meth:`Predictor.why_no_grid`).
    """

    def __init__(self, network: Ensemble) -> None:
        super().__init__()
        members = [member for member in network.members if isinstance(member, Predictor)]
        self._members: Sequence[Predictor] = members
        encoders = [member.grid_encoders for member in members]
        self.tokens = TokenGrid(encoders)
        self.tokens.take_over(encoders)
        bodies = [dict(member.get_submodule(member.body_part).named_parameters()) for member in members]
        self.weights = nn.ParameterList()
        self._places: list[tuple[nn.Module, str]] = []
        for name in bodies[0]:
            same = [body[name] for body in bodies]
            stacked = nn.Parameter(torch.stack([each.detach() for each in same]))
            for each, view in zip(same, stacked.detach()):
                each.data = view
            self.weights.append(stacked)
            path, _, key = f"{members[0].body_part}.{name}".rpartition(".")
            self._places.append((members[0].get_submodule(path), key))
        self._places_of_buffers = [_places_of_buffers(member) for member in members]
        taken = {id(each) for body in bodies for each in body.values()}
        taken |= {id(each) for member in members for each in member.encoders.parameters()}
        self.heads = nn.ParameterList([each for each in network.parameters() if id(each) not in taken])

    def __len__(self) -> int:
        return len(self._members)

    def decay_groups(self) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
        """The weight matrices, and everything else: biases, norms, single vectors."""
        matrices, vectors = self.tokens.matrices, self.tokens.vectors
        for parameters, axes in ((self.weights, 1), (self.heads, 0)):  # a stacked one has the member axis, too
            matrices = matrices + [each for each in parameters if each.dim() > 1 + axes]
            vectors = vectors + [each for each in parameters if each.dim() <= 1 + axes]
        return matrices, vectors

    def forward(self, batch: GridBatch) -> list[Prediction]:
        """Each member's prediction of a batch."""
        with own_draws():
            own = self._bodies(self.tokens(batch.inputs), batch)
        bodies, presence = all_patients(own, batch.layout.presence)
        return [member.heads(body, presence) for member, body in zip(self._members, bodies, strict=True)]

    @torch.no_grad()
    def fit_memory(self, batches: Callable[[], Iterable[Batch]]) -> None:
        """As :meth:`Ensemble.fit_memory`; patients are encoded once for all members and passes.

        Args:
            batches: Gives the training patients in batches of fixed shapes, as often as it is called.
        """
        members = [(number, member) for number, member in enumerate(self._members) if member.has_memory]
        mode = self.training
        self.eval()
        kept, size = list[tuple[Tensor, GridBatch]](), 0
        for batch in batches() if members else ():
            assert isinstance(batch, GridBatch)
            kept.append((self.tokens(batch.inputs), batch))
            size += kept[-1][0].nbytes
            if size > _MOST_BYTES:
                break
        for number, member in members:
            if size > _MOST_BYTES:
                member.fit_memory(batches)
            else:
                member.fit_memory(partial(_of_member, kept, number))
        self.train(mode)

    def _bodies(self, tokens: Tensor, batch: GridBatch) -> list[Mapping[str, Tensor]]:
        """What each member's heads read; tokens [M, K, B, d]."""
        first = self._members[0]

        def body(mine: Tensor, weights: Sequence[Tensor], buffers: Sequence[Tensor]) -> Mapping[str, Tensor]:
            with self._put_in(weights, buffers):
                return first.body(mine, batch.layout, batch)

        if len(self) == 1:
            return [body(tokens[0], [weight[0] for weight in self.weights], [])]
        buffers = [
            torch.stack([owner.get_buffer(key) for owner, key in places]) for places in zip(*self._places_of_buffers)
        ]
        found = torch.vmap(body, randomness="different")(tokens, list(self.weights), buffers)
        if any(each._version for each in buffers):
            raise RuntimeError(
                f"a part of {type(first.get_submodule(first.body_part)).__name__} changes a buffer in training, which "
                "members in one pass would lose; a backbone or mask that does so has takes_grid = False"
            )
        parts = {name: value.unbind() for name, value in found.items()}
        return [{name: values[number] for name, values in parts.items()} for number in range(len(self))]

    @contextmanager
    def _put_in(self, weights: Sequence[Tensor], buffers: Sequence[Tensor]) -> Iterator[None]:
        """Inside, the first member computes with these weights and buffers."""
        own = [owner._parameters[key] for owner, key in self._places]
        places = self._places_of_buffers[0]
        own_buffers = [owner._buffers[key] for owner, key in places]
        for (owner, key), weight in zip(self._places, weights):
            owner._parameters[key] = weight  # type: ignore[assignment]
        for (owner, key), buffer in zip(places, buffers):
            owner._buffers[key] = buffer
        try:
            yield
        finally:
            for (owner, key), parameter in zip(self._places, own):
                owner._parameters[key] = parameter
            for (owner, key), kept in zip(places, own_buffers):
                owner._buffers[key] = kept


def _of_member(kept: Iterable[tuple[Tensor, GridBatch]], number: int) -> Iterator[GridBatch]:
    """Batches with one member's tokens."""
    return (replace(batch, tokens=tokens[number]) for tokens, batch in kept)


def _places_of_buffers(member: Predictor) -> list[tuple[nn.Module, str]]:
    """Where the buffers of a member's body stand: their modules, and their names in there."""
    modules = member.get_submodule(member.body_part).modules()
    return [(owner, key) for owner in modules for key, _ in owner.named_buffers(recurse=False)]
