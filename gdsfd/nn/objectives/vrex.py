"""V-REx: risks that do not differ between environments."""

from __future__ import annotations

from torch import Tensor

from gdsfd.nn.losses import Targets
from gdsfd.nn.objective_registry import register_objective
from gdsfd.nn.objectives.suspect_objective import InvarianceObjective, risks
from gdsfd.nn.predictor import Prediction

__all__ = ["VRex"]


@register_objective("vrex")
class VRex(InvarianceObjective):
    r"""The variance of the environments' risks as a penalty.

    .. math:: \text{penalty} = \sum_e \frac{n_e}{n} (R_e - \bar R)^2, \qquad \bar R = \sum_e \frac{n_e}{n} R_e

    with :math:`R_e` the mean cross-entropy of the batch's labels in environment :math:`e`. Environments of equal size
    give the paper's objective over their number, with :math:`\beta` = ``weight`` times that number. That environments
    count by their patients is ours: in a batch a rare one has few, and its risk is mostly noise.

    It fails where risks differ for good reasons: environments whose outcome is rarer, or noisier, have other risks
    under the right predictor.

    Args:
        network: What is trained.
        num_suspects: Number of codes of each declared suspect.
        margin: Whether logits are trained beside ``Targets.margin``.
        stage_one: Share of all epochs in which only cross-entropy acts.
        weight: Of the penalty, 0 to 1,000,000. The default was chosen among a few values by the weighted tuning
            loss on the simulated cohort ``confounded`` with seeds 0 and 1.

    References:
        Krueger et al., ICML 2021 (V-REx).
    """

    def penalties(self, prediction: Prediction, targets: Targets, environments: list[Tensor]) -> list[Tensor]:
        """Variance of the risks by each suspect, in nats squared; mean over outcomes."""
        loss, labelled = self.elements(prediction, targets)
        found = []
        for environment in environments:
            risk, share = risks(loss, labelled, environment)
            mean = (share * risk).sum(0)
            found.append((share * (risk - mean) ** 2).sum(0).mean())
        return found
