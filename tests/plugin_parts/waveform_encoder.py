"""An encoder with weights among its features: a convolution over a sampled signal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from torch import Tensor, nn

from gdsfd.cohort.schema import ModalityFields
from gdsfd.nn.encoders import Encoder, register_encoder
from gdsfd.setting_checks import Whole


@register_encoder("waveform")
class WaveformEncoder(Encoder):
    """Two convolutions, the mean over time, and a linear map.

    Shapes:
        - observations: ``signal`` float [E, samples]; output: [E, d]
    """

    #: The tensor that holds the signal.
    key: ClassVar[str] = "signal"

    def __init__(
        self,
        fields: ModalityFields,
        out_channels: int,
        dropout: float = 0.25,
        kernel: Annotated[int, Whole(1, 99)] = 3,
    ) -> None:
        super().__init__(fields, out_channels, dropout)
        self.network = nn.Sequential(
            nn.Conv1d(1, 8, kernel, padding="same"),
            nn.GELU(),
            nn.Conv1d(8, 8, kernel, padding="same"),
            nn.GELU(),
        )
        self.out = nn.Sequential(nn.Dropout(dropout), nn.Linear(8, out_channels))

    def forward(self, observations: Mapping[str, Tensor]) -> Tensor:
        """Encodes each signal into one token."""
        hidden = self.network(observations[self.key].float().unsqueeze(1))  # [E, 8, samples]
        token: Tensor = self.out(hidden.mean(-1))
        return token
