"""Standard layouts by one line of the spec: ``format = "meds"`` or ``"omop"`` stands for ordinary fields."""
