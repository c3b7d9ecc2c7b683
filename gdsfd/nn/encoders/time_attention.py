"""utde: values at regular times, from the last one carried forward and from attention over time, mixed by a gate."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gdsfd.nn.encoders.event_sequence import EventSequence
from gdsfd.nn.encoders.step_sequence import dense_steps

__all__ = ["TimeAttention"]


class TimeAttention(EventSequence):
    r"""Irregular values of each item, brought to all steps of the window in two ways.

    .. math:: E = g \odot E_{imp} + (1 - g) \odot E_{att}, \qquad g = \sigma(\mathrm{MLP}[E_{imp}; E_{att}])
    .. math:: E_{att}(r) = \sum_j \operatorname{softmax}_j\big(\phi(r)^T \Omega\, \phi(s_j)\big)\, v_j, \qquad
        \phi(s) = [\omega_0 s;\; \sin(\omega s + b)]

    with the last value carried forward as :math:`E_{imp}`, and the measured values :math:`v_j` of an item at times
    :math:`s_j`. An item that was not measured is 0 in both. Times run from 0 to 1 over the window. The steps are read
    by one layer each; their mean and the last one make the output.

    Args:
        num_items: Items I.
        num_steps: Steps T.
        out_channels: Width d.
        time_channels: Width of :math:`\phi`.

    Shapes:
        - values, seen: float [E, T, I]
        - output: [E, d]

    References:
        [paper] UTDE (Zhang et al., ICML 2023), equations as in our dossier 2.9, without the code's notes. [ours] all
        times are steps of a window, so that attention is one matrix for all patients; the reading of the steps.
    """

    def __init__(self, num_items: int, num_steps: int, out_channels: int, time_channels: int = 64) -> None:
        super().__init__(num_items, num_steps)
        self.slope = nn.Parameter(torch.randn(1))
        self.rate = nn.Parameter(torch.randn(time_channels - 1) * num_steps / 4)
        self.phase = nn.Parameter(torch.zeros(time_channels - 1))
        self.kernel = nn.Parameter(torch.eye(time_channels) / time_channels**0.5)
        self.gate = nn.Sequential(nn.Linear(2 * num_items, out_channels), nn.GELU(), nn.Linear(out_channels, num_items))
        self.step = nn.Linear(num_items, out_channels)
        self.out = nn.Linear(2 * out_channels, out_channels)

    def times(self) -> Tensor:
        r""":math:`\phi` of every step; [T, time_channels]."""
        s = torch.arange(self.num_steps, device=self.rate.device, dtype=self.rate.dtype).unsqueeze(1) / self.num_steps
        return torch.cat([self.slope * s, torch.sin(self.rate * s + self.phase)], dim=1)

    def attended(self, values: Tensor, seen: Tensor) -> Tensor:
        r""":math:`E_{att}`; [E, T, I].

        Args:
            values: Measured values, anything where ``seen`` is 0; [E, T, I].
            seen: Whether a cell was measured, 1 or 0; [E, T, I].
        """
        phi = self.times()
        score = phi @ self.kernel @ phi.t()  # the same for all patients and items; [T, T]
        there, nowhere = seen > 0, torch.finfo(score.dtype).min
        measured = values * seen
        steps = []
        for row in score.unbind():  # one step asks at a time: never [E, T, T, I] at once
            share = torch.where(there, row.view(1, -1, 1), nowhere).softmax(1)
            steps.append((share * measured).sum(1))
        return torch.stack(steps, dim=1)

    def interpolated(self, values: Tensor, seen: Tensor) -> Tensor:
        """``E``; [E, T, I].

        Args:
            values: The last value carried forward, 0 before the first; [E, T, I].
            seen: Whether a cell was measured; [E, T, I].
        """
        attended = self.attended(values, seen)
        gate = self.gate(torch.cat([values, attended], dim=-1)).sigmoid()
        return gate * values + (1 - gate) * attended

    def forward(self, values: Tensor, seen: Tensor) -> Tensor:
        """Reads all steps of the window."""
        steps = F.gelu(self.step(self.interpolated(values, seen)))
        found: Tensor = self.out(torch.cat([steps.mean(1), steps[:, -1]], dim=-1))
        return found

    def read(self, value: Tensor, owner: Tensor, step: Tensor, item: Tensor, observations: int) -> Tensor:
        """Reads a batch; see :class:`EventSequence`."""
        return self(*dense_steps(value, owner, step, item, (observations, self.num_steps, self.num_items)))
