"""What is fixed at training time: thresholds, recalibration, fitted baselines, and hashes of the training patients."""
