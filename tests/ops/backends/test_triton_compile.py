"""The fused kernels compile for GPUs; no GPU is needed to compile, and none is asked for.

The interpreter runs kernels as Python and forgives what a compiler does not. Here the launches of real calls are
recorded instead of carried out, and each kernel is compiled with the arguments it was launched with.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from gdsfd.errors import InputError
from gdsfd.ops.bipartite import Bipartite

triton = pytest.importorskip("triton", "3.6", reason="compiling without a GPU is asked for as from Triton 3.6 on")
if os.environ.get("TRITON_INTERPRET") == "1":
    pytest.skip("in this process kernels are interpreted", allow_module_level=True)

from triton.backends.compiler import GPUTarget  # noqa: E402
from triton.compiler import ASTSource  # noqa: E402

from gdsfd.ops.backends import triton as backend  # noqa: E402
from gdsfd.ops.backends.composition import softmax_weight  # noqa: E402
from gdsfd.ops.backends.triton.aggregate import reduce_edges  # noqa: E402
from gdsfd.ops.backends.triton.edge_update import update  # noqa: E402

AMPERE, HOPPER = GPUTarget("cuda", 80, 32), GPUTarget("cuda", 90, 32)
TYPES = {
    torch.float64: "fp64",
    torch.float32: "fp32",
    torch.bfloat16: "bf16",
    torch.float16: "fp16",
    torch.int64: "i64",
    torch.int32: "i32",
}


@dataclass
class Launches:
    """Kernels as they were launched: function, grid, arguments by name."""

    seen: list[tuple[Any, tuple[int, ...], dict[str, Any]]] = field(default_factory=list)

    def compile(self, target: GPUTarget) -> set[str]:
        """Compiles each different launch; returns the kernels' names, with the stage or the way."""
        done = set()
        for kernel, grid, arguments in self.seen:
            assert all(size > 0 for size in grid)
            assert len(grid) == 2
            assert grid[1] < 2**16
            signature, constants, aligned = {}, {}, {}
            for number, parameter in enumerate(kernel.params):
                value = arguments[parameter.name]
                # Triton makes a constant of every 1: a kernel must not treat an argument as a tensor for that
                if parameter.is_constexpr or value is None or (isinstance(value, int) and value == 1):
                    signature[parameter.name], constants[parameter.name] = "constexpr", value
                elif isinstance(value, Tensor):
                    assert value.is_contiguous(), parameter.name
                    signature[parameter.name] = "*" + TYPES[value.dtype]
                    aligned[(number,)] = [["tt.divisibility", 16]]  # as torch allocates
                else:
                    signature[parameter.name] = "i32"
            key = (_label(kernel, arguments), str(signature), str(constants))
            if key not in done:
                done.add(key)
                options = {"num_warps": arguments["num_warps"], "enable_fp_fusion": True}
                made = triton.compile(ASTSource(kernel, signature, constants, aligned), target=target, options=options)
                assert made.asm["cubin"]
                # Row numbers times channels pass 2^31: no product of vectors, as they are, in 32 bits
                products = [line for line in made.asm["ttir"].splitlines() if "arith.muli" in line]
                assert not [line for line in products if "xi32>" in line]
                # An atomic would make the order of additions chance
                assert "atom." not in made.asm["ptx"]
                assert "red.global" not in made.asm["ptx"]
        return {name for name, _, _ in done}


def _label(kernel: Any, arguments: dict[str, Any]) -> str:
    if "STAGE" in arguments:
        return f"{kernel.__name__}, {STAGES[arguments['STAGE']]}"
    if "order" in arguments:
        return f"{kernel.__name__}, {'slice' if arguments['order'] is None else 'walk'}"
    return str(kernel.__name__)


@pytest.fixture
def launches(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Launches:
    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    found = Launches()

    def record(kernel: Any, *values: Any, grid: tuple[int, ...], warmup: bool, **named: Any) -> None:
        names = [parameter.name for parameter in kernel.params]
        arguments = dict(zip(names, values)) | named
        assert len(values) + len(named) == len(arguments)
        assert set(arguments) == {*names, "num_warps"}
        found.seen.append((kernel, grid, arguments))

    monkeypatch.setattr(triton.JITFunction, "run", record)
    return found


def small_graph() -> Bipartite:
    draw = torch.Generator().manual_seed(0)
    left, right = torch.randint(9, (30,), generator=draw), torch.randint(3, (30,), generator=draw)
    return Bipartite.from_edges(left, right, 9, 3)[0]


def leaf(*shape: int, dtype: torch.dtype) -> Tensor:
    return torch.rand(shape).to(dtype).requires_grad_()


STAGES = ("whole", "parts", "combined")
SUMS = {f"add_up, {stage}" for stage in STAGES}
MAXIMA = {f"take_largest, {stage}" for stage in STAGES}
GRADIENTS = {"source_gradient, walk", "source_gradient, slice"}


@pytest.mark.parametrize(
    ("reduce", "columns", "dtype", "channels", "kernels"),
    [
        ("mean", 0, torch.bfloat16, 128, SUMS | GRADIENTS),
        ("mean", 0, torch.float32, 100, SUMS | GRADIENTS),
        ("sum", 1, torch.float16, 1, SUMS | GRADIENTS),
        ("mean", 4, torch.float32, 256, SUMS | GRADIENTS | {"weight_gradient"}),
        ("mean", 128, torch.bfloat16, 128, SUMS | GRADIENTS),
        ("max", 0, torch.float32, 128, MAXIMA | GRADIENTS | {"add_up, combined"}),
        ("max", 1, torch.bfloat16, 12, MAXIMA | GRADIENTS | {"add_up, combined", "weight_gradient"}),
        ("max", 20, torch.float64, 20, MAXIMA | GRADIENTS | {"add_up, combined"}),
    ],
)
def test_aggregation_compiles(
    launches: Launches, reduce: Any, columns: int, dtype: torch.dtype, channels: int, kernels: set[str]
) -> None:
    graph = small_graph()
    for toward, nodes in (("left", 3), ("right", 9)):
        edge = leaf(30, channels, dtype=dtype)
        mask = leaf(30, columns, dtype=dtype) if columns else None
        reduce_edges(leaf(nodes, channels, dtype=dtype), edge, mask, graph, toward, reduce, "relu").sum().backward()
    assert launches.compile(HOPPER) == kernels


def test_older_gpus_compile(launches: Launches) -> None:
    graph = small_graph()
    for toward, nodes in (("left", 3), ("right", 1)):
        node, mask = leaf(nodes, 64, dtype=torch.bfloat16), leaf(30, 1, dtype=torch.bfloat16)
        reduce_edges(node, None, mask, graph, toward, "mean", "none").sum().backward()
    assert launches.compile(AMPERE) == SUMS | {"source_gradient, slice", "weight_gradient"}


def test_scores_compile(launches: Launches) -> None:
    graph = small_graph()
    for toward in ("left", "right"):
        softmax_weight(
            leaf(30, 4, dtype=torch.bfloat16), leaf(30, 1, dtype=torch.bfloat16), graph, toward, backend.peaks
        )
    assert launches.compile(HOPPER) == MAXIMA


@pytest.mark.parametrize(("dtype", "residual"), [(torch.bfloat16, True), (torch.float64, False)])
@pytest.mark.parametrize("one", [False, True])
def test_edge_update_compiles(launches: Launches, dtype: torch.dtype, residual: bool, one: bool) -> None:
    left, right, edge = (leaf(rows, 96, dtype=dtype) for rows in ((1, 1, 30) if one else (9, 3, 30)))
    update(left, right, edge, leaf(30, 96, dtype=dtype) if residual else None, small_graph(), True).sum().backward()
    kernels = {"update_edges", "update_gradient", "add_up, combined"} | (
        {"add_up, parts"} if one else {"add_up, whole"}
    )
    assert launches.compile(HOPPER) == kernels


def test_registers_suffice(launches: Launches, tmp_path: Path) -> None:
    """No kernel of the usual widths keeps tiles in local memory, which lies in the GPU's slow one."""
    tool = Path(triton.__file__).parent / "backends" / "nvidia" / "bin" / "cuobjdump"
    if not tool.exists():
        pytest.skip("this Triton comes without cuobjdump")
    graph = replace(small_graph(), num_left=20_000)  # so many that tiles have their full height
    edge, patients, hubs = (leaf(rows, 128, dtype=torch.float32) for rows in (30, 20_000, 3))
    for toward, node in (("left", hubs), ("right", patients)):
        for reduce, columns in (("mean", 1), ("mean", 128), ("max", 1)):
            mask = leaf(30, columns, dtype=torch.float32)
            reduce_edges(node, edge, mask, graph, toward, reduce, "relu").sum().backward()
    update(patients, hubs, edge, edge, graph, True).sum().backward()
    assert len(launches.compile(HOPPER)) == 11
    for file in tmp_path.rglob("*.cubin"):
        used = subprocess.run([tool, "--dump-resource-usage", file], capture_output=True, text=True, check=True).stdout
        assert " STACK:0 " in used, f"{file.stem}: {used}"


def test_tensors_on_the_cpu_are_refused() -> None:
    with pytest.raises(InputError, match=r"takes CUDA tensors, got one on cpu; move it, or take backend='auto'"):
        backend.aggregate(torch.ones(3, 2), None, small_graph(), "left", "mean", "relu", None, None)
