"""A practice planted among real patients: is it found, and what is averaging it out worth? One JSON line per cohort.

    python benchmarks/planted_practice.py --cohorts uci_heart,support2,physionet2012 --seeds 5

Patients, values, outcomes and patterns are those of a real cohort in ``examples/``; only the practice is ours, so that
the verdict is known while everything else, severity and its clusters included, is as in hospitals. A patient's practice
agrees with the outcome at a rate of ``AGREEMENT`` and acts on three things: in half of the modalities that have
numbers each number moves by ``SHIFT`` standard deviations of its column between the practices, in a direction drawn
per column; two modalities are left out for a patient at a rate of ``LEFT_OUT`` by practice; and with a chance of
``FIDELITY`` the patient's site (four of them, in place of the cohort's own) is one of the practice's. The test patients
stand there three times: with the practice as in training (``test``), independent of the outcome (``test_unbiased``) and
turned round (``test_flipped``). ``none`` is the same with a practice that says nothing of the outcome.
"""

from __future__ import annotations

import argparse
import copy
import time
from typing import Any

import numpy as np
import results_line
import torch
from latent_networks import RIVALS, SETTINGS, SPLITS, SUSPECTS, TRUE_U, lines_of
from latent_strata import true_margin
from numpy.typing import NDArray
from real_shifts import EXAMPLES
from results_line import append_line
from sklearn.metrics import roc_auc_score

import gdsfd
from gdsfd.baselines.baseline import BASELINES
from gdsfd.graph.from_cohort import edge_type
from gdsfd.graph.loader import rows_of
from gdsfd.graph.modality_ablation import hide_observations
from gdsfd.latent.choice import choose_strata
from gdsfd.training.suspects.suspect_facts import suspect_facts

FILE = "planted_practice.jsonl"
AGREEMENT, SHIFT, FIDELITY = 0.9, 1.0, 0.5
LEFT_OUT = (0.5, 0.1)  # by practice
SITES = (("north", "east"), ("south", "west"))  # by practice
MEMBERS = {**SETTINGS, "members": 2, "boosted_members": 1}
Numbers = NDArray[np.int64]


def practices(y: NDArray[np.float64], agreement: float, rng: np.random.Generator) -> dict[str, Numbers]:
    """Everybody's practice, as the patients of each test set have it; where the outcome is unknown it is a coin."""
    own = np.where(np.isfinite(y), np.nan_to_num(y), rng.integers(0, 2, len(y))).astype(np.int64)
    same = np.where(rng.random(len(y)) < agreement, own, 1 - own)
    return {"test": same, "test_unbiased": rng.integers(0, 2, len(y)), "test_flipped": 1 - same}


class Plan:
    """What the practice acts on: drawn once, the same for every patient."""

    def __init__(self, graph: Any, rng: np.random.Generator) -> None:
        fields = {each.name: each for each in graph.schema.modalities}
        numeric = [name for name, each in fields.items() if each.numeric or each.items]
        self.moved = {
            name: rng.choice([-1.0, 1.0], len(fields[name].numeric or fields[name].items))
            for name in rng.permutation(numeric)[: -(-len(numeric) // 2)].tolist()
        }
        total = int(graph["patient"].num_nodes)
        there = {name: graph[edge_type(name)].edge_index.size(1) / total for name in fields}
        often = [name for name, share in there.items() if share >= 0.5]
        self.ordered = rng.choice(often, 2, replace=False).tolist()
        self.draw = rng.random((total, len(fields)))
        self.site_draw, self.site = rng.random(total), rng.integers(0, 2, (total, 2))


def practised(graph: Any, plan: Plan, u: Numbers) -> Any:
    """The graph as it is where patients have these practices."""
    made, practice = copy.deepcopy(graph), torch.from_numpy(u)
    for name, direction in plan.moved.items():
        _move(made, name, torch.from_numpy(direction).float() * SHIFT / 2, practice * 2.0 - 1)
    lost = torch.from_numpy(plan.draw < np.asarray(LEFT_OUT)[u][:, None])
    ordered = torch.tensor([name in plan.ordered for name in graph.schema.names])
    made = hide_observations(made, lost & ordered)
    side = np.where(plan.site_draw < FIDELITY, u, plan.site[:, 0])
    made["patient"].environment = [SITES[a][b] for a, b in zip(side, plan.site[:, 1])]
    return made


def _move(graph: Any, name: str, by: torch.Tensor, side: torch.Tensor) -> None:
    """Moves the numbers of a modality by ``by`` standard deviations of their columns times its patients' side."""
    edges = graph[edge_type(name)]
    owner = edges.edge_index[0]
    if "numeric" in edges:
        spread = torch.from_numpy(np.nanstd(edges.numeric.double().numpy(), axis=0)).float()
        edges.numeric = edges.numeric + side[owner].float()[:, None] * spread * by
        return
    item, run = edges.item.long(), torch.repeat_interleave(owner, edges.run_ptr.diff())
    spread = torch.stack([edges.value[item == each].double().std() for each in range(len(by))]).nan_to_num().float()
    edges.value = edges.value + (side[run] * (spread * by)[item]).float()
    run, item = torch.repeat_interleave(owner, edges.summary_ptr.diff()), edges.summary_item.long()
    edges.summary[:, 1:] += (side[run] * (spread * by)[item]).float()[:, None]  # all but the count


def cohort(name: str, graph: Any, seed: int, agreement: float) -> tuple[dict[str, Any], Numbers]:
    """Test set -> its graph; the practices in training."""
    rng = np.random.default_rng([seed, len(name)])
    y = graph["patient"].y[:, 0].double().numpy()
    drawn, plan = practices(y, agreement, rng), Plan(graph, rng)
    tested = np.isin(np.asarray(graph["patient"].split, dtype=str), "test")
    return {split: practised(graph, plan, np.where(tested, drawn[split], drawn["test"])) for split in SPLITS}, drawn[
        "test"
    ]


def scored(name: str, whole: Any, seed: int, agreement: float, backbone: str) -> dict[str, Any]:
    """Every arm of one cohort."""
    start = time.perf_counter()
    graphs, u = cohort(name, whole, seed, agreement)
    graph = graphs["test"]
    rows = rows_of(graph, "test")
    y = graph["patient"].y[rows, 0].numpy()

    def areas(model: Any) -> dict[str, float]:
        scores = {split: model.predict_proba(each, split="test")[:, 1] for split, each in graphs.items()}
        known = np.isfinite(y)
        return {split: round(float(roc_auc_score(y[known], each[known])), 4) for split, each in scores.items()}

    facts = suspect_facts(graph, SUSPECTS)
    known = torch.cat([rows_of(graph, split) for split in ("train", "tuning")]).numpy()
    labels = graph["patient"].y.numpy().ravel()
    truth = true_margin(u, labels, known[np.isfinite(labels[known])])
    told: dict[str, Any] = {"boosting": None, f"logistic, {TRUE_U}": truth}
    found = {}
    for arm in ("boosting", *RIVALS):
        model = BASELINES.find("logistic_margin" if TRUE_U in arm else arm)(seed)
        found[arm] = areas(model.fit(graph, *([] if arm == "boosting" else [told.get(arm, facts)])))
    choice = choose_strata(graph, 0, SUSPECTS, seed, fit_tuning=False)
    line = {"auroc": found, "strata": choice.to_dict()}
    if backbone:
        model = gdsfd.Debiaser(backbone, "full", seed=seed, **MEMBERS).fit(graph, baselines=False)
        assert model.guard is not None
        found |= {arm: areas(model.use(of)) for arm, of in {"none": "reference", "full": "debiased"}.items()}
        line["choice"] = model.guard.choice
        found["delivered"] = found["full" if model.guard.choice == "debiased" else "none"]
    return line | {"seconds": round(time.perf_counter() - start, 1)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cohorts", default="uci_heart,support2,physionet2012", help="names of specs in examples/")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=20)
    parser.add_argument("--backbone", default="concat", help='"" = only the models of the flattened table')
    parser.add_argument("--worlds", default="practice,none")
    parser.add_argument("--again", metavar="TIME", default="", help="measure anew what is older than this")
    asked = parser.parse_args()
    file = results_line.RESULTS / FILE
    kept = [line for line in lines_of(file) if line["time"] >= asked.again]
    done = {(line["cohort"], line["world"], line["seed"], line["backbone"]) for line in kept}
    for name in asked.cohorts.split(","):
        whole = gdsfd.build_graph(EXAMPLES / f"{name}.toml", progress=False)
        for seed in range(asked.first_seed, asked.first_seed + asked.seeds):
            for world in asked.worlds.split(","):
                if (name, world, seed, asked.backbone) in done:
                    continue
                line = scored(name, whole, seed, AGREEMENT if world == "practice" else 0.5, asked.backbone)
                append_line(FILE, cohort=name, world=world, seed=seed, backbone=asked.backbone, **line)
                print(name, world, seed, line.get("choice"), line["strata"].get("verdict"), line["auroc"], flush=True)


if __name__ == "__main__":
    main()
