"""A first spec for exports that nobody has described yet: guesses, each with its reason, in a spec that builds.

``find_exports`` finds the tables; ``sample`` and ``column_facts`` look at their first rows; ``keys``, ``times``,
``kinds``, ``roles``, ``outcomes`` and ``leaks`` each guess one thing; ``layouts`` adds what a person knows of public
databases; ``propose`` puts them together, ``spec_text`` writes TOML with a comment on every guess, ``trial`` makes sure
that it builds.
"""

from __future__ import annotations
