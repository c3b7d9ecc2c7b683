"""Readers: from a modality's rows to its observations, one reader per kind."""
