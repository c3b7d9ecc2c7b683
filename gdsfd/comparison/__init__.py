"""Comparing: the same patients and seeds for every arm, and what their differences are worth."""
