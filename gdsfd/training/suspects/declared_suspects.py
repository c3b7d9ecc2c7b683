"""What the user declares as possibly biased."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch_geometric.data import HeteroData

from gdsfd.cohort.modality_kind import kind_of
from gdsfd.errors import InputError, near_names
from gdsfd.graph.availability import presence_of
from gdsfd.graph.from_cohort import edge_type
from gdsfd.graph.loader import rows_of
from gdsfd.nn.streams.config import StreamConfig
from gdsfd.setting_checks import brief

__all__ = ["DEFAULT_SUSPECTS", "FOUND", "check_suspects", "existing_suspects", "read_suspects", "with_found"]

#: Suspects where none are given: those of them that the graph has.
DEFAULT_SUSPECTS = ("pattern", "environment")

#: Strata that are found, where they are tied to pattern or environment (:mod:`gdsfd.latent`).
FOUND = "found"

_WHOLE = ("pattern", "environment", "groups", FOUND)
_FORMS = "'pattern', 'environment', 'groups', 'found', 'modality:<name>' or 'column:<modality>.<name>'"


def read_suspects(suspects: str | Sequence[str] | None) -> tuple[str, ...]:
    """The declared suspects as a tuple.

    Args:
        suspects: One word or several, each ``pattern``, ``environment``, ``groups``, ``found``, ``modality:<name>`` or
            ``column:<modality>.<name>``; None = :data:`DEFAULT_SUSPECTS`.

    Raises:
        InputError: A word of another form; ``found`` with nothing that strata could be tied to.

    Example:
        >>> read_suspects("pattern")
        ('pattern',)
    """
    if suspects is None:
        return DEFAULT_SUSPECTS
    words = (suspects,) if isinstance(suspects, str) else suspects
    if not isinstance(words, (tuple, list)):
        raise InputError(f"suspects: expected a list of {_FORMS}, got {brief(suspects)}")
    for word in words:
        kind, colon, rest = str(word).partition(":")
        whole = word in _WHOLE
        part = bool(colon) and bool(rest) and (kind == "modality" or (kind == "column" and "." in rest))
        if not isinstance(word, str) or not (whole or part):
            raise InputError(f"suspects: expected {_FORMS}, got {brief(word)}.{near_names(str(word), _WHOLE)}")
    if FOUND in words and not {"pattern", "environment"} & set(words):
        raise InputError(
            "suspect 'found': strata count only where they are tied to the pattern of modalities or the environment; "
            f"declare one of these, too: {[*words, 'pattern']}"
        )
    return tuple(words)


def with_found(streams: StreamConfig | None, suspects: Sequence[str], strict: bool = True) -> StreamConfig | None:
    """A debiasing mode that looks for strata where ``found`` is among the suspects.

    Args:
        streams: The mode's parts; None = ERM.
        suspects: Words as in ``Debiaser(suspects=...)``.
        strict: Whether a mode that cannot take found strata is refused; it is left as it is otherwise.

    Raises:
        InputError: The mode adjusts for suspects by other means than a margin.
    """
    if FOUND not in suspects or streams is None or streams.finds_strata or not streams.uses_suspects:
        return streams
    if streams.margin and not streams.has_objective and not streams.adjusts:
        return replace(streams, found_strata="evidence")
    if not strict:
        return streams
    raise InputError(
        "suspect 'found': found strata take the place of a margin, and this debiasing mode has none, or averages over "
        "strata of its own; take debias='margin' or 'full', or leave 'found' out"
    )


def existing_suspects(suspects: Sequence[str], graph: HeteroData) -> tuple[str, ...]:
    """Those of ``pattern``, ``environment`` and ``groups`` that the graph has, and all other words."""
    return tuple(word for word in suspects if word not in _WHOLE or _declared(word, graph))


def check_suspects(suspects: Sequence[str], graph: HeteroData, varied: bool = True) -> None:
    """Refuses suspects that the graph does not have: nothing could be adjusted for.

    Args:
        suspects: Words as in ``Debiaser(suspects=...)``.
        graph: The graph.
        varied: Whether a suspect has to differ between training patients, too. Not when patients were left out of
            training on purpose, an environment for example.

    Raises:
        InputError: Names the suspect, and near ones.
    """
    columns = {each.name: list(kind_of(each).columns(each)) for each in graph.schema.modalities}
    for word in suspects:
        kind, _, rest = word.partition(":")
        name, _, column = rest.partition(".")
        if word in _WHOLE:
            if not _declared(word, graph):
                raise InputError(
                    f"suspect {word!r}: the graph has no {word}; name their column as `{word}` in [cohort] of the spec "
                    f"and build the graph again, or leave {word!r} out of the suspects"
                )
        elif name not in columns:
            raise InputError(f"suspect {word!r}: there is no modality {name!r}.{near_names(name, columns)}")
        elif kind == "column" and column not in columns[name]:
            raise InputError(
                f"suspect {word!r}: modality {name!r} has no column {column!r}.{near_names(column, columns[name])}"
            )
        if varied and word != FOUND:
            _check_varied(word, name, graph)


def _declared(word: str, graph: HeteroData) -> bool:
    if word in ("pattern", FOUND):
        return True
    return bool(graph["patient"].get("environment" if word == "environment" else "groups"))


def _check_varied(word: str, modality: str, graph: HeteroData) -> None:
    """Refuses a suspect that is the same for all training patients."""
    rows, patient = rows_of(graph, "train"), graph["patient"]
    if word == "pattern":
        seen, what = len(presence_of(graph)[rows].unique(dim=0)), "have the same modalities"
    elif word == "environment":
        seen, what = len({patient.environment[row] for row in rows.tolist()}), "are of one environment"
    elif word == "groups":
        seen = max(len({names[row] for row in rows.tolist()}) for names in patient.groups.values())
        what = "are of one group"
    else:
        having = torch.isin(rows, graph[edge_type(modality)].edge_index[0]).any()
        seen, what = 1 + int(having), f"are without the modality {modality!r}"
    if seen < 2:
        raise InputError(
            f"suspect {word!r}: all {len(rows)} training patients {what}: there is nothing to adjust for; leave "
            f"{word!r} out of the suspects"
        )
