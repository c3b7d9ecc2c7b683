"""Runs the tests of the fused kernels in a process of their own, where Triton interprets them on the CPU.

Triton decides when a kernel is made whether to compile or to interpret it. A process that interprets would count the
backend as usable, which every other test of this suite should find only where there is a GPU.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from gdsfd.ops.backends import available

TESTS = Path(__file__).with_name("triton")
INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"


@pytest.mark.skipif(INTERPRETED, reason="this process interprets kernels itself")
def test_kernels_in_the_interpreter() -> None:
    pytest.importorskip("triton")
    command = [sys.executable, "-m", "pytest", str(TESTS), "-p", "no:cacheprovider", "--tb=short"]
    done = subprocess.run(
        command, cwd=TESTS.parents[3], env={**os.environ, "TRITON_INTERPRET": "1"}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
    assert "skipped" not in done.stdout


@pytest.mark.skipif(INTERPRETED, reason="this process interprets kernels itself")
def test_usable_only_with_a_gpu() -> None:
    assert ("triton" in available()) == (torch.cuda.is_available() and "triton" in sys.modules)
