"""Patients: the cohort table, outcomes and splits."""
