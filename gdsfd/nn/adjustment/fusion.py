"""How a head joins a patient's code with the centre of a stratum."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from gdsfd.errors import InputError, near_names
from gdsfd.nn.adjustment.pair_layer import pair_layer
from gdsfd.nn.dropout import Dropout

__all__ = ["Add", "Concat", "CrossAttention", "Film", "Fusion", "Gate", "build_fusion", "known_fusions"]

#: Width of the hidden layer by default. Its cost is patients x strata x width, which a backbone's layers do not have.
HIDDEN = 32


def known_fusions() -> tuple[str, ...]:
    """The names that :func:`build_fusion` takes."""
    return tuple(_FUSIONS)


def build_fusion(
    name: str,
    channels: int,
    outputs: int,
    hidden: int | None = None,
    dropout: float = 0.0,
    center_channels: int | None = None,
) -> Fusion:
    """Builds a fusion by name; the arguments are those of :class:`Fusion`.

    Raises:
        InputError: The name is unknown.

    Example:
        >>> build_fusion("film", 4, 1)(torch.zeros(2, 4), torch.zeros(3, 4)).shape
        torch.Size([2, 3, 1])
    """
    if name not in _FUSIONS:
        raise InputError(f"unknown fusion {name!r}.{near_names(name, _FUSIONS)}")
    return _FUSIONS[name](channels, outputs, hidden, dropout, center_channels)


class Fusion(nn.Module, ABC):
    r"""A head :math:`f(z, c)` on every pair of a patient's code :math:`z` and a centre :math:`c`.

    Layers on codes and on centres are applied before pairs are formed, so that what is as large as patients x centres
    has the hidden width only, never the width of two codes.

    Args:
        channels: Width d of a patient's code.
        outputs: Outputs o.
        hidden: Width of the hidden layer; default :data:`HIDDEN`.
        dropout: Of numbers of the code (centres are shared by all patients and stay whole).
        center_channels: Width of a centre; default: that of a code.

    Shapes:
        code [B, d]; centers [S, d] for all patients or [B, T, d] for each; returns logits [B, S or T, o].
    """

    def __init__(
        self,
        channels: int,
        outputs: int,
        hidden: int | None = None,
        dropout: float = 0.0,
        center_channels: int | None = None,
    ) -> None:
        super().__init__()
        self.channels, self.outputs = channels, outputs
        self.center_channels = channels if center_channels is None else center_channels
        self.hidden = HIDDEN if hidden is None else hidden
        self.dropout = Dropout(dropout)
        self._add_layers(channels, outputs)

    @abstractmethod
    def _add_layers(self, channels: int, outputs: int) -> None:
        """The layers; ``out`` is the last one."""

    def forward(self, code: Tensor, centers: Tensor) -> Tensor:
        """Logits of every patient under every centre.

        Args:
            code: [B, d].
            centers: [S, d], or [B, T, d].

        Returns:
            float [B, S or T, o].
        """
        return self.pairs(self.dropout(code), centers)

    def own(self, code: Tensor, centers: Tensor) -> Tensor:
        """Logits of every patient under one centre each.

        Args:
            code: [B, d].
            centers: [B, d].

        Returns:
            float [B, o].
        """
        return self(code, centers.unsqueeze(1)).squeeze(1)

    @abstractmethod
    def pairs(self, code: Tensor, centers: Tensor) -> Tensor:
        """As :meth:`forward`, after dropout."""

    def start_from(self, bias: Tensor) -> None:
        """Sets the bias of the last layer, for a start at the outcome's rate.

        Args:
            bias: Logits, [o].
        """
        with torch.no_grad():
            self.last_bias.copy_(bias)

    @property
    def last_bias(self) -> Tensor:
        """The bias of the last layer, [o]."""
        out = self.out
        assert isinstance(out, nn.Linear)
        return out.bias

    def extra_repr(self) -> str:
        return f"{self.channels}, {self.outputs}, hidden={self.hidden}"


class Concat(Fusion):
    r"""One hidden layer on both: :math:`V \operatorname{relu}(W_z z + W_c c + b) + a`."""

    def _add_layers(self, channels: int, outputs: int) -> None:
        self.of_code = nn.Linear(channels, self.hidden)
        self.of_center = nn.Linear(self.center_channels, self.hidden, bias=False)
        self.out = nn.Linear(self.hidden, outputs)

    def pairs(self, code: Tensor, centers: Tensor) -> Tensor:
        return pair_layer(self.of_code(code), self.of_center(centers), self.out.weight, self.out.bias)


class Add(Fusion):
    r"""No hidden layer: :math:`V_z z + V_c c + a`.

    Each stratum moves all patients' logits by the same amount, so an adjustment over strata that all patients share
    cannot change the order of patients: exactly so for the mean centre, and for the mean probability because a mixture
    of shifted sigmoids rises with :math:`V_z z`.
    """

    def _add_layers(self, channels: int, outputs: int) -> None:
        self.out = nn.Linear(channels, outputs)
        self.of_center = nn.Linear(self.center_channels, outputs, bias=False)

    def pairs(self, code: Tensor, centers: Tensor) -> Tensor:
        return _paired(self.patient_part(code), self.stratum_part(centers))

    def patient_part(self, code: Tensor) -> Tensor:
        """The patient's part of the logits, with the bias: [B, o]."""
        return self.out(code)

    def stratum_part(self, centers: Tensor) -> Tensor:
        """The stratum's part of the logits: [..., o]."""
        return self.of_center(centers)


class Film(Fusion):
    r"""The centre scales and shifts the layer: :math:`V \operatorname{relu}((1 + \gamma(c)) \odot W z + \beta(c))`.

    References:
        Perez et al., FiLM, AAAI 2018.
    """

    def _add_layers(self, channels: int, outputs: int) -> None:
        self.of_code = nn.Linear(channels, self.hidden)
        self.of_center = nn.Linear(self.center_channels, 2 * self.hidden)
        self.out = nn.Linear(self.hidden, outputs)

    def pairs(self, code: Tensor, centers: Tensor) -> Tensor:
        scale, shift = self.of_center(centers).chunk(2, dim=-1)
        hidden = torch.addcmul(shift, self.of_code(code).unsqueeze(1), 1 + scale)  # [B, S, H]
        return self.out(hidden.relu_())


class Gate(Fusion):
    r"""A gate of both chooses between them: :math:`V (g \odot W_z z + (1 - g) \odot W_c c)`.

    With :math:`g = \sigma(U_z z + U_c c + b)`.
    """

    def _add_layers(self, channels: int, outputs: int) -> None:
        self.of_code = nn.Linear(channels, 2 * self.hidden)
        self.of_center = nn.Linear(self.center_channels, 2 * self.hidden, bias=False)
        self.out = nn.Linear(self.hidden, outputs)

    def pairs(self, code: Tensor, centers: Tensor) -> Tensor:
        value, asked = self.of_code(code).chunk(2, dim=-1)
        other, offered = self.of_center(centers).chunk(2, dim=-1)
        gate = _paired(asked, offered).sigmoid()
        return self.out(torch.lerp(other, value.unsqueeze(1), gate))


class CrossAttention(Fusion):
    r"""The code asks the centre, and what it gets is added to the hidden layer.

    With a query :math:`q` of the code, a key and a value of the centre:

    .. math:: V \operatorname{relu}\big(W z + b + \sigma\big(q(z)^\top k(c) / \sqrt{H} + e\big) \, v(c)\big)

    The weight of one centre does not depend on which other centres there are (a softmax over all would make the
    average over strata depend on the patient); :math:`\sigma` is a softmax against nothing. The tokens of a patient's
    observations do not ask: they are not behind the causal stream's mask.
    """

    def _add_layers(self, channels: int, outputs: int) -> None:
        self.of_code = nn.Linear(channels, self.hidden)
        self.query = nn.Linear(channels, self.hidden)
        self.key_value = nn.Linear(self.center_channels, 2 * self.hidden)
        self.rest = nn.Parameter(torch.zeros(1))
        self.out = nn.Linear(self.hidden, outputs)

    def pairs(self, code: Tensor, centers: Tensor) -> Tensor:
        key, value = self.key_value(centers).chunk(2, dim=-1)
        query = self.query(code)
        score = query @ key.t() if key.dim() == 2 else torch.einsum("bh,bth->bt", query, key)
        weight = torch.sigmoid(score / self.hidden**0.5 + self.rest)  # [B, S]
        hidden = torch.addcmul(self.of_code(code).unsqueeze(1), weight.unsqueeze(-1), value)
        return self.out(hidden.relu_())


def _paired(of_code: Tensor, of_center: Tensor) -> Tensor:
    """[B, H] and [S, H] or [B, T, H] -> [B, S or T, H]."""
    return of_code.unsqueeze(1) + of_center


_FUSIONS: dict[str, type[Fusion]] = {
    "concat": Concat,
    "add": Add,
    "film": Film,
    "gate": Gate,
    "cross_attention": CrossAttention,
}
