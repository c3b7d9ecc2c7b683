"""set: events as a set of value, time and item, pooled by attention."""

from __future__ import annotations

from torch import Tensor, nn
from torch_geometric.utils import softmax

from gdsfd.nn.encoders.event_sequence import EventSequence

__all__ = ["EventSet"]


class EventSet(EventSequence):
    r"""Each event by itself, then their mean by a softmax over what each says of its weight.

    .. math:: e_j = \varphi_v(v_j) + \varphi_t(s_j) + \mathrm{emb}(\mathrm{item}_j), \qquad
        h = W \sum_j \operatorname{softmax}_j(a^T \mathrm{GELU}(e_j))\; \mathrm{GELU}(M\, \mathrm{GELU}(e_j))

    0 before W where an observation has no event. No grid over steps is made: time and memory grow with the events.

    Args:
        num_items: Items I.
        num_steps: Steps T; times run from 0 to 1 over the window.
        out_channels: Width d.

    References:
        [paper] The embedding of events is that of UMSE (Lee et al., MLHC 2023), as in our dossier 2.17. [ours] the
        pooling: there all events stay tokens of a transformer.
    """

    def __init__(self, num_items: int, num_steps: int, out_channels: int) -> None:
        super().__init__(num_items, num_steps)
        self.value, self.time = (
            nn.Sequential(nn.Linear(1, out_channels), nn.GELU(), nn.Linear(out_channels, out_channels))
            for _ in range(2)
        )
        self.item = nn.Embedding(num_items, out_channels)
        self.weight = nn.Linear(out_channels, 1)
        self.mix = nn.Sequential(nn.Linear(out_channels, out_channels), nn.GELU())
        self.out = nn.Linear(out_channels, out_channels)

    def read(self, value: Tensor, owner: Tensor, step: Tensor, item: Tensor, observations: int) -> Tensor:
        """Reads a batch; see :class:`EventSequence`."""
        time = step.to(value.dtype) / self.num_steps
        event = self.value(value.unsqueeze(1)) + self.time(time.unsqueeze(1)) + self.item(item)
        event = nn.functional.gelu(event)
        share = softmax(self.weight(event), owner, num_nodes=observations)
        pooled = event.new_zeros(observations, event.size(1)).index_add(0, owner, share * self.mix(event))
        found: Tensor = self.out(pooled)
        return found
