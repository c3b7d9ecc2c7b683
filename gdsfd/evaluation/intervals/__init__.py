"""Intervals of figures: one method a file, and :mod:`~gdsfd.evaluation.intervals.of_metric` that chooses."""
