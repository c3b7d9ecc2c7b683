"""The guard: debiased model or ERM, by their concordance in environments left out of training."""
