"""Models and checkpoints on disk: safetensors and validated JSON; reading runs no code."""
