"""The section on debiasing: both networks of a model, and what its codes know."""
