"""What an image seems to add among those imaged, weighted to everyone, and in truth.

    python benchmarks/ordered_images.py

The outcome depends on a covariate that everyone has and on an image; images are taken where the covariate is high.
Among the imaged the covariate varies less and ranks worse, so the image seems to add more than it would for everyone.
Scores are the true risks, so that no fit stands between; the probability of an image is fitted on the covariate,
cross-fitted. One line per cohort.
"""

from __future__ import annotations

import argparse

import numpy as np
from numpy.typing import NDArray
from results_line import append_line
from scipy.special import expit

from gdsfd.fusion_study.group_figures import weighted_auroc
from gdsfd.fusion_study.weights import inverse_weights, propensity, tipping_point, weighted_gain

PATIENTS = 20_000


def draw(seed: int, patients: int = PATIENTS) -> dict[str, NDArray[np.float64]]:
    """A covariate, an image's reading, who has one, and the outcome."""
    random = np.random.default_rng(seed)
    covariate, image = random.normal(size=patients), random.normal(size=patients)
    y = (random.random(patients) < expit(-1.5 + 1.6 * covariate + 1.0 * image)).astype(float)
    has = random.random(patients) < np.clip(expit(4 * (covariate - 0.7)), 0.03, 0.97)
    return {"covariate": covariate, "both": 1.6 * covariate + 1.0 * image, "y": y, "has": has}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--patients", type=int, default=PATIENTS)
    arguments = parser.parse_args()
    for seed in range(arguments.seeds):
        made, subject = draw(seed, arguments.patients), np.arange(arguments.patients)
        has, y, both, alone = made["has"].astype(bool), made["y"], made["both"], made["covariate"]
        probability = propensity(has, np.column_stack([alone, alone**2]), subject, "boosting", seed=seed)
        weights = inverse_weights(has, probability)
        imaged = (y[has], both[has], alone[has])
        everyone = np.ones((1, len(y)))
        line = {
            "patients": len(y),
            "imaged": int(has.sum()),
            "effective": round(weights.effective),
            "warning": weights.warning,
            "naive": weighted_gain(*imaged, np.ones(len(imaged[0])), subject[has], 100).to_dict(),
            "weighted": weighted_gain(*imaged, weights.values, subject[has], 100).to_dict(),
            "true": float((weighted_auroc(y, both, everyone) - weighted_auroc(y, alone, everyone))[0]),
            "tipping": tipping_point(*imaged, weights.values),
            "seed": seed,
        }
        append_line("ordered_images.jsonl", **line)
        print(line, flush=True)


if __name__ == "__main__":
    main()
