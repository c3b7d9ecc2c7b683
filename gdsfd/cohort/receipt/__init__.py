"""The receipt: what was read, kept and dropped and why, its tables and its text."""
