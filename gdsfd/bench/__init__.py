"""Benchmarks: message passing, a training step, ingestion, inference. What ``gdsfd bench`` runs.

Every contestant's results are compared before it is timed; contestants take turns in one process; peak memory is taken
in a process of its own. One file per thing that is measured, and one per way of measuring.
"""
