"""The section "In plain words": sentences that follow from the figures by fixed rules."""
