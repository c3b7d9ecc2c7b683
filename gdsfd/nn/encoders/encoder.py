"""The encoder protocol, and the registry of encoders by kind of modality."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar

from torch import Tensor, nn

from gdsfd.cohort.schema import ModalityFields
from gdsfd.errors import InputError
from gdsfd.nn.encoders.event_sequence import SequenceName
from gdsfd.nn.named_part import build_part, check_part
from gdsfd.registry import Registry
from gdsfd.setting_checks import brief

__all__ = ["ENCODERS", "Encoder", "build_encoder", "check_encoder_options", "encoder_of", "register_encoder"]

ENCODERS: Registry[type[Encoder]] = Registry("encoder", ["gdsfd.nn.encoders"])

#: Parameters of an encoder that are no options: the network and other settings fill them in.
_FILLED_IN = ("fields", "out_channels", "dropout", "sequence")

EncoderType = TypeVar("EncoderType", bound="type[Encoder]")


class Encoder(nn.Module, ABC):
    """Turns one modality's observations into tokens of one width.

    This much is asked of every encoder; what it computes may have weights from the first layer on, such as a
    convolution over a waveform. An encoder whose features have none is a
    :class:`~gdsfd.nn.encoders.feature_encoder.FeatureEncoder`, and is given more: features worked out once for all
    patients, their statistics and relevance, cells for backbones that read single values.

    In evaluation mode a token must not depend on the other observations of the batch.

    Args:
        fields: The modality's fitted description.
        out_channels: Width d of the tokens.
        dropout: Dropout probability.
    """

    #: Whether the class takes ``sequence`` (the setting of that name), beside its own options.
    takes_sequence: ClassVar[bool] = False

    def __init__(self, fields: ModalityFields, out_channels: int, dropout: float = 0.25) -> None:
        super().__init__()
        self.out_channels = out_channels

    @abstractmethod
    def forward(self, observations: Mapping[str, Tensor]) -> Tensor:
        """Encodes each observation into one token, float [E, d].

        Args:
            observations: The modality's tensors for a batch's patients, as in
                :class:`~gdsfd.graph.patient_batch.PatientBatch`.
        """


def register_encoder(kind: str) -> Callable[[EncoderType], EncoderType]:
    """Class decorator that declares the encoder of a kind of modality.

    Args:
        kind: The kind, as specs name it.

    Raises:
        InputError: The kind has another encoder.
    """
    return ENCODERS.register(kind)


def encoder_of(fields: ModalityFields) -> type[Encoder]:
    """The class that encodes a modality.

    Raises:
        InputError: No encoder is declared for the modality's kind.
    """
    return ENCODERS.find(fields.kind, f"modality {fields.name!r}")


def check_encoder_options(options: Mapping[str, Any]) -> None:
    """Refuses options of encoders that they do not take, and options of unknown kinds.

    Args:
        options: Kind -> the options of its encoder.

    Raises:
        InputError: Names what is wrong.
    """
    for kind, own in options.items():
        field = f"setting 'encoder_options': {kind!r}"
        if not isinstance(own, Mapping):
            raise InputError(f"{field}: expected a mapping of options to values, got {brief(own)}")
        check_part(ENCODERS, kind, own, _FILLED_IN, "setting 'encoder_options'")


def build_encoder(
    fields: ModalityFields,
    out_channels: int,
    dropout: float = 0.25,
    sequence: SequenceName = "none",
    **options: Any,
) -> Encoder:
    """The encoder of one modality, by its kind.

    Args:
        fields: The modality's fitted description.
        out_channels: Width d of its tokens.
        dropout: Dropout probability.
        sequence: For events: the view over time that is added to the summaries, or ``"none"``.
        **options: The encoder's own options.

    Raises:
        InputError: No encoder is declared for the kind, or it does not take an option.
    """
    if encoder_of(fields).takes_sequence:
        options = {"sequence": sequence, **options}
    return build_part(ENCODERS, fields.kind, fields, out_channels, dropout, **options)
