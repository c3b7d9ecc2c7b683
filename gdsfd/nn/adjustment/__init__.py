"""Back-door adjustment over strata of patients."""
