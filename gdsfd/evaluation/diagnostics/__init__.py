"""What codes and streams know: probes, ablation of single columns, recovery of true masks."""
