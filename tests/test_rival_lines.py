"""The table of a first look at the rivals follows from its lines."""

from __future__ import annotations

import json
from typing import Any

from tests.test_documentation import docs_module

pages = docs_module("rival_lines")

RUN = {"run": "1", "command": "python x.py", "commit": "0123456789ab", "dirty": False, "time": "2026-01-02T00:00"}


def fit(arm: str, seed: int, unbiased: float, backbone: str = "concat", **other: Any) -> dict[str, Any]:
    areas = {"test": 0.9, "test_unbiased": unbiased, "test_flipped": 0.5}
    splits = {split: {"n": 10, "auroc": area} for split, area in areas.items()}
    return {
        "design": "confounded", "holdout": None, "seed": seed, "backbone": backbone, "arm": arm, "seconds": 2.0 + seed,
        "splits": splits, **other,
    }  # fmt: skip


def test_forced_networks_stand_in_order_with_their_means(tmp_path):
    guard = {"guard": {"choice": "reference", "failed": False}}
    lines = [RUN | {"settings": {"members": 1}}, fit("none", 0, 0.70), fit("none", 1, 0.72)]
    lines += [fit("irm", 0, 0.70, **guard), fit("irm (forced)", 0, 0.80), fit("irm (forced)", 1, 0.84)]
    lines += [fit("logistic_margin", 0, 0.9, backbone="", seconds=1.0), fit("oracle", 0, 0.95, backbone="")]
    file = tmp_path / "fits.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    text = "\n".join(pages.rivals(file))
    rows = [part.split("\n     - ") for part in text.split("\n   * - ")[2:]]
    found = [(row[0], row[1], row[3]) for row in rows]
    assert found == [
        ("–", "oracle (1 of 2 seeds)", "0.950"),
        ("–", "``logistic_margin`` (1 of 2 seeds)", "0.900"),
        ("concat", "``irm``", "0.820"),
        ("concat", "ERM", "0.710"),
    ]
    assert "confounded, seeds 0, 1" in text
    assert "``python x.py`` (2026-01-02, ``01234567``; members = 1)" in text
