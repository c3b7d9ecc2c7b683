"""Encoders, backbones and the predictor: knows graphs, nothing of files."""
