"""Comparing: the same patients and seeds for every arm, and what their differences are worth."""

from gdsfd.comparison.comparison import Comparison, compare

__all__ = ["Comparison", "compare"]
