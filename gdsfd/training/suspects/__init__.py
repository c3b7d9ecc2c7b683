"""Declared sources of bias: their codes per patient, what they predict of the outcome, weights and strata from them."""
