"""eICU Collaborative Research Database, the demo and the whole."""

from __future__ import annotations

from gdsfd.first_spec.layouts.layout import Layout, TableHint

__all__ = ["EICU"]

_ACTIVE = "known only at discharge"

EICU = Layout(
    title="eICU Collaborative Research Database",
    signs=(frozenset({"patientunitstayid", "uniquepid", "unitdischargeoffset"}),),
    id="patientunitstayid",
    subject="uniquepid",
    environment=("region", "hospitalid"),
    groups=("gender", "ethnicity"),
    hours=24,
    notes=(
        "One patient is one stay in a unit. Times are minutes after the admission to the unit.",
        "Whole tables are absent at whole hospitals, so the pattern of what is there tells the hospital apart.",
        "A third of the stays ended before 24 hours were over; where = \"unitdischargeoffset >= 1440\" in [cohort] "
        "leaves "
        "them out.",
    ),
    leaks={
        "dischargeweight": "weighed at discharge",
        "activeupondischarge": _ACTIVE,
        "diedinhospital": "the outcome",
        "dischargelocation": "where the patient went at the end",
        "var03hspxlos": "the length of the stay",
        "apachescore": "a score of the first day; its predictions are fitted on such outcomes",
    },
    tables=(
        TableHint(
            frozenset({"apachepatientresultsid"}),
            leave_out="APACHE's predictions come from a model fitted on such outcomes, and actual* and unabridged* "
            "are the "
            "outcome; take acutephysiologyscore with where = \"apacheversion = 'IVa'\" if you want a score",
        ),
        TableHint(
            frozenset({"cpleolid"}),
            leave_out="end-of-life care: it says that somebody expects the patient to die, and brings it about",
        ),
        TableHint(
            frozenset({"apachepredvarid"}),
            take=(
                "admitsource", "admitdiagnosis", "aids", "hepaticfailure", "lymphoma", "metastaticcancer", "leukemia",
                "immunosuppression", "cirrhosis", "diabetes", "electivesurgery", "readmit", "activetx", "thrombolytics",
                "ima", "graftcount", "ejectfx", "ventday1", "oobventday1", "oobintubday1",
            ),
        ),
        TableHint(frozenset({"apacheapsvarid"}), note="worst values of the first 24 hours; -1 is not measured"),
        TableHint(
            frozenset({"respchartid"}), item="respchartvaluelabel", value="respchartvalue", time="respchartoffset"
        ),
        TableHint(
            frozenset({"intakeoutputid"}), item="celllabel", value="cellvaluenumeric", time="intakeoutputoffset"
        ),
        TableHint(frozenset({"labid"}), item="labname", value="labresult", time="labresultoffset"),
        TableHint(
            frozenset({"medicationid"}),
            kind="codes",
            code="drug",
            derive={"drug": "COALESCE(CAST(drughiclseqno AS VARCHAR), drugname)"},
            time="drugorderoffset",
            note="two names in five are blank; most of those have the ingredient's number. Whether an order was "
            "cancelled "
            "may be known later",
        ),
        TableHint(
            frozenset({"cplgeneralid"}),
            kind="codes",
            code="item",
            derive={"item": "cplgroup || '|' || cplitemvalue"},
            where="cplgroup <> 'Care Limitation' AND cplitemvalue <> 'End of life'",
            time="cplitemoffset",
            note="limits of care are left out by where: they say that somebody expects the patient to die",
        ),
        TableHint(
            frozenset({"diagnosisid", "diagnosisstring"}),
            kind="codes",
            code="diagnosisstring",
            where="diagnosisstring NOT LIKE '%palliative%'",
        ),
        TableHint(
            frozenset({"treatmentid"}),
            kind="codes",
            code="treatmentstring",
            where="treatmentstring NOT LIKE '%palliative%'",
        ),
        TableHint(
            frozenset({"cplcareproviderid"}),
            kind="codes",
            code="specialty",
            where="specialty NOT LIKE '%palliative%' OR specialty IS NULL",
        ),
        TableHint(
            frozenset({"noteid", "notepath"}), kind="codes", code="notepath", where="notepath NOT LIKE '%End of life%'"
        ),
        TableHint(frozenset({"pasthistoryid"}), kind="codes", code="pasthistorypath", time="pasthistoryenteredoffset"),
        TableHint(frozenset({"nurseassessid"}), kind="codes", code="cellattributepath", time="nurseassessoffset"),
        TableHint(frozenset({"nursecareid"}), kind="codes", code="cellattributepath", time="nursecareoffset"),
        TableHint(
            frozenset({"patientunitstayid", "hospitalid", "vitalaperiodic", "diagnosis"}),
            leave_out="it says which tables a stay has rows in at any time, so also after the prediction",
        ),
    ),
)  # fmt: skip
