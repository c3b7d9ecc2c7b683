"""How well times to an event are predicted, with patients who are known up to the end of their follow-up only."""
