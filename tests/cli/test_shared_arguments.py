"""Options in the same words for every command."""

from __future__ import annotations

import argparse

from gdsfd.cli.shared_arguments import RESAMPLES, add_force_argument, add_quiet_argument, add_seed_argument


def test_what_they_read_and_say():
    parser = argparse.ArgumentParser(prog="x")
    add_quiet_argument(parser)
    add_force_argument(parser, "a graph")
    add_seed_argument(parser, "the bootstrap")
    assert vars(parser.parse_args([])) == {"quiet": False, "force": False, "seed": 0}
    assert vars(parser.parse_args(["--quiet", "--force", "--seed", "3"])) == {"quiet": True, "force": True, "seed": 3}
    told = " ".join(parser.format_help().split())
    assert "replace a graph that is already there" in told
    assert "seed of the bootstrap (default: 0)" in told
    assert RESAMPLES.format(1000).endswith("(default: 1,000)")


def test_a_seed_that_was_not_given_is_left_to_what_runs():
    parser = argparse.ArgumentParser()
    add_seed_argument(parser, "all draws", None)
    assert parser.parse_args([]).seed is None
