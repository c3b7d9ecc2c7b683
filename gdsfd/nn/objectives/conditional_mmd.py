"""Codes that are distributed alike in all environments, within outcome classes."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from gdsfd.nn.dependence.gaussian_kernel import gaussian_kernel
from gdsfd.nn.losses import Targets
from gdsfd.nn.objective_registry import register_objective
from gdsfd.nn.objectives.dual_stream import conditions
from gdsfd.nn.objectives.suspect_objective import InvarianceObjective
from gdsfd.nn.predictor import Prediction

__all__ = ["ConditionalMmd", "mmd_to_the_rest"]


@register_objective("mmd")
class ConditionalMmd(InvarianceObjective):
    r"""Maximum mean discrepancy between each environment's codes and the others', within outcome classes.

    .. math:: \text{penalty} = \sum_{y, e} \frac{n_{ye}}{n} \widehat{\mathrm{MMD}}{}^2
              \bigl(z \mid y, e;\; z \mid y, \text{not } e\bigr)

    on patients' codes :math:`z`, by :func:`~gdsfd.nn.dependence.gaussian_kernel.gaussian_kernel`, over classes and
    environments in which at least two patients stand on either side. Of several outcomes the first four count.

    It asks that environments say nothing of the code once the outcome is known, which is right where patients differ
    between environments by care practice and by how many are ill. It fails where the illness itself differs between
    environments, whose cause it then takes out, and it cannot see what biases inside every environment alike.

    Args:
        network: What is trained.
        num_suspects: Number of codes of each declared suspect.
        margin: Whether logits are trained beside ``Targets.margin``.
        stage_one: Share of all epochs in which only cross-entropy acts.
        weight: Of the penalty, 0 to 1,000,000. The default was chosen among a few values by the weighted tuning
            loss on the simulated cohort ``confounded`` with seeds 0 and 1.

    References:
        Gretton et al., JMLR 13 (2012), for the unbiased estimate; Veitch et al., NeurIPS 2021, for the condition on the
        outcome. Each environment against the others, and patterns as environments: our formulation.
    """

    def penalties(self, prediction: Prediction, targets: Targets, environments: list[Tensor]) -> list[Tensor]:
        """The discrepancy by each suspect; no unit, at most 2."""
        code = prediction.embeddings.pooled.float()
        if len(code) < 4:
            return [code.new_zeros(()) for _ in environments]
        kernel, classes = gaussian_kernel(code), self.num_outputs if self.multiclass else 2
        known = [F.one_hot(each + 1, classes + 1)[:, 1:].float() for each in conditions(targets.y)]
        return [
            torch.stack([_within(kernel, environment, each) for each in known]).mean() for environment in environments
        ]


def _within(kernel: Tensor, environment: Tensor, known: Tensor) -> Tensor:
    """Mean over the classes (columns of ``known``) and environments, by their patients."""
    parts = [mmd_to_the_rest(kernel, environment * known[:, [each]]) for each in range(known.size(1))]
    square, count = (torch.cat(each) for each in zip(*parts))
    return (square * count).sum() / count.sum().clamp(min=1)


def mmd_to_the_rest(kernel: Tensor, group: Tensor) -> tuple[Tensor, Tensor]:
    """Unbiased squared MMD between each group and all other patients in any group.

    Args:
        kernel: Of all pairs of patients; float [B, B].
        group: 0/1, at most one group per patient; float [B, G].

    Returns:
        The discrepancy, 0 where one side has fewer than two patients, and the group's patients, 0 there, too; [G] each.
    """
    own = group.sum(0)
    rest = own.sum() - own
    between = group.t() @ kernel @ group  # [G, G]
    diagonal = group.t() @ kernel.diagonal()
    inside, row, total = between.diagonal(), between.sum(1), between.sum()
    among = total - 2 * row + inside
    pairs = lambda count: (count * (count - 1)).clamp(min=1)  # noqa: E731
    square = (
        (inside - diagonal) / pairs(own)
        + (among - (diagonal.sum() - diagonal)) / pairs(rest)
        - 2 * (row - inside) / (own * rest).clamp(min=1)
    )
    judged = (own > 1) & (rest > 1)
    return torch.where(judged, square, 0.0), torch.where(judged, own, 0.0)
