"""Modality dropout along the training patterns, and its consistency loss."""

from __future__ import annotations

import torch
from torch import Tensor

from gdsfd.cohort.schema import CohortSchema
from gdsfd.errors import InputError
from gdsfd.graph.grid_layout import GridLayout, Layout
from gdsfd.nn.encoders.cell_names import cell_names

__all__ = ["consistency", "draw_patterns", "modality_of_cells", "remove_modality_edges"]


def draw_patterns(
    presence: Tensor, patterns: Tensor, share: Tensor, generator: torch.Generator | None = None
) -> Tensor:
    r"""Draws for each patient a pattern that the patient could have had with fewer modalities.

    For a patient with pattern :math:`m_i` the draw is

    .. math:: P(m' = \mu) \propto P(\mu) \, [\mu \subseteq m_i], \qquad \mu \text{ a training pattern},

    so modalities disappear together as they do among training patients, and none is ever made up. A patient none of
    whose sub-patterns is a training pattern gets what a drawn pattern leaves of the patient's own, among the patterns
    that leave something; and keeps the own one where no pattern does. The empty pattern is drawn for nobody who has
    anything: a prediction from nothing is the same for all.

    Args:
        presence: True where a patient has a modality; bool [B, K].
        patterns: Training patterns; bool [P, K].
        share: Their shares among training patients (any positive multiple); a pattern of share 0 is not drawn. [P]
        generator: Where draws come from; default: torch's global generator.

    Returns:
        True where a modality is kept, never where it was absent; bool [B, K].

    References:
        Our formulation (METHODS 2.3); modality dropout is the case of independent modalities.

    Example:
        >>> presence = torch.tensor([[True, True, False]])
        >>> patterns = torch.tensor([[True, False, False], [True, True, True]])
        >>> draw_patterns(presence, patterns, torch.tensor([0.5, 0.5]))
        tensor([[ True, False, False]])
    """
    if patterns.size(0) == 0:
        return presence.clone()
    has, kinds = presence.float(), patterns.float()
    common = has @ kinds.T  # [B, P] modalities in both; whole numbers, so comparisons are exact
    some = common > 0
    inside = some & (common == kinds.sum(1))
    share = share.to(device=presence.device, dtype=torch.float32)
    weight = share * inside
    weight = torch.where(weight.sum(1, keepdim=True) > 0, weight, share * some)
    drawable = weight.sum(1, keepdim=True) > 0
    choice = torch.multinomial(torch.where(drawable, weight, 1.0), 1, generator=generator).squeeze(1)
    return presence & (patterns[choice] | ~drawable)


def remove_modality_edges(
    tokens: Tensor, layout: Layout, keep: Tensor, modality_of: Tensor | None = None
) -> tuple[Tensor, Layout]:
    """Deletes the edges of modalities that are not kept.

    Args:
        tokens: One token per edge; float [E, d].
        layout: The batch's edges.
        keep: True where a patient keeps a modality; bool [B, K].
        modality_of: Modality of each node, for layouts whose nodes are not modalities (``Backbone.level`` "cell"; see
            :func:`modality_of_cells`); int64 [nodes].

    Returns:
        The tokens and the layout (of the same class) of the edges that stay, in their order. Patients and nodes stay,
        also those left without an edge.

    Raises:
        InputError: ``keep`` is not of this layout's patients and modalities.
    """
    if isinstance(layout, GridLayout):
        return tokens, layout.restrict(keep)
    modalities = layout.num_modalities if modality_of is None else keep.size(-1)
    nodes = layout.num_modalities if modality_of is None else modality_of.numel()
    if keep.dtype != torch.bool or keep.shape != (layout.num_patients, modalities) or nodes != layout.num_modalities:
        raise InputError(
            f"remove_modality_edges: expected keep as bool [{layout.num_patients}, {modalities}] for "
            f"{layout.num_modalities} nodes, got "
            f"{keep.dtype} {list(keep.shape)} for {nodes}; with a backbone of level 'cell' give modality_of for all "
            "nodes"
        )
    modality = layout.modality if modality_of is None else modality_of[layout.modality]
    stays = keep[layout.patient, modality]
    return tokens[stays], layout.keep(stays)


def modality_of_cells(schema: CohortSchema) -> Tensor:
    """Modality of each feature node of :class:`~gdsfd.nn.encoders.cell_tokens.CellTokens`; int64 [nodes].

    Args:
        schema: The cohort's fitted description.
    """
    number = {name: place for place, name in enumerate(schema.names)}
    return torch.tensor([number[modality] for modality, _ in cell_names(schema)], dtype=torch.long)


def consistency(first: Tensor, second: Tensor, multiclass: bool) -> Tensor:
    r"""How far two predictions of the same patients lie apart: their mean divergence, in nats.

    .. math:: \tfrac12 KL(p \| q) + \tfrac12 KL(q \| p) = \tfrac12 \sum_y (p_y - q_y)(\log p_y - \log q_y)

    over the classes of a multi-class outcome, or over the two labels of each binary outcome.

    Args:
        first: Logits of ``p``; float [B, outputs].
        second: Logits of ``q``; float [B, outputs].
        multiclass: Whether the outputs are the classes of one outcome.

    Returns:
        The mean over patients (and outcomes); 0, with a gradient of 0, for no patients. Gradients reach both: detach
        what is to stay where it is.

    Example:
        >>> consistency(torch.tensor([[0.0]]), torch.tensor([[0.0]]), multiclass=False)
        tensor(0.)
    """
    if multiclass:
        log_p, log_q = first.log_softmax(-1), second.log_softmax(-1)
        apart = (0.5 * (log_p.exp() - log_q.exp()) * (log_p - log_q)).sum(-1)
    else:
        apart = 0.5 * (first.sigmoid() - second.sigmoid()) * (first - second)
    return apart.sum() / max(apart.numel(), 1)
