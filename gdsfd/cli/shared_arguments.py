"""Options that several commands have, in the same words everywhere."""

from __future__ import annotations

import argparse

__all__ = ["RESAMPLES", "add_force_argument", "add_quiet_argument", "add_seed_argument"]

#: Help of ``--resamples``, with its default.
RESAMPLES = "bootstrap resamples that intervals are worked out from; 0 for no intervals (default: {:,})"


def add_quiet_argument(parser: argparse.ArgumentParser, says: str = "print nothing but errors") -> None:
    """Adds ``--quiet``, which also takes progress away.

    Args:
        parser: Of the sub-command.
        says: Its help, where something is printed all the same.
    """
    parser.add_argument("--quiet", action="store_true", help=f"{says}; show no progress")


def add_force_argument(parser: argparse.ArgumentParser, what: str) -> None:
    """Adds ``--force``.

    Args:
        parser: Of the sub-command.
        what: What is replaced, with its article: ``"a graph"``.
    """
    parser.add_argument("--force", action="store_true", help=f"replace {what} that is already there")


def add_seed_argument(parser: argparse.ArgumentParser, of: str, default: int | None = 0) -> None:
    """Adds ``--seed``; the same seed gives the same result.

    Args:
        parser: Of the sub-command.
        of: What it is the seed of.
        default: Of the option; None where what runs has a default of its own, which is 0 as well.
    """
    parser.add_argument("--seed", metavar="N", type=int, default=default, help=f"seed of {of} (default: 0)")
