"""Metrics of one yes/no target: formulas of labels and probabilities, bootstrap of subjects, sets of figures."""

from gdsfd.evaluation.metrics.formulas import auprc, auroc, brier, log_loss

__all__ = ["auprc", "auroc", "brier", "log_loss"]
