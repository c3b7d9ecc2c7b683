"""Small bugs, planted one at a time in a scratch checkout, and whether the tests of their room notice.

    python benchmarks/planted_bugs.py CHECKOUT RESULT.jsonl [first last]

Nine of the ten that a review found to survive (the tenth is held by tests/evaluation/test_gaps.py), and others of our
own. The checkout is changed and put back file by file: give it one that nobody works in. The tests must pass there
without a bug, which is tried first. An hour or two on one core.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

#: Name, file, right text (it occurs once), wrong text.
BUGS: tuple[tuple[str, str, str, str], ...] = (
    (
        "G1",
        "gdsfd/graph/edge_layout.py",
        "torch.searchsorted(edges, self.modality_ptr)",
        "torch.searchsorted(edges, self.modality_ptr, right=True)",
    ),
    (
        "N2",
        "gdsfd/nn/stream_predictor.py",
        "self.out_biased(self.dropout(biased.detach()))",
        "self.out_biased(self.dropout(biased))",
    ),
    (
        "N3",
        "gdsfd/nn/streams/dual_streams.py",
        "biased = _masked(self.biased, tokens, layout, None, 1 - mask)",
        "biased = _masked(self.biased, tokens, layout, None, mask)",
    ),
    (
        "N4",
        "gdsfd/nn/backbones/muse.py",
        'norm = norm + mask_total(mask, layout.edges, "right")',
        'norm = norm + mask_total(None, layout.edges, "right")',
    ),
    (
        "N5",
        "gdsfd/nn/encoders/numeric.py",
        "return z, rank * flag, *hinges(z), flag",
        "return z, rank, *hinges(z), flag",
    ),
    (
        "N8",
        "gdsfd/nn/objectives/dual_stream.py",
        "generalized_cross_entropy(logits, y[other], config.q)",
        "generalized_cross_entropy(logits, y, config.q)",
    ),
    (
        "T2",
        "gdsfd/training/tuning.py",
        "trained.fit_memory(lambda: batches.passes(ranks.share(train_rows)))",
        "trained.fit_memory(lambda: batches.passes(ranks.share(tuning_rows)))",
    ),
    ("T4", "gdsfd/training/average.py", "current, 1 - decay)", "current, decay)"),
    (
        "T5",
        "gdsfd/training/model_selection/guard.py",
        'below = areas["reference"] - areas["debiased"]',
        'below = areas["debiased"] - areas["reference"]',
    ),
    (
        "n01",
        "gdsfd/nn/objectives/dual_stream.py",
        "loss = loss + config.biased_weight * generalized_cross_entropy(biased, y, config.q)",
        "loss = loss + generalized_cross_entropy(biased, y, config.q)",
    ),
    ("n02", "gdsfd/nn/objectives/dual_stream.py", "torch.stack(read).mean()", "torch.stack(read).sum()"),
    (
        "n03",
        "gdsfd/nn/objectives/dual_stream.py",
        "if stage == 1:\n            return loss",
        "if stage == 2:\n            return loss",
    ),
    (
        "n04",
        "gdsfd/nn/objectives/dual_stream.py",
        "if config.conditional:\n                fixed",
        "if not config.conditional:\n                fixed",
    ),
    (
        "n05",
        "gdsfd/nn/objectives/dual_stream.py",
        "loss = loss + config.swap * self._beside(logits, targets, weight)",
        "loss = loss + config.swap * self._beside(logits, targets.take(other), weight)",
    ),
    (
        "n06",
        "gdsfd/nn/objectives/dual_stream.py",
        "loss = self._beside(logits, targets, weight)\n        if prediction",
        "loss = self._beside(logits, targets, None)\n        if prediction",
    ),
    (
        "n07",
        "gdsfd/nn/objectives/dual_stream.py",
        "classes = torch.where(torch.isnan(y), -1.0, y).long()",
        "classes = torch.where(torch.isnan(y), 0.0, y).long()",
    ),
    (
        "n08",
        "gdsfd/nn/objectives/objective.py",
        "total = total + prediction.embeddings.aux_loss",
        "total = total - prediction.embeddings.aux_loss",
    ),
    (
        "n09",
        "gdsfd/nn/objectives/dual_stream.py",
        "return round(self.config.stage_one * max_epochs)",
        "return round(self.config.stage_one * max_epochs) + 1",
    ),
    ("n10", "gdsfd/nn/objectives/dual_stream.py", "network.fit_memory(batches)\n        sources", "sources"),
    (
        "n11",
        "gdsfd/nn/stream_predictor.py",
        "self.biased_out_causal(self.dropout(causal.detach()))",
        "self.biased_out_causal(self.dropout(causal))",
    ),
    (
        "n12",
        "gdsfd/nn/stream_predictor.py",
        "self.mean_biased.copy_(total / everybody.clamp(min=1))",
        "self.mean_biased.copy_(total)",
    ),
    (
        "n13",
        "gdsfd/nn/stream_predictor.py",
        "source=None if self.adjustment is None else biased.detach()",
        "source=None if self.adjustment is None else causal.detach()",
    ),
    (
        "n14",
        "gdsfd/nn/stream_predictor.py",
        'if not self.training and self.evaluate_with == "mean":',
        'if self.evaluate_with == "mean":',
    ),
    (
        "n15",
        "gdsfd/nn/streams/dual_streams.py",
        "return backbone(2 * mask * tokens, layout, y)",
        "return backbone(mask * tokens, layout, y)",
    ),
    ("n16", "gdsfd/nn/streams/dual_streams.py", "mask = 1 - mask if complement else mask", "mask = mask"),
    ("n17", "gdsfd/nn/streams/gates.py", "self.biased(2 * (1 - gate) * pooled)", "self.biased(2 * gate * pooled)"),
    (
        "n18",
        "gdsfd/nn/streams/mask_generator.py",
        "inside = inside + layout.of_patients(layout.patient_mean(inside))",
        "inside = inside + layout.of_patients(layout.patient_mean(inside)) * 0",
    ),
    (
        "n19",
        "gdsfd/nn/streams/dual_streams.py",
        "return biased.index_select(0, other), other",
        "return biased.index_select(0, other), torch.arange(len(other))",
    ),
    (
        "n20",
        "gdsfd/nn/backbones/concat.py",
        "flags = shown.presence.to(seen.dtype)",
        "flags = layout.presence.to(seen.dtype)",
    ),
    ("n21", "gdsfd/nn/backbones/muse.py", "modality = self.states[number]\n", "modality = self.states[0]\n"),
    ("n22", "gdsfd/nn/encoders/codes_encoder.py", "/ (1 - self.dropout)", "* (1 - self.dropout)"),
    ("n23", "gdsfd/nn/encoders/events_encoder.py", "z[:, -1] - z[:, -2]", "z[:, -2] - z[:, -1]"),
    ("n24", "gdsfd/nn/encoders/numeric.py", "spread = (upper - lower) / 1.349", "spread = upper - lower"),
    ("n25", "gdsfd/nn/losses/outcome_loss.py", "/ labelled.sum().clamp(min=1)", "/ counted.sum().clamp(min=1)"),
    ("n26", "gdsfd/nn/losses/generalized_cross_entropy.py", "-torch.expm1(q * chance) / q", "-torch.expm1(q * chance)"),
    (
        "n27",
        "gdsfd/nn/streams/modality_dropout.py",
        "return presence & (patterns[choice] | ~drawable)",
        "return patterns[choice] | ~drawable",
    ),
    (
        "n28",
        "gdsfd/nn/relevance.py",
        "weight = (self.labelled / max(patients, 1)).sqrt()",
        "weight = (self.labelled / max(patients, 1))",
    ),
    ("n29", "gdsfd/nn/ensemble.py", "for each in logits]).mean(0)", "for each in logits]).median(0).values"),
    ("t01", "gdsfd/training/stages.py", "value > state.best_value or", "value >= state.best_value or"),
    (
        "t02",
        "gdsfd/training/loop.py",
        "self.network.load_state_dict(self.state.best_weights)",
        "pass",
    ),
    (
        "t03",
        "gdsfd/training/stages.py",
        "state.epoch - state.best_epoch >= config.patience",
        "state.epoch - state.best_epoch > config.patience",
    ),
    ("t04", "gdsfd/training/loop.py", "in_order(rows[torch.randperm(rows.numel())], epoch)", "in_order(rows, epoch)"),
    ("t05", "gdsfd/training/step.py", "norm = self.clip_norm * self.hooks.num_members**0.5", "norm = self.clip_norm"),
    (
        "t06",
        "gdsfd/training/stages.py",
        "if objective.new_head:  # epochs without it are not in the running\n        state.best_value = -math.inf",
        "if objective.new_head:\n        pass",
    ),
    (
        "t07",
        "gdsfd/training/loop.py",
        "return torch.nan_to_num(torch.nanmean(y, dim=0), nan=0.5)",
        "return torch.nan_to_num(y).mean(dim=0)",
    ),
    (
        "t08",
        "gdsfd/training/tuning.py",
        "return float((loss * share)[labelled].sum() / share[labelled].sum())",
        "return float((loss * share)[labelled].sum() / labelled.sum())",
    ),
    ("t09", "gdsfd/training/tuning.py", "for each in (network, trained):", "for each in (network,):"),
    ("t10", "gdsfd/training/average.py", 'self.steps = int(weights["steps"])', "self.steps = 0"),
    (
        "t11",
        "gdsfd/training/model_selection/guard.py",
        "if found.difference >= LEAST_GAIN:",
        "if found.high >= LEAST_GAIN:",
    ),
    (
        "t12",
        "gdsfd/training/suspects/outcome_by_suspects.py",
        "best[fit] = held_out.clip(1e-6)",
        "best[fit] = _fitted(indicators[fit], y[fit], strength).predict_proba(indicators[fit]).clip(1e-6) "
        "if present.size == classes else held_out.clip(1e-6)",
    ),
    (
        "t13",
        "gdsfd/training/suspects/outcome_by_suspects.py",
        "ratio = torch.where(label > 0.5, *positive).float()",
        "ratio = torch.where(label < 0.5, *positive).float()",
    ),
    (
        "t14",
        "gdsfd/training/suspects/pattern_propensity.py",
        "weight = weight / weight[fit].mean()",
        "weight = weight / weight.mean()",
    ),
    (
        "t15",
        "gdsfd/training/model_selection/leave_one_environment_out.py",
        "rows_in[inside[rows_in] & labelled[rows_in]] for rows_in in (train, tuning)",
        "rows_in[inside[rows_in]] for rows_in in (train, tuning)",
    ),
    (
        "t16",
        "gdsfd/training/model_selection/neutral_weights.py",
        "overall[:, None] / np.maximum(inside, 1e-12), MOST",
        "np.maximum(inside, 1e-12) / overall[:, None], MOST",
    ),
    ("t17", "gdsfd/training/model_selection/concordance.py", "+ 0.5 * (", "+ 1.0 * ("),
    (
        "o01",
        "gdsfd/ops/backends/segment.py",
        "passed = weighted(passed, weight[rows])\n",
        "passed = passed * 1\n",
    ),
    ("o02", "gdsfd/nn/conv/edge_sage_conv.py", "_taken(self.message_edge(edge), take)", "self.message_edge(edge)"),
    ("o03", "gdsfd/ops/aggregate.py", "return where_positive(share, (~empty).to(share.dtype))", "return share"),
    (
        "o04",
        "gdsfd/ops/backends/segment.py",
        "out[rows] = term if residual is None else term.add_(residual[rows])",
        "out[rows] = term",
    ),
    (
        "c02",
        "gdsfd/comparison/statistics.py",
        "(len(tested) - rank) * p_values[number]",
        "len(tested) * p_values[number]",
    ),
    (
        "c03",
        "gdsfd/comparison/statistics.py",
        "return max(float(stdtr(n - 1, -(mean + margin) / error))",
        "return min(float(stdtr(n - 1, -(mean + margin) / error))",
    ),
    ("c04", "gdsfd/comparison/statistics.py", "values.std(ddof=1)", "values.std(ddof=0)"),
    (
        "c05",
        "gdsfd/comparison/leave_one_environment_out.py",
        "if any((each >= LEAST_PER_CLASS).sum() > 1 for each in counts):",
        "if any(each.sum() >= LEAST_PER_CLASS for each in counts):",
    ),
    ("c07", "gdsfd/comparison/capacity_matching.py", "if size(middle) < wanted", "if size(middle) > wanted"),
)

TRAINING = ("suspects", "model_selection", "test_arm.py", "test_average.py", "test_config.py", "test_loop.py")
TRAINING += ("test_tuning.py",)
NN = ("streams", "losses", "objectives")


def tests_of(path: str, checkout: Path) -> list[str]:
    """Tests near a file, those that the checkout has: of its own name first, then of its room."""
    room, name = path.split("/")[1], Path(path).stem
    tests = checkout / "tests"
    wanted = {
        "graph": [tests / "graph", tests / "nn" / "test_backbones.py", tests / "nn" / "test_contrast.py"],
        "ops": [
            *(tests / "ops" / f"test_{part}.py" for part in ("aggregate", "edge_update")),
            *(tests / "nn" / f"test_{part}.py" for part in ("edge_sage_conv", "backbones")),
        ],
        "nn": [*sorted((tests / "nn").glob("test_*.py")), *(tests / "nn" / part for part in NN)],
        "comparison": [tests / "comparison"],
        "training": [tests / "training" / part for part in TRAINING],
    }[room]
    own = sorted((tests / room).rglob(f"test_{name}.py"))
    found = (str(test.relative_to(checkout)) for test in [*own, *wanted] if test.exists())
    return list(dict.fromkeys(found))


def first_failure(checkout: Path, tests: list[str]) -> str:
    """The first test that fails, or nothing."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-x", "-q", *tests]
    environment = {**os.environ, "PYTHONPATH": str(checkout), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return ""
    return next((line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))), "no test was run")


def main() -> None:
    checkout, file = Path(sys.argv[1]).resolve(), Path(sys.argv[2])
    first, last = (int(sys.argv[3]), int(sys.argv[4])) if len(sys.argv) > 4 else (0, len(BUGS))
    tests = dict.fromkeys(test for _, path, _, _ in BUGS[first:last] for test in tests_of(path, checkout))
    if by := first_failure(checkout, list(tests)):
        raise SystemExit(f"the tests do not pass without a bug: {by}")
    for name, path, right, wrong in BUGS[first:last]:
        text = (checkout / path).read_text(encoding="utf-8")
        if text.count(right) != 1:
            print(f"{name}: passed over, its right text occurs {text.count(right)} times in {path}", flush=True)
            continue
        start = time.time()
        (checkout / path).write_text(text.replace(right, wrong), encoding="utf-8")
        try:
            by = first_failure(checkout, tests_of(path, checkout))
        finally:
            (checkout / path).write_text(text, encoding="utf-8")
        line = json.dumps(
            {"bug": name, "path": path, "died": bool(by), "by": by, "seconds": round(time.time() - start)}
        )
        print(line, flush=True)
        with file.open("a", encoding="utf-8") as out:
            out.write(line + "\n")


if __name__ == "__main__":
    main()
