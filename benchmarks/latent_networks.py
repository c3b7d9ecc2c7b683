"""Networks beside found strata, their rivals, and what knowing the practice would give: one JSON line per arm and seed.

    python benchmarks/latent_networks.py --seeds 2
    python benchmarks/latent_networks.py --table

Simulated cohorts of 2,500 patients, one for each design and seed; AUROC on ``test``, ``test_unbiased`` and
``test_flipped``. Networks are shown as they were trained, without a guard; strata are used where the evidence says that
they are a practice. Seeds start at 20: what was chosen was chosen on others. A line that is there is not made again, so
that a run which was cut off goes on.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import results_line
import torch
from latent_strata import true_margin
from scipy.stats import t
from sklearn.metrics import roc_auc_score

import gdsfd
from gdsfd.baselines.boosting_margin import BoostingMargin
from gdsfd.baselines.boosting_strata import BoostingStrata
from gdsfd.baselines.latent_linear import LatentLinear
from gdsfd.baselines.logistic_margin import LogisticMargin
from gdsfd.comparison.capacity_matching import match_capacity
from gdsfd.graph.loader import rows_of
from gdsfd.graph.patient_store import PatientStore
from gdsfd.nn.losses import Targets
from gdsfd.nn.objectives import ErmObjective
from gdsfd.nn.streams.config import PRESETS, StreamConfig
from gdsfd.simulation import load_truth
from gdsfd.training.arm import Arm, build_network
from gdsfd.training.config import TrainConfig
from gdsfd.training.inference import predict
from gdsfd.training.loop import train
from gdsfd.training.suspects.suspect_facts import suspect_facts

FILE = "latent_networks.jsonl"
DESIGNS = (
    "latent",
    "confounded",
    "latent_faint",
    "latent_nonlinear",
    "three_practices",
    "no_bias",
    "label_noise",
    "causal_bias",
    "graded",
    "no_environment",
    "nonlinear",
)
#: Designs that are a preset with another share of wrong training labels.
NOISE = {
    f"{name}_noise_{share:.0%}".rstrip("%"): (preset, {"label_noise": share})
    for name, preset in (("label", "label_noise"), ("confounded", "confounded"))
    for share in (0.1, 0.25, 0.4)
    if (preset, share) != ("label_noise", 0.25)  # the preset itself
}
SPLITS = ("test", "test_unbiased", "test_flipped")
SUSPECTS = ("pattern", "environment")
SETTINGS: dict[str, Any] = {
    "members": 1,
    "learning_rate": 1e-3,
    "patience": 6,
    "max_epochs": 40,
    "accelerator": "cpu",
}
STREAMS = PRESETS["streams"]
assert STREAMS is not None
#: Arms of a network.
MODES: dict[str, StreamConfig | None] = {
    "none": None,
    "margin": PRESETS["margin"],
    "latent": PRESETS["latent"],
    "streams beside margin": replace(STREAMS, found_strata="no"),
    "streams": STREAMS,
    "streams without dependence": replace(STREAMS, information="none"),
    "streams with plain cross-entropy": replace(STREAMS, q=0.01),
    "streams with proxy loss": replace(STREAMS, suspect_weight=0.3),
    "streams with suspects unreadable": replace(STREAMS, information="grl"),  # z_c independent of E given y
}
#: The mode ``latent`` in a network that is as large as that of ``streams``.
MATCHED = "latent as large as streams"
TRUE_U = "margin of the true U"
RIVALS = ("logistic_margin", "boosting_margin", "latent_linear", "boosting_strata", f"logistic, {TRUE_U}")


def cohort(design: str, seed: int, patients: int) -> tuple[Any, Any]:
    """A graph, and the truth in the order of its patients."""
    with tempfile.TemporaryDirectory() as folder:
        preset, options = NOISE.get(design, (design, {}))
        gdsfd.simulate(folder, patients=patients, seed=seed, preset=preset, **options)
        graph = gdsfd.build_graph(Path(folder) / "spec.toml", progress=False)
        return graph, load_truth(folder).patients.reindex(graph["patient"].id)


def network_arms(
    graph: Any, u: np.ndarray, backbone: str, seed: int
) -> dict[str, Callable[[], tuple[np.ndarray, dict[str, Any]]]]:
    """Name -> what trains an arm and scores all patients."""
    config = TrainConfig.from_settings(SETTINGS).resolved(len(rows_of(graph, "train")))
    store, everybody = PatientStore(graph), torch.arange(len(u))

    def mode(streams: StreamConfig | None, config: TrainConfig = config) -> tuple[np.ndarray, dict[str, Any]]:
        fitted = Arm(backbone, streams, config, seed, SUSPECTS).fit(graph, store=store)
        told = {"epochs": fitted.state.epoch, "best_epoch": fitted.state.best_epoch}
        if fitted.suspect_signal.strata:
            told["strata"] = fitted.suspect_signal.strata
        return predict(fitted.network, store, everybody).probability[:, 1], told

    def true_u() -> tuple[np.ndarray, dict[str, Any]]:
        network = build_network(graph.schema, backbone, None, config, seed)
        y = graph["patient"].y
        margin = true_margin(u, y.numpy().ravel(), _fitted(graph)).margin
        targets = Targets(y, everybody, margin=torch.from_numpy(margin).float())
        state = train(network, graph, config, seed, objective=ErmObjective(margin=True), targets=targets, store=store)
        return predict(network.cpu(), store, everybody).probability[:, 1], {"epochs": state.epoch}

    arms = {name: (lambda streams=streams: mode(streams)) for name, streams in MODES.items()}
    return {
        **arms,
        MATCHED: lambda: mode(MODES["latent"], match_capacity(graph.schema, backbone, STREAMS, config)),
        TRUE_U: true_u,
    }


def rival_arms(graph: Any, u: np.ndarray, seed: int) -> dict[str, Callable[[], tuple[np.ndarray, dict[str, Any]]]]:
    """The same of the flattened table's models."""
    facts = suspect_facts(graph, SUSPECTS)
    models = {
        "logistic_margin": LogisticMargin(seed),
        "boosting_margin": BoostingMargin(seed),
        "latent_linear": LatentLinear(seed),
        "boosting_strata": BoostingStrata(seed),
        f"logistic, {TRUE_U}": LogisticMargin(seed),
    }

    def scores(name: str) -> tuple[np.ndarray, dict[str, Any]]:
        own = TRUE_U in name
        told = true_margin(u, graph["patient"].y.numpy().ravel(), _fitted(graph)) if own else facts
        return models[name].fit(graph, told).predict_proba(graph)[:, 1], {}

    return {name: (lambda name=name: scores(name)) for name in models}


def _fitted(graph: Any) -> np.ndarray:
    """Labelled patients of ``train`` and ``tuning``."""
    rows = torch.cat([rows_of(graph, split) for split in ("train", "tuning")]).numpy()
    return rows[np.isfinite(graph["patient"].y.numpy().ravel()[rows])]


def lines_of(file: Path) -> list[dict[str, Any]]:
    """What has been measured so far."""
    return [json.loads(text) for text in file.read_text().splitlines()] if file.is_file() else []


def measure(design: str, seed: int, patients: int, backbones: list[str], file: Path, only: list[str]) -> None:
    """All arms (or only those named) of one cohort that are not in the file yet."""
    keys = ("design", "seed", "patients", "backbone", "arm")
    done = {tuple(line[key] for key in keys) for line in lines_of(file)}
    names = {"": RIVALS, **{backbone: (*MODES, MATCHED, TRUE_U) for backbone in backbones}}
    missing = {
        backbone: [
            name for name in arms if name in (only or arms) and (design, seed, patients, backbone, name) not in done
        ]
        for backbone, arms in names.items()
    }
    if not any(missing.values()):
        return
    graph, truth = cohort(design, seed, patients)
    split, y, u = truth["split"].to_numpy(dtype=str), truth["y"].to_numpy(), truth["u"].to_numpy()
    for backbone, arms in missing.items():
        ways = network_arms(graph, u, backbone, seed) if backbone else rival_arms(graph, u, seed)
        for arm in arms:
            if design == "graded" and TRUE_U in arm:
                continue  # a number has no table of log P(y | u)
            start = time.perf_counter()
            score, told = ways[arm]()
            areas = {part: round(float(roc_auc_score(y[split == part], score[split == part])), 4) for part in SPLITS}
            told["seconds"] = round(time.perf_counter() - start, 1)
            named = dict(zip(keys, (design, seed, patients, backbone, arm)))
            results_line.append_line(file, **named, auroc=areas, **told)
            print(*named.values(), areas, flush=True)


#: Pairs of arms whose differences are given: backbone and arm each.
PAIRS = (
    (("concat", "latent"), ("concat", "margin")),
    (("concat", "latent"), ("", "latent_linear")),
    (("concat", "latent"), ("", "boosting_strata")),
    (("concat", "latent"), ("concat", MATCHED)),
    (("concat", "latent"), ("concat", TRUE_U)),
    (("concat", "streams"), ("concat", "none")),
    (("concat", "streams"), ("concat", "latent")),
    (("concat", "streams"), ("concat", "streams beside margin")),
    (("concat", "streams"), ("", "boosting_strata")),
    (("concat", "streams"), ("concat", "streams without dependence")),
    (("concat", "streams"), ("concat", "streams with plain cross-entropy")),
    (("concat", "streams"), ("concat", "streams with proxy loss")),
    (("concat", "streams"), ("concat", "streams with suspects unreadable")),
    (("concat", "streams beside margin"), ("concat", "margin")),
    (("muse", "latent"), ("muse", "margin")),
    (("muse", "streams"), ("muse", "latent")),
)


def table(lines: list[dict[str, Any]]) -> str:
    """Means over seeds, unbiased / flipped: designs down, arms across; the number of seeds where there are several."""
    arms = list(dict.fromkeys((line["backbone"], line["arm"]) for line in lines))
    rows = ["| design | " + " | ".join(f"{b} {a}".strip() for b, a in arms) + " |", "|---" * (len(arms) + 1) + "|"]
    for design in dict.fromkeys(line["design"] for line in lines):
        cells = []
        for arm in arms:
            found = [line for line in lines if (line["design"], line["backbone"], line["arm"]) == (design, *arm)]
            means = (np.mean([line["auroc"][split] for line in found]) for split in SPLITS[1:]) if found else ()
            seeds = f" ({len(found)})" if len(found) > 1 else ""
            cells.append(" / ".join(f"{mean:.3f}".lstrip("0") for mean in means) + seeds or "–")
        rows.append(f"| `{design}` | " + " | ".join(cells) + " |")
    return "\n".join(rows)


def differences(lines: list[dict[str, Any]]) -> str:
    """Paired differences over three seeds or more, with 95 % t intervals."""
    rows = ["| design | difference | seeds | unbiased | flipped |", "|---|---|---|---|---|"]
    for design in dict.fromkeys(line["design"] for line in lines):
        for pair in PAIRS:
            one, two = (
                {
                    line["seed"]: line["auroc"]
                    for line in lines
                    if (line["design"], line["backbone"], line["arm"]) == key
                }
                for key in ((design, *arm) for arm in pair)
            )
            seeds = sorted(set(one) & set(two))
            if len(seeds) < 3:
                continue
            cells = []
            for split in SPLITS[1:]:
                gaps = np.array([one[seed][split] - two[seed][split] for seed in seeds])
                half = t.ppf(0.975, len(gaps) - 1) * gaps.std(ddof=1) / len(gaps) ** 0.5
                cells.append(f"{gaps.mean():+.3f} [{gaps.mean() - half:+.3f}, {gaps.mean() + half:+.3f}]")
            names = " − ".join(f"{b} {a}".strip() for b, a in pair)
            rows.append(f"| `{design}` | {names} | {len(seeds)} | " + " | ".join(cells) + " |")
    return "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--designs", default=",".join(DESIGNS))
    parser.add_argument("--backbones", default="concat")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--first-seed", type=int, default=20)
    parser.add_argument("--arms", default="", help="comma-separated; default: all")
    parser.add_argument("--patients", type=int, default=2500)
    parser.add_argument("--table", action="store_true", help="print the means of what there is, and measure nothing")
    asked = parser.parse_args()
    file = results_line.RESULTS / FILE
    if asked.table:
        print(table(lines_of(file)), differences(lines_of(file)), sep="\n\n")
        return
    for seed in range(asked.first_seed, asked.first_seed + asked.seeds):
        for design in asked.designs.split(","):
            backbones, only = ([name for name in each.split(",") if name] for each in (asked.backbones, asked.arms))
            measure(design, seed, asked.patients, backbones, file, only)


if __name__ == "__main__":
    main()
