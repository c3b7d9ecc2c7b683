"""Tensors as a safetensors file, written piece by piece: the library's own writer holds all of them a second time.

The file is that of ``safetensors.torch.save_file``, byte for byte.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

__all__ = ["write_tensors"]

#: Names of the types, in the order in which the format has tensors: the widest first.
_NAMES = {
    torch.int64: "I64",
    torch.float64: "F64",
    torch.float32: "F32",
    torch.int32: "I32",
    torch.bfloat16: "BF16",
    torch.float16: "F16",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}
_ORDER = {name: place for place, name in enumerate(_NAMES.values())}
_PIECE = 1 << 26  #: bytes that are written at a time


def write_tensors(tensors: Mapping[str, Tensor], file: Path) -> None:
    """Writes tensors to a file.

    Args:
        tensors: The tensors, by name. Those that share memory are written each for itself.
        file: Where to.

    Raises:
        KeyError: A tensor's type is none of those that a graph has.
        OSError: The file cannot be written, or the disk is full.
    """
    if sys.byteorder != "little":  # the format's order of bytes
        save_file({name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}, file)
        return
    names = sorted(tensors, key=lambda name: (_ORDER[_NAMES[tensors[name].dtype]], name.encode()))
    header, place = {}, 0
    for name in names:
        tensor = tensors[name]
        end = place + tensor.numel() * tensor.element_size()
        header[name] = {"dtype": _NAMES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [place, end]}
        place = end
    told = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    told += b" " * (-len(told) % 8)
    with file.open("wb") as out:
        out.write(len(told).to_bytes(8, "little") + told)
        for name in names:
            tensor = tensors[name].detach().cpu().contiguous()
            row = tensor.as_strided(
                (tensor.numel(),), (1,), tensor.storage_offset()
            )  # of one value any stride is right
            content = row.view(torch.uint8).numpy()
            for begin in range(0, len(content), _PIECE):
                out.write(content[begin : begin + _PIECE].data)
