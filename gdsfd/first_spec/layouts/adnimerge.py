"""ADNIMERGE: the Alzheimer's Disease Neuroimaging Initiative, one row per visit."""

from __future__ import annotations

from gdsfd.first_spec.layouts.layout import Layout

__all__ = ["ADNIMERGE"]

_TEST = "a memory or staging test that the diagnosis is made from"
_BASELINE = "of the first visit; with it hardly anything is left to learn"

ADNIMERGE = Layout(
    title="ADNIMERGE",
    signs=(frozenset({"RID", "PTID", "VISCODE", "EXAMDATE", "DX"}),),
    parts=("RID", "VISCODE"),
    subject="RID",
    origin=("EXAMDATE",),
    environment=("SITE",),
    groups=("PTGENDER", "PTRACCAT", "PTETHCAT"),
    notes=(
        "One patient is one visit; all visits of a person are in the same split.",
        "Beyond its range the assay of CSF reports >1700 or <200; they are read as the ends of the range.",
    ),
    leaks={
        **dict.fromkeys(
            (
                "CDRSB", "ADAS11", "ADAS13", "ADASQ4", "MMSE", "MOCA", "FAQ", "RAVLT_immediate", "RAVLT_learning",
                "RAVLT_forgetting", "RAVLT_perc_forgetting", "LDELTOTAL", "DIGITSCOR", "TRABSCOR", "mPACCdigit",
                "mPACCtrailsB", "EcogPtTotal", "EcogSPTotal",
            ),
            _TEST,
        ),
        **dict.fromkeys(
            ("Years_bl", "Month_bl", "Month", "M", "update_stamp", "COLPROT", "ORIGPROT", "EXAMDATE_bl"),
            "who comes for how long depends on the diagnosis",
        ),
        "*_bl": _BASELINE,
        "PTID": "another name of the person",
    },
)  # fmt: skip
