"""Subgroups of a split (environments, missingness patterns, modalities, groups) and the gaps between them."""
