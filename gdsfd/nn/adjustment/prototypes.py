"""Prototypes of strata: where the patients of each stratum are, how many and how spread out."""

from __future__ import annotations

import torch
from torch import Tensor

from gdsfd.errors import InputError, NotFittedError
from gdsfd.nn.adjustment.config import PrototypeConfig
from gdsfd.nn.adjustment.fitted_buffers import FittedBuffers
from gdsfd.nn.adjustment.kmeans import kmeans, nearest_center, stratum_sums
from gdsfd.nn.adjustment.matching import matched_order

__all__ = ["Prototypes"]


class Prototypes(FittedBuffers):
    r"""Strata of training patients as centres of an embedding, with their masses.

    Codes :math:`u_i` are standardised by channel and clustered inside each group (a pattern of modalities, an
    environment). Stratum :math:`s` has centre :math:`c_s`, :math:`n_s` of the :math:`N` training patients, and mass

    .. math:: P(s) = \frac{n_s + \alpha}{\sum_{s'} (n_{s'} + \alpha)}

    with :math:`\alpha` the setting ``smoothing``. Outcomes never enter. No gradient passes.

    Placebo ``"shuffled"``: the strata are real, but :meth:`assign` deals its answers out among the patients of the
    batch while in training mode.

    Args:
        channels: Width d of the codes.
        config: The settings.

    Attributes:
        center: Centres in standardised units; float [S, d].
        group: Group of each stratum, ascending when first fitted; int64 [S].
        count: Training patients n_s; float [S].
        mean, scale: What codes are standardised by; float [d].
        patients: Training patients N.
        target_mass: Masses set by :meth:`target`; float [S] or empty.
        fitted: Whether :meth:`fit` was called; bool.

    References:
        Our formulation.
    """

    sized_by_data = ("center", "group", "count", "target_mass")
    #: Kept by earlier versions for moving averages and jitter; read and left.
    no_longer_kept = ("total", "spread")
    center: Tensor
    group: Tensor
    count: Tensor
    mean: Tensor
    scale: Tensor
    patients: Tensor
    target_mass: Tensor
    fitted: Tensor

    def __init__(self, channels: int, config: PrototypeConfig) -> None:
        super().__init__()
        self.channels, self.config = channels, config
        self.register_buffer("center", torch.zeros(0, channels))
        self.register_buffer("group", torch.zeros(0, dtype=torch.long))
        self.register_buffer("count", torch.zeros(0))
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("scale", torch.ones(channels))
        self.register_buffer("patients", torch.zeros(()))
        self.register_buffer("target_mass", torch.zeros(0))
        self.register_buffer("fitted", torch.zeros((), dtype=torch.bool))

    @property
    def num_strata(self) -> int:
        """Number of strata S; 0 before fitting."""
        return self.center.size(0)

    @property
    def shuffle(self) -> bool:
        """Whether :meth:`assign` deals strata out at random in training mode."""
        return self.config.placebo == "shuffled"

    @property
    def mass(self) -> Tensor:
        """P(s): the target's masses if set, else the smoothed shares of training patients; float [S]."""
        if self.target_mass.numel():
            return self.target_mass
        smoothed = self.count + self.config.smoothing
        return smoothed / smoothed.sum()

    def standardise(self, codes: Tensor) -> Tensor:
        """Codes in the units of the centres; float32 [B, d]."""
        return (codes.detach().to(self.mean) - self.mean) / self.scale

    @torch.no_grad()
    def fit(self, codes: Tensor, group: Tensor, generator: torch.Generator | None = None) -> None:
        """Works strata out from training patients; at a later call they keep their numbers where they can.

        The centres of a later fit are paired with the ones before in their group so that the sum of squared distances,
        each in its own standardised units, is least. Masses set by :meth:`target` are dropped.

        Args:
            codes: Embeddings of all training patients; float [N, d].
            group: Their groups; int64 [N] in [0, G).
            generator: Where randomness comes from; default: torch's own.

        Raises:
            InputError: No patients, codes of another width, or codes that are not finite.
        """
        group = self._check(codes, group)
        exact = codes.detach().to(self.mean.device, torch.float64)
        self.mean, self.scale = (moment.float() for moment in _moments(exact))
        codes = self.standardise(codes)
        centers, center_group = kmeans(codes, group, self._per_group(group), generator=generator)
        if self.num_strata:
            order = matched_order(centers, center_group, self.center, self.group)
            centers, center_group = centers[order], center_group[order]
        ids = nearest_center(codes, group, centers, center_group)
        _, count = stratum_sums(codes, ids, len(centers))
        self.center, self.group, self.count = centers, center_group, count
        self.patients, self.fitted = count.sum(), torch.ones_like(self.fitted)
        self.target_mass = count.new_zeros(0)

    def assign(self, codes: Tensor, group: Tensor) -> Tensor:
        """The stratum of each patient: the nearest centre of the own group, of all where the group has none.

        Args:
            codes: float [B, d].
            group: int64 [B].

        Returns:
            int64 [B] in [0, S). With the placebo ``"shuffled"``, in training mode, another patient's of the batch.

        Raises:
            NotFittedError: Before :meth:`fit`.
        """
        if self.num_strata == 0:
            raise NotFittedError("the prototypes have not been fitted; call fit() with the training patients' codes")
        ids = nearest_center(self.standardise(codes), group.to(self.group.device), self.center, self.group)
        if self.shuffle and self.training:
            ids = ids[torch.randperm(len(ids), device=ids.device)]
        return ids

    def target(self, share: Tensor | None) -> None:
        """Sets the masses to those of a target site, or back to those of training with None.

        Args:
            share: Share or number of the site's patients in each stratum; float [S], not negative; scaled to sum to 1.

        Raises:
            InputError: Not one finite share at least 0 for each stratum, or all are 0.
        """
        if share is None:
            self.target_mass = self.count.new_zeros(0)
            return
        share = share.detach().to(self.count)
        wrong = share.shape != self.count.shape or not bool(share.isfinite().all() and (share >= 0).all())
        if wrong or not share.sum() > 0:
            raise InputError(
                f"target masses: expected {self.num_strata} finite shares of at least 0 that are not all 0, "
                f"got {share.tolist()}"
            )
        self.target_mass = share / share.sum()

    def _check(self, codes: Tensor, group: Tensor) -> Tensor:
        if codes.dim() != 2 or codes.size(1) != self.channels or len(codes) == 0 or group.shape != codes.shape[:1]:
            raise InputError(
                f"prototypes: expected codes [patients, {self.channels}] of at least one patient and a group for each, "
                f"got {tuple(codes.shape)} and {tuple(group.shape)}"
            )
        broken = (~codes.isfinite().all(1)).nonzero().flatten()
        if len(broken):
            raise InputError(
                f"prototypes: the codes of {len(broken)} of {len(codes)} patients are not finite, "
                f"first at rows {broken[:5].tolist()}; training has diverged or a feature is not scaled"
            )
        return group.to(self.group.device)

    def _per_group(self, group: Tensor) -> Tensor:
        """Centres asked for in each group; int64 [G]."""
        size = torch.bincount(group)
        most = self.config.clusters if "cluster" in self.config.strata else 1
        return (size // self.config.least).clamp(1, most).where(size > 0, 0)

    def extra_repr(self) -> str:
        return f"channels={self.channels}, strata={self.num_strata}"


def _moments(codes: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation by channel; a channel that does not vary beyond rounding is left unscaled."""
    mean = codes.mean(0)
    scale = (codes - mean).square().mean(0).sqrt()
    return mean, scale.where(scale > 1e-6 * (mean.abs() + 1e-6), 1.0)
