"""The small network that every critic is made of."""

from __future__ import annotations

from torch import Tensor, nn

from gdsfd.nn.dependence.running_scale import RunningScale

__all__ = ["CodeNetwork"]

#: Classes that a critic can tell apart; those beyond share the last offset, which loosens a bound and breaks none.
_MOST_CLASSES = 16


class CodeNetwork(nn.Module):
    r"""A perceptron with two hidden layers beside a linear map, on codes of one scale, told the class.

    .. math:: n(z, y) = A z + W_3\,\phi(W_2\,\phi(W_1 z + o_y))

    with :math:`z` on its running scale, GELU :math:`\phi`, and an offset :math:`o_y` per class that starts at zero (and
    is absent where no class is given). The linear map is there because much of what two codes share is linear.

    Args:
        channels: Width d of the code.
        out_channels: Width of the output.
        hidden: Width of the hidden layers.

    Shapes:
        - code: [n, d]; output: [n, out_channels]
    """

    def __init__(self, channels: int, out_channels: int, hidden: int) -> None:
        super().__init__()
        self.scale = RunningScale(channels)
        self.direct = nn.Linear(channels, out_channels)
        self.first = nn.Linear(channels, hidden)
        self.rest = nn.Sequential(nn.GELU(), nn.Linear(hidden, hidden), nn.GELU(), nn.Linear(hidden, out_channels))
        self.offset = nn.Embedding(_MOST_CLASSES, hidden)
        nn.init.zeros_(self.offset.weight)

    def forward(self, code: Tensor, label: int | None) -> Tensor:
        """The output for codes that are all of one class, or of no stated one."""
        z = self.scale(code)
        hidden = self.first(z)
        if label is not None:
            hidden = hidden + self.offset.weight[min(label, _MOST_CLASSES - 1)]
        return self.direct(z) + self.rest(hidden)
