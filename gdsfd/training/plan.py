"""What a training will do, known before it starts: which fits, of how many networks, of how many epochs at most."""

from __future__ import annotations

from dataclasses import dataclass
from multiprocessing import get_all_start_methods

from torch_geometric.data import HeteroData

from gdsfd.nn.streams.config import StreamConfig
from gdsfd.training.config import TrainConfig
from gdsfd.training.devices import read_device
from gdsfd.training.model_selection.leave_one_environment_out import environment_folds

__all__ = ["BIASED", "TrainingPlan", "fits_at_once", "jobs_that_suit", "plan_training"]

#: Name of the biased stream that is trained after the debiased network.
BIASED = "biased"
#: The most fits at once where nobody says how many, and below how many training patients there are several: each
#: process holds the graph and what networks read of it.
AT_ONCE, FEW = 4, 10_000


@dataclass(frozen=True)
class TrainingPlan:
    """The fits of one training.

    Args:
        models: Fitted on all training patients: ``reference``, ``debiased`` where there is debiasing, and ``biased``,
            the stream beside it, where the mode has one.
        members: Networks of each of them.
        left_out: Groups of environments that the guard leaves out in turn, fitting one network of each model without
            them; 0 where nothing is left out. It does not come to that where it can decide sooner.
        max_epochs: Most epochs of each fit; early stopping may end it sooner.
        boosted: How many of the networks start from boosted trees.
        devices: Processes that train each of them together.
        at_once: Fits at a time, each in a process.
    """

    models: tuple[str, ...]
    members: int
    left_out: int
    max_epochs: int
    boosted: int = 0
    devices: int = 1
    at_once: int = 1

    @property
    def fits(self) -> int:
        """The most fits there will be."""
        judged = sum(name != BIASED for name in self.models)  # the guard has no use for the biased stream
        return len(self.models) + judged * self.left_out

    @property
    def explanation(self) -> str:
        """The plan in words."""
        count = len(self.models)
        networks = f"{self.members} networks" if self.members > 1 else "1 network"
        networks += f", {self.boosted} beside boosted trees" if self.boosted else ""
        words = f"{count} {'fits' if count > 1 else 'fit'} of {networks} ({', '.join(self.models)})"
        if self.left_out:
            words += f", then up to {self.fits - count} of 1 network for the guard, which leaves out"
            words += f" {self.left_out} groups of environments in turn"
        words += f"; at most {self.max_epochs} {'epochs' if self.max_epochs > 1 else 'epoch'} each"
        words += f", {self.at_once} fits at a time" if self.at_once > 1 else ""
        return f"{words}, by {self.devices} processes together" if self.devices > 1 else words


def fits_at_once(plan: TrainingPlan, train_patients: int, accelerator: str, threads: int) -> int:
    """How many fits at a time suit a plan: the threads shared out, on a CPU and for a cohort that is not large.

    A fit of thousands of patients gains little by a second thread; another fit beside it gains a core.

    Args:
        plan: The fits.
        train_patients: Patients they are trained on.
        accelerator: Where they run, as :class:`~gdsfd.training.config.TrainConfig` names it.
        threads: What this process may use.
    """
    return 1 if plan.devices > 1 else jobs_that_suit(plan.fits, train_patients, accelerator, threads)


def jobs_that_suit(fits: int, train_patients: int, accelerator: str, threads: int) -> int:
    """The same of any fits that do not need one another.

    Args:
        fits: How many there are.
        train_patients: Patients that each is trained on.
        accelerator: Where they run, as :class:`~gdsfd.training.config.TrainConfig` names it.
        threads: What this process may use.

    Example:
        >>> jobs_that_suit(10, train_patients=2_000, accelerator="cpu", threads=1)
        1
    """
    on_cpu = accelerator == "cpu" or (accelerator == "auto" and read_device("auto").type == "cpu")
    forked = "forkserver" in get_all_start_methods()  # not on Windows
    if not (on_cpu and forked) or train_patients >= FEW:
        return 1
    return max(1, min(fits, threads, AT_ONCE))


def plan_training(graph: HeteroData, config: TrainConfig, streams: StreamConfig | None) -> TrainingPlan:
    """The plan of a training on a graph.

    Args:
        graph: The graph.
        config: A resolved configuration.
        streams: The parts of the debiasing mode; None = ERM.
    """
    assert config.members is not None
    boosted = config.boosted_members or 0
    if streams is None:
        return TrainingPlan(("reference",), config.members, 0, config.max_epochs, boosted, config.devices)
    folds = environment_folds(graph, config.guard_folds if config.guard == "auto" else 0)
    models = ("reference", "debiased", *([BIASED] if streams.remainder else []))
    return TrainingPlan(models, config.members, len(folds), config.max_epochs, boosted, config.devices)
