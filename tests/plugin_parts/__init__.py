"""Parts of one's own, as a user would write them, and a way to declare them for one test only."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from gdsfd.registry import REGISTRIES


@contextmanager
def declared(*modules: str) -> Iterator[None]:
    """Imports plug-in modules of this folder; afterwards their parts are unknown again.

    Example:
        >>> from gdsfd.cohort.modality_kind import MODALITY_KINDS
        >>> with declared("waveform_kind"):
        ...     "waveform" in MODALITY_KINDS
        True
        >>> "waveform" in MODALITY_KINDS
        False
    """
    for registry in list(REGISTRIES.values()):
        registry.names()
    before = {what: (dict(each._parts), dict(each._modules)) for what, each in REGISTRIES.items()}
    names = [f"{__name__}.{module}" for module in modules]
    try:
        for name in names:
            importlib.import_module(name)
        yield
    finally:
        for name in names:
            sys.modules.pop(name, None)
        for what, (parts, homes) in before.items():
            REGISTRIES[what]._parts, REGISTRIES[what]._modules = parts, homes
