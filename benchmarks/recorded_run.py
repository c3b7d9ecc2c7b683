"""Probabilities of small fixed models, to see whether a change of the code changed any number.

    python benchmarks/recorded_run.py before.npz           # in the checkout before
    python benchmarks/recorded_run.py after.npz before.npz # in the checkout after, on the same machine

Every backbone without debiasing, with ``full`` and with ``prototypes``, two epochs on a simulated cohort of 240
patients, in single and in double precision. The second form prints the largest difference of each model and ends with 1
where one is above 1e-6.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

import gdsfd

SETTINGS = {"max_epochs": 2, "seed": 0, "members": 2, "channels": 16, "batch_size": 64}


def recorded() -> dict[str, np.ndarray]:
    """Probabilities of the test patients by precision, backbone and debiasing."""
    torch.set_num_threads(1)
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        exports = Path(folder) / "exports"
        gdsfd.simulate(exports, patients=240, confounding=0.9, mechanism="mnar", seed=3)
        for dtype in (torch.float32, torch.float64):
            torch.set_default_dtype(dtype)
            graph = gdsfd.build_graph(exports / "spec.toml", progress=False)
            graph = graph.apply(lambda tensor, dtype=dtype: tensor.to(dtype) if tensor.is_floating_point() else tensor)
            for backbone in ("concat", "grape", "muse"):
                for debias in ("none", "full", "prototypes"):
                    model = gdsfd.Debiaser(backbone=backbone, debias=debias, **SETTINGS).fit(graph)
                    found[f"{str(dtype)[6:]} {backbone} {debias}"] = model.predict_proba(graph, split="test")
        torch.set_default_dtype(torch.float32)
    return found


def main() -> None:
    found = recorded()
    np.savez(sys.argv[1], **found)
    if len(sys.argv) > 2:
        before = np.load(sys.argv[2])
        apart = {name: float(np.abs(found[name] - before[name]).max()) for name in found}
        for name, difference in apart.items():
            print(f"{name}: {difference:.1e}")
        raise SystemExit(max(apart.values()) > 1e-6)


if __name__ == "__main__":
    main()
