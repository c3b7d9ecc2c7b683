"""The backbone protocol."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol

from torch import Tensor, nn

from gdsfd.graph.grid_layout import Layout
from gdsfd.nn.backbones.card import Card
from gdsfd.nn.embeddings import Embeddings

__all__ = ["Backbone", "Criterion", "Task", "TokenBatches"]

#: A function that starts a new pass over training batches, each as tokens [E, d] and their layout, for
#: backbones that take masks also as (tokens, layout, mask).
TokenBatches = Callable[[], Iterable[tuple[Any, ...]]]


class Criterion(Protocol):
    """What training minimises, of whatever embeddings a learner makes (:meth:`Backbone.training_loss`)."""

    def __call__(self, embeddings: Embeddings, rows: Tensor | None = None) -> Tensor:
        """The outcome's loss with its weights and margins, the parts' losses, and the learner's own.

        Args:
            embeddings: Of all the batch's patients, or of those in ``rows``.
            rows: Their places in the batch; int64 [b].

        Returns:
            A scalar, in nats; 0 where nobody is labelled.
        """


@dataclass(frozen=True)
class Task:
    """What a network is to predict, and from what.

    Args:
        outputs: Outputs C: one per outcome, or one per class.
        modalities: Names of the modalities, in the order of the layout; empty where nodes are cells.
        features: How many features each modality's encoder has, 0 for one with weights of its own; empty likewise.
    """

    outputs: int
    modalities: tuple[str, ...] = ()
    features: tuple[int, ...] = ()


#: Hooks that see one member by itself, and what they see.
_ALONE = {"after_backward": "changes the gradients", "training_loss": "replaces the training loss"}


class Backbone(nn.Module, ABC):
    """Turns the tokens on a batch's edges into one embedding per patient.

    In evaluation mode the embedding of a patient must not depend on who else is in the batch. A backbone that learns
    from its neighbours in training therefore keeps what it needs of them in buffers, filled by :meth:`fit_memory`.

    Args:
        channels: Width d of tokens and embeddings.
        num_modalities: Number of modalities K.
        dropout: Dropout probability.
    """

    #: Where dual streams stand: on the tokens that go in ("input"), on the tokens that come out ("tokens"), or on the
    #: pooled vector ("pooled"); see :class:`gdsfd.nn.streams.DualStreams`.
    streams_on: Literal["input", "tokens", "pooled"] = "input"
    #: Whether :meth:`forward` takes ``mask``, float [E] or [E, d], and normalises its messages by the mask's sum.
    takes_mask: bool = False
    #: Whether the backbone also takes a :class:`~gdsfd.graph.grid_layout.GridLayout`, with tokens [K, B, d] and masks
    #: [K, B] or [K, B, d]: it then asks its layout for all that depends on where edges are, and looks at no values.
    takes_grid: bool = False
    #: What an edge is: a modality a patient has, or a single cell that was observed.
    level: Literal["modality", "cell"] = "modality"
    #: Whether it gets a :class:`~gdsfd.nn.encoders.feature_layout.FeatureLayout` in training (``takes_grid`` is False).
    reads_features: bool = False
    #: Whether ``Embeddings.logits`` are the scores, in place of a head on ``pooled``. Dual streams have heads of their
    #: own and stand on ``pooled`` then: how this backbone fuses logits is not debiased.
    own_logits: bool = False
    #: Weight of the outcome's loss on each of ``Embeddings.parts``; with 0 they are only reported.
    parts_weight: float = 1.0
    #: Whether training reads what :meth:`fit_memory` fits, which is then called before the first epoch, too.
    memory_in_training: bool = False
    #: Whether processes that each embed some of a batch's patients come to what one that embeds all does: a patient's
    #: embedding depends on others, if at all, through sums that go through :func:`gdsfd.ops.over_ranks.sum_over_ranks`,
    #: and :meth:`forward` returns no loss of its own (see :meth:`why_not_shared`).
    shares_batches: bool = False
    #: In how many epochs, from the first, patients with the most modalities come first.
    complete_first: int = 0
    #: Whether :meth:`end_epoch` is also told how probable each part found the truth.
    reads_truth: bool = False
    #: Where the method comes from and how absence enters it, for ``gdsfd learners``.
    card: ClassVar[Card | None] = None

    def __init__(self, channels: int, num_modalities: int, dropout: float = 0.25) -> None:
        super().__init__()
        self.channels = channels
        self.num_modalities = num_modalities
        self.dropout = dropout

    @abstractmethod
    def forward(self, tokens: Tensor, layout: Layout, y: Tensor | None = None) -> Embeddings:
        """Embeds a batch of patients.

        Args:
            tokens: One token per edge, float [E, d], in the order of the layout.
            layout: The batch's edges.
            y: Labels for losses of the backbone's own (training only); NaN or -1 = unlabelled.

        Returns:
            Embeddings; ``pooled`` is [B, d] also for patients without any edge.
        """

    def set_task(self, task: Task) -> None:
        """Makes what depends on the outcome, such as heads of its own; called once, before training. Nothing here."""
        return None

    def start_from(self, bias: Tensor) -> None:
        """Sets biases of heads of its own so that an untrained network predicts the training shares.

        Args:
            bias: Log-odds of each outcome, or logarithms of the classes' shares; float [outputs].
        """
        return None

    def why_no_grid(self) -> str:
        """Why it takes no batches in fixed shapes, and so no members in one pass, in words; empty where it does."""
        for hook, what in _ALONE.items():
            if self.has_hook(hook):
                return f"{type(self).__name__} {what} of each member by itself, on a list of edges"
        return "" if self.takes_grid else f"{type(self).__name__} reads a list of edges"

    def why_not_shared(self) -> str:
        """Why several processes cannot each embed some of a batch's patients, in words; empty where they can."""
        return "" if self.shares_batches else f"{type(self).__name__} may look at all patients of a batch"

    @classmethod
    def has_hook(cls, name: str) -> bool:
        """Whether a method that does nothing by default has been overridden."""
        return getattr(cls, name) is not getattr(Backbone, name)

    @classmethod
    def trains_in_one_pass(cls) -> bool:
        """Whether members can train in one pass."""
        return cls.takes_grid and not any(cls.has_hook(hook) for hook in _ALONE)

    def start_epoch(self, epoch: int) -> None:
        """Called before each epoch of training, on the weights that it starts from. Nothing by default.

        What this or :meth:`end_epoch` keeps is in buffers of fixed sizes: a resumed run then repeats an uninterrupted
        one. Random draws are a function of the seed and the epoch.

        Args:
            epoch: Number of epochs done.
        """
        return None

    def end_epoch(self, figures: Mapping[str, float]) -> None:
        """Called after each epoch, when it has been judged: what changes here counts from the next one on.

        Args:
            figures: ``epoch`` (from 1), ``max_epochs``, ``train_loss``, ``tuning_loss``, ``tuning_auprc``,
                ``tuning_auroc``; with :attr:`reads_truth` also ``truth of NAME`` for every part: the mean probability
                it gave to the true label in this epoch's training batches, NaN where it spoke of nobody labelled.
        """
        return None

    def after_backward(self, groups: Mapping[str, Sequence[nn.Parameter]]) -> None:
        """Reads and changes gradients in place, between backward and the optimiser's step (before norms are clipped).

        Members then train one by one, on lists of edges. Called without gradients.

        Args:
            groups: ``encoder:NAME`` of each modality, ``fusion`` (this backbone with heads of its own) and ``head``
                (all else; with dual streams also their gates and the other stream). A gradient is None where the
                batch did not reach the parameter.
        """
        return None

    def training_loss(self, tokens: Tensor, layout: Layout, y: Tensor | None, criterion: Criterion) -> Tensor:
        """Takes the place of forward and criterion in training, for learners that train on more than one embedding.

        Members then train one by one, on lists of edges. Dual streams have a loss of their own and do not ask for it:
        with them the embeddings of :meth:`forward` are trained as any learner's.

        Args:
            tokens: As in :meth:`forward`.
            layout: Likewise.
            y: Likewise.
            criterion: The loss of embeddings.

        Returns:
            What is minimised, a scalar in nats.
        """
        return criterion(self(tokens, layout, y))

    def fit_memory(self, batches: TokenBatches) -> None:
        """Fits what inference needs to know of the training patients; nothing by default.

        Args:
            batches: Starts a pass over training batches. The module is in evaluation mode, without gradients.
        """
        return None

    @property
    def has_memory(self) -> bool:
        """Whether :meth:`fit_memory` does anything (the training loop then calls it before every evaluation)."""
        return type(self).fit_memory is not Backbone.fit_memory
