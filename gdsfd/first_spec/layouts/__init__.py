"""Layouts that a person knows, one file each; a new one is added to ``LAYOUTS``."""

from __future__ import annotations

from gdsfd.first_spec.layouts.adnimerge import ADNIMERGE
from gdsfd.first_spec.layouts.eicu import EICU
from gdsfd.first_spec.layouts.layout import Layout, TableHint, recognised
from gdsfd.first_spec.layouts.meds import MEDS
from gdsfd.first_spec.layouts.mimic_iv import MIMIC_IV
from gdsfd.first_spec.layouts.omop import OMOP
from gdsfd.first_spec.layouts.physionet2012 import PHYSIONET2012
from gdsfd.first_spec.layouts.support2 import SUPPORT2

__all__ = ["LAYOUTS", "Layout", "TableHint", "recognised"]

LAYOUTS = (EICU, MIMIC_IV, MEDS, OMOP, ADNIMERGE, PHYSIONET2012, SUPPORT2)
