"""Whether explanations tell what moved the scores: one JSON line per backbone and seed.

    python benchmarks/explanations.py --seeds 3
    python benchmarks/explanations.py --summary

Simulated cohorts of 2,500 patients (preset ``confounded``), ``full`` as it was trained, four members, two of them
beside trees; 200 patients of ``test_unbiased``. Three questions:

deletion       values that speak for what was predicted are taken away, the strongest first: mean of the log-odds (in
               favour of what was predicted) along the way, less that of five random orders; below 0 is right
three          of the top three values of a patient's score, the share that is causal by the simulation's truth (drawn
               at random: the share of the patient's values that is), and of how many patients the first one is
biased stream  mean effect of a biased column over that of a causal one, in what the biased stream reads and in the
               score

Seconds are per patient, on one thread.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from typing import Any

import numpy as np
import pandas as pd
import results_line
from latent_networks import lines_of
from results_line import append_line
from scipy.stats import t

import gdsfd
from gdsfd.graph.column_ablation import columns_of
from gdsfd.graph.patient_store import PatientStore
from gdsfd.simulation import load_truth
from gdsfd.training.explanation.cell_worth import deletion_curve
from gdsfd.training.explanation.log_odds import LogOdds

FILE = "explanations.jsonl"
PATIENTS, ORDERS = 200, 5


def roles_of(folder: str) -> dict[tuple[str, str], str]:
    """Modality and column, or number of a vector's component -> its role by the truth."""
    found = {}
    for modality, own in load_truth(folder).masks.items():
        for place, (column, role) in enumerate(own.items()):
            found[modality, column] = found[modality, str(place)] = role
    return found


def interval(values: np.ndarray) -> dict[str, float]:
    """Mean with its 95 % t interval."""
    half = t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / len(values) ** 0.5
    return {"mean": round(float(values.mean()), 4), "low": round(float(values.mean() - half), 4)} | {
        "high": round(float(values.mean() + half), 4)
    }


def below_random(graph: Any, model: gdsfd.Debiaser, found: Any, seed: int) -> np.ndarray:
    """Of each patient, the mean along the way less that of random orders; [n]."""
    store, columns = PatientStore(graph), list(columns_of(graph.schema))
    place = {(each.modality.name, each.name): number for number, each in enumerate(columns)}
    row_of = {name: row for row, name in enumerate(graph["patient"].id)}
    assert model.network is not None
    score, random = LogOdds(model.network, graph.schema), np.random.default_rng(seed)
    gaps = []
    for name, own in found.values.groupby("id", sort=False):
        sign = 1 if found.patients.set_index("id").loc[name, "log_odds"] > 0 else -1
        own = own.assign(favour=sign * own["effect"]).sort_values("favour", ascending=False)
        order = [place[key] for key in zip(own["modality"], own["column"])]
        ways = [order, *(random.permutation(order).tolist() for _ in range(ORDERS))]
        means = [sign * deletion_curve(store, row_of[name], columns, way, score).mean() for way in ways]
        gaps.append(means[0] - np.mean(means[1:]))
    return np.array(gaps)


def measured(backbone: str, seed: int, folder: str) -> dict[str, Any]:
    """One cohort."""
    gdsfd.simulate(folder, patients=2500, seed=seed, preset="confounded")
    graph, roles = gdsfd.build_graph(f"{folder}/spec.toml", progress=False), roles_of(folder)
    model = gdsfd.Debiaser(backbone, "full", seed=seed, guard="debiased").fit(graph, baselines=False)
    ids = [name for name, split in zip(graph["patient"].id, graph["patient"].split) if split == "test_unbiased"]
    ids = ids[:PATIENTS]
    start = time.perf_counter()
    found = model.explain(graph, ids=ids, progress=False)
    seconds = (time.perf_counter() - start) / len(ids)

    def with_roles(table: pd.DataFrame) -> pd.DataFrame:
        return table.assign(role=[roles[key] for key in zip(table["modality"], table["column"])])

    top, everything = with_roles(found.top(3)), with_roles(found.values)
    first = top.groupby("id", sort=False)["role"].first()
    ratios = {}
    for of in ("prediction", "biased"):
        own = found if of == "prediction" else model.explain(graph, ids=ids, of=of, progress=False)
        sizes = with_roles(own.values).assign(size=own.values["effect"].abs()).groupby("role")["size"].mean()
        ratios[of] = round(float(sizes["biased"] / sizes["causal"]), 3)
    return {
        "patients": len(ids),
        "deletion": interval(below_random(graph, model, found, seed)),
        "causal_in_top_three": round(float((top["role"] == "causal").mean()), 3),
        "causal_of_all": round(float((everything["role"] == "causal").mean()), 3),
        "first_is_causal": round(float((first == "causal").mean()), 3),
        "biased_over_causal": ratios,
        "seconds_per_patient": round(seconds, 4),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backbones", default="concat,muse")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=20)
    parser.add_argument("--summary", action="store_true", help="print what there is, and measure nothing")
    asked = parser.parse_args()
    lines = lines_of(results_line.RESULTS / FILE)
    if asked.summary:
        keys = ("backbone", "seed", "deletion", "causal_in_top_three", "first_is_causal", "biased_over_causal")
        for line in lines:
            print(*(line[key] for key in keys))
        return
    done = {(line["backbone"], line["seed"]) for line in lines}
    for seed in range(asked.first_seed, asked.first_seed + asked.seeds):
        for backbone in asked.backbones.split(","):
            if (backbone, seed) not in done:
                with tempfile.TemporaryDirectory() as folder:
                    line = {"backbone": backbone, "seed": seed, **measured(backbone, seed, folder)}
                append_line(FILE, **line)
                print(line, flush=True)


if __name__ == "__main__":
    main()
