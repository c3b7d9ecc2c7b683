"""What an image seems to add among those imaged, weighted to everyone, and in truth.

    python benchmarks/ordered_images.py

The outcome depends on a covariate that everyone has and on an image; images are taken where the covariate is high.
Among the imaged the covariate varies less and ranks worse, so the image seems to add more than it would for everyone.
Scores are the true risks, so that no fit stands between; the probability of an image is fitted on the covariate,
cross-fitted, by logistic regression or boosting, whichever has the lower log loss on patients it has not seen. Beside
it what the true probabilities would give, which is chance in the draw of patients alone. One line per cohort.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
from numpy.typing import NDArray
from results_line import append_line
from scipy.special import expit

from gdsfd.fusion_study.group_figures import weighted_auroc
from gdsfd.fusion_study.weights import inverse_weights, propensity, tipping_point, weighted_gain

#: Of 10,000 the weighted are worth 500: even with the true chances the gain lies .019 from the truth (one standard
#: deviation over cohorts); of 20,000 it is .006.
PATIENTS = 40_000


def chance_of(covariate: NDArray[np.float64]) -> NDArray[np.float64]:
    """The true probability of an image."""
    return np.clip(expit(4 * (covariate - 0.7)), 0.03, 0.97)


def draw(seed: int, patients: int = PATIENTS) -> dict[str, NDArray[np.float64]]:
    """A covariate, an image's reading, who has one, and the outcome."""
    random = np.random.default_rng(seed)
    covariate, image = random.normal(size=patients), random.normal(size=patients)
    y = (random.random(patients) < expit(-1.5 + 1.6 * covariate + 1.0 * image)).astype(float)
    has = random.random(patients) < chance_of(covariate)
    return {"covariate": covariate, "both": 1.6 * covariate + 1.0 * image, "y": y, "has": has}


def judged(seed: int, patients: int = PATIENTS, resamples: int = 60) -> dict[str, Any]:
    """The gain by the image in one cohort: naive, weighted, and true."""
    made, subject = draw(seed, patients), np.arange(patients)
    has, y, both, alone = made["has"].astype(bool), made["y"], made["both"], made["covariate"]
    weights = inverse_weights(has, propensity(has, np.column_stack([alone, alone**2]), subject, seed=seed))
    imaged, everyone = (y[has], both[has], alone[has]), np.ones((1, len(y)))
    known = 1 / chance_of(alone[has])[None]
    return {
        "patients": patients,
        "imaged": int(has.sum()),
        "effective": round(weights.effective),
        "warning": weights.warning,
        "naive": weighted_gain(*imaged, np.ones(len(imaged[0])), subject[has], resamples).to_dict(),
        "weighted": weighted_gain(*imaged, weights.values, subject[has], resamples).to_dict(),
        "weighted_by_true_chances": float(
            (weighted_auroc(*imaged[:2], known) - weighted_auroc(y[has], alone[has], known))[0]
        ),
        "true": float((weighted_auroc(y, both, everyone) - weighted_auroc(y, alone, everyone))[0]),
        "tipping": tipping_point(*imaged, weights.values),
        "seed": seed,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--patients", type=int, default=PATIENTS)
    arguments = parser.parse_args()
    for seed in range(arguments.seeds):
        line = judged(seed, arguments.patients)
        append_line("ordered_images.jsonl", **line)
        print(line, flush=True)


if __name__ == "__main__":
    main()
