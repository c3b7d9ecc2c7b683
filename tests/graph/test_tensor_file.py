"""The file is the one that safetensors itself writes, byte for byte."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from gdsfd.graph import tensor_file
from gdsfd.graph.tensor_file import write_tensors

TYPES = list(tensor_file._NAMES)


def of_type(dtype: torch.dtype, shape: tuple[int, ...]) -> Tensor:
    numbers = torch.arange(int(torch.tensor(shape).prod()) if shape else 1).reshape(shape) % 100
    return numbers.to(dtype)


def as_the_library(tensors: dict[str, Tensor], folder: Path) -> bytes:
    save_file({name: tensor.contiguous().clone() for name, tensor in tensors.items()}, folder / "library")
    return (folder / "library").read_bytes()


@pytest.mark.parametrize("piece", [1, 7, 1 << 26])
def test_every_type_and_shape(piece: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensor_file, "_PIECE", piece)
    shapes = [(), (0,), (3,), (2, 5), (0, 4), (4, 0), (2, 3, 2)]
    order = [(dtype, shape) for shape in shapes for dtype in reversed(TYPES)]
    tensors = {f"{k % 11}.t{k}": of_type(dtype, shape) for k, (dtype, shape) in enumerate(order)}
    write_tensors(tensors, tmp_path / "ours")
    assert (tmp_path / "ours").read_bytes() == as_the_library(tensors, tmp_path)
    again = load_file(tmp_path / "ours")
    assert all(
        torch.equal(again[name], tensor) and again[name].dtype == tensor.dtype for name, tensor in tensors.items()
    )


@pytest.mark.parametrize("name", ["y", "10.a", "2.a", 'a"b\\c', "Ж \u2028 \n\t\x01", "", "😀"])
def test_every_name(name: str, tmp_path: Path) -> None:
    tensors = {"z": torch.ones(2), name: torch.zeros(3, dtype=torch.int32), "é": torch.ones(1)}
    write_tensors(tensors, tmp_path / "ours")
    assert (tmp_path / "ours").read_bytes() == as_the_library(tensors, tmp_path)


def test_no_tensor_at_all(tmp_path: Path) -> None:
    write_tensors({}, tmp_path / "ours")
    assert (tmp_path / "ours").read_bytes() == as_the_library({}, tmp_path)


def test_parts_of_a_larger_tensor_and_other_layouts(tmp_path: Path) -> None:
    whole = torch.arange(100_000.0).reshape(1000, 100)
    tensors = {"rows": whole[10:20], "columns": whole[:5, ::7], "turned": whole[:3].t(), "again": whole[10:20]}
    tensors |= {"one": whole[:, ::7][3:4, :1].t(), "none": torch.ones(2).expand(0, 2), "same": torch.ones(1).expand(4)}
    tensors["learned"] = torch.nn.Parameter(torch.ones(3))
    write_tensors(tensors, tmp_path / "ours")
    found = load_file(tmp_path / "ours")
    assert all(torch.equal(found[name], tensor.detach()) for name, tensor in tensors.items())
    assert (tmp_path / "ours").stat().st_size < 20_000  # of 400,000 bytes


def test_another_order_of_bytes_is_left_to_the_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = {}
    monkeypatch.setattr(sys, "byteorder", "big")
    monkeypatch.setattr(tensor_file, "save_file", lambda tensors, file: written.update(tensors))
    write_tensors({"a": torch.ones(2)}, tmp_path / "ours")
    assert torch.equal(written["a"], torch.ones(2))


def test_a_type_that_no_graph_has(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="complex64"):
        write_tensors({"a": torch.ones(2, dtype=torch.complex64)}, tmp_path / "ours")
