"""These tests interpret kernels: collected only where ``TRITON_INTERPRET=1`` was set, by ``../test_triton.py``."""

from __future__ import annotations

import os

collect_ignore_glob = [] if os.environ.get("TRITON_INTERPRET") == "1" else ["*.py"]
