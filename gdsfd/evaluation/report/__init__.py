"""The report: its sections, its sentences and its page."""
