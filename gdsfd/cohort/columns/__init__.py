"""Columns of a modality: which are taken, what their cells hold, numeric or categorical, their scales."""
