"""Confounder strata that are found: a mixture inside outcome classes, and what says whether it is a practice.

``content`` reads the numbers of a graph, ``coded_content`` what is written in codes and categories, ``gaussian_block``
is one modality's part of the ``mixture``, ``search`` fits it from several ``starts``, ``number_of_classes`` chooses how
many, ``line`` makes levels of one graded practice of them, ``evidence`` weighs practice against severity
(``coded_evidence`` asks more where codes have a part in it), ``found_strata`` puts them together, and ``choice``
decides whether they are used.
"""

from __future__ import annotations

from gdsfd.latent.evidence import Evidence
from gdsfd.latent.found_strata import FoundStrata, find_strata
from gdsfd.latent.mixture import Mixture
from gdsfd.latent.search import fit_mixture

__all__ = ["Evidence", "FoundStrata", "Mixture", "find_strata", "fit_mixture"]
