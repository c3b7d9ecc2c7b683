"""Both backbones beside boosting and logistic regression on a real cohort, on the same subject-grouped folds.

    python benchmarks/real_cohorts.py examples/eicu.toml
    python benchmarks/real_cohorts.py examples/physionet2012.toml

Everybody gets the same graph of each fold: the networks its tokens, the baselines its flattened form. ``boosting`` and
``logistic`` are the package's own baselines, fitted on train and chosen on tuning like the networks;
``boosting+tuning`` is fitted on both together, as someone without early stopping would do; ``lightgbm tuned`` is
LightGBM whose leaves and least patients per leaf are chosen on tuning patients, as are its rounds. Figures are means
over folds; intervals resample subjects inside each fold, the same resamples for every arm. Beside them stands the AUROC
had each test patient lost each of its modalities with a chance of one half, the same draw for every arm
(``half_hidden``). One line per arm is appended to ``results/real_cohorts.jsonl``; without ``--backbones`` names only
the models of the flattened table are fitted.
"""

from __future__ import annotations

import argparse
import itertools
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import torch
from results_line import append_line
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import average_precision_score, roc_auc_score

import gdsfd
from gdsfd.baselines.boosting import Boosting
from gdsfd.baselines.logistic import Logistic
from gdsfd.cohort.spec import load_spec
from gdsfd.graph.flatten import flatten
from gdsfd.graph.loader import rows_of
from gdsfd.graph.modality_ablation import drop_modalities

FIGURES = {"auroc": roc_auc_score, "auprc": average_precision_score}


def fold_graph(spec_file: Path, folds: int, fold: int, seed: int) -> Any:
    """The cohort's graph with ``fold`` as test, train and tuning from the rest."""
    spec = load_spec(spec_file)
    split = spec.split.model_copy(update={"kind": "subject", "folds": folds, "fold": fold, "seed": seed})
    return gdsfd.build_graph(spec.model_copy(update={"split": split}))


def half_hidden(graph: Any) -> Any:
    """The graph had each test patient lost each of its modalities with a chance of one half."""
    hidden, test = np.random.default_rng(0), rows_of(graph, "test")
    for name in graph.schema.names:
        graph = drop_modalities(graph, name, test[torch.from_numpy(hidden.random(len(test)) < 0.5)])
    return graph


def boosting_on_train_and_tuning(graph: Any, seed: int) -> Callable[[Any], np.ndarray]:
    """Boosting fitted on all labelled patients but those of the test split; gives the latter's probabilities."""
    features, _ = flatten(graph)
    y = graph["patient"].y[:, 0].numpy()
    test = np.array([split == "test" for split in graph["patient"].split])
    fit = ~test & ~np.isnan(y)
    used = np.flatnonzero([np.unique(column[~np.isnan(column)]).size > 1 for column in features[fit].T])
    model = HistGradientBoostingClassifier(
        learning_rate=0.05, max_iter=200, max_leaf_nodes=15, l2_regularization=1.0, random_state=seed
    )
    model.fit(features[fit][:, used], y[fit])
    return lambda other: model.predict_proba(flatten(other)[0][test][:, used])[:, 1]


def tuned_lightgbm(graph: Any, seed: int) -> Callable[[Any], np.ndarray]:
    """The best of six by the log-loss of tuning patients, which also stops each; probabilities of the test split."""
    features, _ = flatten(graph)
    y, split = graph["patient"].y[:, 0].numpy(), np.array(graph["patient"].split)
    parts = {name: (split == name) & ~np.isnan(y) for name in ("train", "tuning")}
    known = {name: (features[rows], y[rows]) for name, rows in parts.items()}
    found = []
    for leaves, least in itertools.product((7, 15, 31), (10, 40)):
        model = lightgbm.LGBMClassifier(
            n_estimators=2000,
            learning_rate=0.03,
            num_leaves=leaves,
            min_child_samples=least,
            subsample=0.8,
            subsample_freq=1,
            colsample_bytree=0.8,
            reg_lambda=1.0,
            random_state=seed,
            n_jobs=1,
            verbose=-1,
        )
        stop = lightgbm.early_stopping(50, verbose=False)
        model.fit(*known["train"], eval_set=[known["tuning"]], eval_metric="binary_logloss", callbacks=[stop])
        found.append((float(model.best_score_["valid_0"]["binary_logloss"]), model))
    best = min(found, key=lambda each: each[0])[1]
    return lambda other: best.predict_proba(flatten(other)[0][split == "test"])[:, 1]


def arms_of(graph: Any, backbones: list[str], seed: int) -> dict[str, tuple[np.ndarray, np.ndarray, float]]:
    """Each arm's probabilities of the test patients, as they come and with half hidden, and the seconds of its fit."""
    made: dict[str, tuple[np.ndarray, np.ndarray, float]] = {}
    blind = half_hidden(graph)

    def judged(model: Any, start: float) -> tuple[np.ndarray, np.ndarray, float]:
        seconds = time.perf_counter() - start
        return *(model.predict_proba(each, split="test")[:, 1] for each in (graph, blind)), seconds

    for backbone in backbones:
        start = time.perf_counter()
        name, _, alone = backbone.partition(" without trees")
        given = {"boosted_members": 0} if alone or backbone != name else {}
        model = gdsfd.Debiaser(name, "none", seed=seed, **given).fit(graph, baselines=False)
        made[backbone] = judged(model, start)
    for name, baseline in (("boosting", Boosting), ("logistic", Logistic)):
        start = time.perf_counter()
        made[name] = judged(baseline(seed).fit(graph), start)
    for name, fit in (("boosting+tuning", boosting_on_train_and_tuning), ("lightgbm tuned", tuned_lightgbm)):
        start = time.perf_counter()
        scores = fit(graph, seed)
        made[name] = scores(graph), scores(blind), time.perf_counter() - start
    return made


def resampled(y: np.ndarray, scores: np.ndarray, subject: np.ndarray, resamples: int, seed: int) -> np.ndarray:
    """Figures on resampled subjects, [resamples, figures]; the same subjects for every arm.

    A draw without one of the classes, which no figure is defined for, is drawn again.
    """
    random = np.random.default_rng(seed)
    _, owner = np.unique(subject, return_inverse=True)
    share = np.full(owner.max() + 1, 1 / (owner.max() + 1))
    drawn = random.multinomial(len(share), share, size=resamples)
    found = []
    for row in drawn:
        while len(np.unique(y[row[owner] > 0])) < 2:
            row = random.multinomial(len(share), share)
        found.append([figure(y, scores, sample_weight=row[owner]) for figure in FIGURES.values()])
    return np.array(found)


def main(given: Sequence[str] | None = None, lines: str = "real_cohorts.jsonl") -> None:
    """Fits all arms and appends their lines.

    Args:
        given: Arguments; the command line's where there are none.
        lines: The file of ``results/`` to append to.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("spec", type=Path)
    parser.add_argument(
        "--backbones",
        nargs="*",
        default=["concat", "muse"],
        help='"concat without trees": none of its members starts from boosted trees',
    )
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--model-seed", type=int, help="the models' seed where it is not the folds' (how much is luck)")
    parser.add_argument("--resamples", type=int, default=500)
    arguments = parser.parse_args(given)
    model_seed = arguments.seed if arguments.model_seed is None else arguments.model_seed

    figures: dict[str, list[list[float]]] = {}
    spreads: dict[str, list[np.ndarray]] = {}
    seconds: dict[str, list[float]] = {}
    hidden: dict[str, list[float]] = {}
    patients = 0
    for fold in range(arguments.folds):
        graph = fold_graph(arguments.spec, arguments.folds, fold, arguments.seed)
        test = np.array([split == "test" for split in graph["patient"].split])
        y, subject = graph["patient"].y[test, 0].numpy(), np.array(graph["patient"].subject)[test]
        known = ~np.isnan(y)
        patients += int(known.sum())
        for name, (scores, blind, spent) in arms_of(graph, arguments.backbones, model_seed).items():
            values = [float(figure(y[known], scores[known])) for figure in FIGURES.values()]
            figures.setdefault(name, []).append(values)
            spreads.setdefault(name, []).append(
                resampled(y[known], scores[known], subject[known], arguments.resamples, fold)
            )
            seconds.setdefault(name, []).append(spent)
            hidden.setdefault(name, []).append(float(roc_auc_score(y[known], blind[known])))
            print(f"fold {fold} {name:16s} AUROC {values[0]:.4f} AUPRC {values[1]:.4f} {spent:6.1f} s", flush=True)

    means = {name: np.mean(spread, axis=0) for name, spread in spreads.items()}  # [resamples, figures] per arm
    for name, rows in figures.items():
        line: dict[str, Any] = {}
        for place, figure in enumerate(FIGURES):
            draws, gap = means[name][:, place], means[name][:, place] - means["boosting"][:, place]
            mean = float(np.mean([row[place] for row in rows]))
            reference = float(np.mean([row[place] for row in figures["boosting"]]))
            line[figure] = mean
            line[f"{figure}_interval"] = np.percentile(draws, [2.5, 97.5]).tolist()
            line[f"{figure}_folds"] = [row[place] for row in rows]
            line[f"{figure}_minus_boosting"] = mean - reference
            line[f"{figure}_minus_boosting_interval"] = np.percentile(gap, [2.5, 97.5]).tolist()
        append_line(
            lines,
            benchmark=Path(lines).stem,
            cohort=arguments.spec.stem,
            arm=name,
            **line,
            auroc_half_hidden=float(np.mean(hidden[name])),
            auroc_half_hidden_folds=hidden[name],
            seconds=float(np.median(seconds[name])),
            patients=patients,
            folds=arguments.folds,
            seed=arguments.seed,
            model_seed=model_seed,
            threads=int(os.environ.get("OMP_NUM_THREADS", os.cpu_count() or 1)),
        )
        low, high = line["auroc_interval"]
        print(f"{arguments.spec.stem:16s} {name:16s} with half hidden: AUROC {np.mean(hidden[name]):.4f}")
        gap_low, gap_high = line["auroc_minus_boosting_interval"]
        print(
            f"{arguments.spec.stem:16s} {name:16s} AUROC {line['auroc']:.4f} [{low:.3f}, {high:.3f}]  "
            f"AUPRC {line['auprc']:.4f}  AUROC minus boosting {line['auroc_minus_boosting']:+.4f} "
            f"[{gap_low:+.3f}, {gap_high:+.3f}]"
        )


if __name__ == "__main__":
    main()
