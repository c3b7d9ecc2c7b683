"""One step of a critic, the other half of the alternation with the encoders."""

from __future__ import annotations

from torch import Tensor
from torch.optim import Optimizer

from gdsfd.nn.dependence.dependence import Dependence

__all__ = ["critic_step"]


def critic_step(
    dependence: Dependence,
    optimizer: Optimizer | None,
    causal: Tensor,
    biased: Tensor,
    condition: Tensor | None = None,
    suspects: Tensor | None = None,
    steps: int = 1,
) -> Tensor | None:
    """Trains the critic on a batch of codes, before the encoders take their step on the same batch.

    In each iteration: encode; ``critic_step``; then ``loss = outcome loss + weight * dependence(causal, biased, ...)``,
    ``loss.backward()`` and the encoders' optimiser. The order matters: a critic that is a step behind describes the
    codes as they were, and the encoders would move to where it is wrong. The critic's optimiser holds
    ``dependence.critic_parameters()``, and the encoders' optimiser must not. The graph of the codes is left as it is,
    so they need not be encoded twice.

    Args:
        dependence: The estimator; one without a critic is left as it is.
        optimizer: The critic's own optimiser; may be None when there is no critic.
        causal: [B, d_c].
        biased: [B, d_b].
        condition: Classes, int64 [B], or None.
        suspects: int64 [B] or [B, columns], or None.
        steps: Steps on this batch.

    Returns:
        The critic's loss before the last step, detached; None without a critic (or with 0 steps).

    Example:
        >>> import torch
        >>> from gdsfd.nn.dependence import build_dependence
        >>> dependence = build_dependence("mine", 2, 2)
        >>> optimizer = torch.optim.Adam(dependence.critic_parameters(), lr=1e-3)
        >>> causal = torch.nn.Linear(3, 2)(torch.ones(8, 3))
        >>> loss = critic_step(dependence, optimizer, causal, causal, steps=2)
        >>> dependence(causal, causal).backward()
    """
    last: Tensor | None = None
    for _ in range(steps):
        loss = dependence.critic_loss(causal, biased, condition, suspects)
        if loss is None or optimizer is None:
            return None
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        last = loss.detach()
    return last
