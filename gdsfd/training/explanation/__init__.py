"""Why a patient got a score: what each modality and each value added, and what the streams read."""
