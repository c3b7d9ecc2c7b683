"""Every cell of the short and the long table against a recount with pandas and scikit-learn alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from gdsfd.evaluation.evaluation import evaluate
from gdsfd.graph.from_cohort import graph_from_cohort
from tests.cohort_factory import make_cohort
from tests.evaluation.scores import Fixed


def answers(graph, kind, seed):
    """Probabilities that know a little of the labels, for every patient."""
    rng, y = np.random.default_rng(seed), graph["patient"].y.numpy()
    if kind == "multiclass":
        logits = rng.normal(size=(len(y), 3))
        logits[np.arange(len(y)), np.maximum(y, 0)] += 1.0
        return np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    p = 1 / (1 + np.exp(-(np.nan_to_num(y, nan=0.5) + rng.normal(size=y.shape) - 0.5)))
    return np.column_stack([1 - p[:, 0], p[:, 0]]) if kind == "binary" else p


def cohort(kind):
    """Unlabelled patients, several patients per subject; of several targets one has one answer only in test."""
    graph = graph_from_cohort(make_cohort(700, outcomes=kind, unlabelled=0.15))
    test = np.array([split == "test" for split in graph["patient"].split])
    y = graph["patient"].y
    if kind == "multiclass":
        y[test & (y.numpy() == 2)] = -1
    elif kind == "multilabel":
        y[test & (y.numpy()[:, 1] == 1), 1] = 0.0
    return graph, test


def recount(graph, test, kind, p):
    """Target -> labels and probabilities of its labelled test patients, with pandas alone."""
    y = graph["patient"].y.numpy()[test]
    names = [outcome.name for outcome in graph.schema.outcomes]
    if kind == "binary":
        frames = {names[0]: pd.DataFrame({"y": y[:, 0], "p": p[test, 1]})}
    elif kind == "multilabel":
        frames = {name: pd.DataFrame({"y": y[:, k], "p": p[test, k]}) for k, name in enumerate(names)}
    else:
        frames = {
            f"{names[0]}: {label}": pd.DataFrame({"y": np.where(y < 0, np.nan, y == k), "p": p[test, k]})
            for k, label in enumerate(graph.schema.outcomes[0].classes)
        }
    return {name: frame.dropna() for name, frame in frames.items()}


def figures(frame):
    both = frame.y.nunique() == 2
    return {
        "auroc": roc_auc_score(frame.y, frame.p) if both else np.nan,
        "auprc": average_precision_score(frame.y, frame.p) if both else np.nan,
        "brier": brier_score_loss(frame.y, frame.p),
        "log_loss": log_loss(frame.y, frame.p, labels=[0, 1]),
        "calibration_gap": frame.p.mean() - frame.y.mean(),
        "prevalence": frame.y.mean(),
    }


@pytest.mark.parametrize("kind", ["binary", "multiclass", "multilabel"])
def test_every_cell_of_both_tables_is_what_a_recount_gives(kind):
    graph, test = cohort(kind)
    given = {"model": answers(graph, kind, 0), "other": answers(graph, kind, 1)}
    baselines = {"other": Fixed(graph, given["other"])}
    report = evaluate(
        Fixed(graph, given["model"]), graph, baselines=baselines, resamples=30, probes=False, progress=False
    )
    short, detail = report.to_frame(), report.to_frame(detail=True)
    for model, p in given.items():
        frames = recount(graph, test, kind, p)
        own = short[short.model == model]
        if kind == "binary":
            rows = {name: own.iloc[0] for name in frames}
        else:
            rows = {row.target: row for row in own.itertuples(index=False)}
            kept = [name for name, frame in frames.items() if frame.y.nunique() == 2]
            assert len(kept) == len(frames) - 1
            mean = rows.pop(f"mean of {len(kept)} of {len(frames)} targets")
            for name in ("auroc", "auprc", "brier", "log_loss", "prevalence"):
                assert getattr(mean, name) == pytest.approx(np.mean([figures(frames[one])[name] for one in kept]))
            assert mean.n == len(set().union(*(frames[one].index for one in kept)))
            assert pd.isna(mean.positives)
        assert set(rows) == set(frames)
        for name, frame in frames.items():
            assert (rows[name].n, rows[name].positives) == (len(frame), frame.y.sum())
            for figure, value in figures(frame).items():
                if figure != "calibration_gap":
                    assert getattr(rows[name], figure) == pytest.approx(value, nan_ok=True)
            every = detail.query("kind == 'all' and model == @model and target == @name").set_index("metric")
            assert set(every.n) == {len(frame)}
            assert set(every.positives) == {frame.y.sum()}
            for figure, value in figures(frame).items():
                if figure != "prevalence":
                    assert every.value[figure] == pytest.approx(value, nan_ok=True)


@pytest.mark.parametrize("kind", ["binary", "multilabel"])
def test_every_slice_is_what_a_recount_gives(kind):
    graph, test = cohort(kind)
    p = answers(graph, kind, 0)
    report = evaluate(Fixed(graph, p), graph, baselines=False, resamples=30, probes=False, progress=False)
    detail = report.to_frame(detail=True)
    facts = {
        "environment": np.array(graph["patient"].environment)[test],
        "group: sex": np.array(graph["patient"].groups["sex"])[test],
    }
    frames = recount(graph, test, kind, p)
    checked = 0
    for row in detail[detail.kind.isin(facts) & ~detail.slice.str.contains("small")].itertuples():
        frame = frames[row.target]
        here = frame[facts[row.kind][frame.index] == row.slice]
        assert (row.n, row.positives) == (len(here), here.y.sum())
        if row.metric in ("auroc", "auprc", "brier", "calibration_gap") and not np.isnan(row.value):
            assert row.value == pytest.approx(figures(here)[row.metric])
            checked += 1
        elif np.isnan(row.value):
            assert row.reason
    assert checked > 10


@pytest.mark.parametrize("kind", ["binary", "multiclass", "multilabel"])
def test_the_page_says_how_many_were_judged_and_what_the_mean_is_over(kind):
    graph, test = cohort(kind)
    report = evaluate(
        Fixed(graph, answers(graph, kind, 0)), graph, baselines=False, resamples=30, probes=False, progress=False
    )
    frames = recount(graph, test, kind, answers(graph, kind, 0))
    page = report.html()
    kept = [frame for frame in frames.values() if frame.y.nunique() == 2]
    labelled = len(set().union(*(frame.index for frame in kept)))
    assert labelled < test.sum()
    assert f"judged on the {labelled:,} with a known outcome of {test.sum():,} patients" in page
    assert f"It was judged on {labelled:,} of the {test.sum():,} patients" in page
    assert f"{labelled} labelled patients" in repr(report)
    assert report.metrics["labelled"] == report.metrics["splits"]["test"]["labelled"] == labelled
    if kind != "binary":
        assert f"mean of {len(kept)} of {len(frames)} targets" in page
