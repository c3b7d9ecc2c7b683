"""Sparse message passing: knows tensors, nothing of patients."""

from gdsfd.ops.segment import segment_max, segment_mean, segment_min, segment_softmax, segment_sum

__all__ = ["segment_max", "segment_mean", "segment_min", "segment_softmax", "segment_sum"]
