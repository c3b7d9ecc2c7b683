"""Lines of ``benchmarks/explanations.py`` as a table."""

from __future__ import annotations

from typing import Any

from rst_table import list_table

Line = dict[str, Any]


def explanations(lines: list[Line]) -> list[str]:
    """A row per backbone and seed."""
    rows = [
        (
            "backbone",
            "seed",
            "log-odds along the way of deletion, less a random order's",
            "causal among the top three",
            "causal among all",
            "first value is causal",
            "biased over causal, score",
            "biased over causal, biased stream",
            "seconds per patient",
        )
    ]
    for line in lines:
        way, ratio = line["deletion"], line["biased_over_causal"]
        rows.append(
            (
                f"``{line['backbone']}``",
                str(line["seed"]),
                f"{way['mean']:+.2f} [{way['low']:+.2f}, {way['high']:+.2f}]",
                f"{line['causal_in_top_three']:.0%}",
                f"{line['causal_of_all']:.0%}",
                f"{line['first_is_causal']:.0%}",
                f"{ratio['prediction']:.2f}",
                f"{ratio['biased']:.2f}",
                f"{line['seconds_per_patient']:.2f}",
            )
        )
    return list_table(rows)
