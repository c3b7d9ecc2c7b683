"""The section on strata: what predictions are averaged over, and how far that moves them."""
