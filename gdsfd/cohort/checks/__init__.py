"""Checks of a finished cohort: leakage, misleading availability, times and ranges that look wrong."""
