"""Which modes of debiasing, and which settings, go with a time to an event."""

from __future__ import annotations

from torch_geometric.data import HeteroData

from gdsfd.errors import InputError
from gdsfd.nn.streams.config import StreamConfig

__all__ = ["check_survival_mode", "check_survival_settings"]


def check_survival_mode(graph: HeteroData, streams: StreamConfig | None, where: str = "debias") -> None:
    """Refuses modes that look inside classes of the outcome: a time to an event has none.

    Its intervals would each be taken for an outcome of its own, with patients in it who are no longer at risk left out.

    Args:
        graph: The graph.
        streams: The parts of the mode; None = without debiasing.
        where: Begins the message.

    Raises:
        InputError: Names the part of the mode, and modes that go.
    """
    survival = graph.schema.survival
    if survival is None or streams is None:
        return
    for refused, words in (
        (streams.finds_strata, "looks for strata inside classes of the outcome (found_strata)"),
        (streams.conditional, "measures dependence inside classes of the outcome (conditional=True)"),
        (streams.objective == "mmd", "compares environments inside classes of the outcome (objective='mmd')"),
    ):
        if refused:
            raise InputError(
                f"{where}: this mode {words}, and the outcome {survival.name!r} is a time to an event, which has no "
                "classes. Modes that go with it: 'none', 'margin' (beside what the declared suspects say), 'strata' "
                "(weights), 'dfd', 'group_dro', 'vrex', 'irm'; of two streams beside the margin "
                "{'head': 'causal', 'margin': True, 'information': 'xcov'}"
            )


def check_survival_settings(graph: HeteroData, recalibrate: str) -> None:
    """Refuses to recalibrate the hazards of a time to an event: each interval has too few events for a fit of its own.

    Args:
        graph: The graph.
        recalibrate: The setting of that name.

    Raises:
        InputError: It is not ``none``.
    """
    survival = graph.schema.survival
    if survival is not None and recalibrate != "none":
        raise InputError(
            f"setting 'recalibrate': risks of {survival.name!r}, a time to an event, are not recalibrated; leave it at "
            "'none'"
        )
