"""What the names of columns and tables say, in the languages of European hospitals."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

__all__ = ["folded", "says"]

#: Role -> words that say it where they are a word of their own.
_WORDS = {
    "person": "subject person patient patienten pat mrn pid ipp nip empi uniquepid usubjid ptid rid proband probands "
    "malade "
    "paciente",
    "stay": "case fall spell",
    "id": "id ids nr no num number key sk uid uuid guid identifier nummer numero clave code hash usubjid mrn rid ptid",
    "environment": "hospital site sites center centre centrum centro zentrum clinic klinik clinica clinique "
    "krankenhaus hopital "
    "facility institution provider trust standort etablissement region country land unit ward station service "
    "department "
    "dept abteilung icu careunit siteid sitecode dzclass",
    "era": "era epoch period year jahr annee ano wave cohort",
    "group": "sex gender race ethnic ethnicity geschlecht sexe sexo genero genre herkunft ethnie raza ptgender "
    "ptraccat "
    "ptethcat insurance payer",
    "text": "note text comment comments remark narrative report description kommentar bemerkung befundtext",
    "item": "item items label param parameter parameters parametre parametro variable mesure messung test testcd "
    "analyte analyt measure measurement variable "
    "observation "
    "component loinc vital labname kenngrosse messgrosse examen prueba feature signal channel concept code",
    "value": "value values val valuenum result results wert messwert ergebnis valeur resultat resultado valor "
    "reading stresn "
    "orres numeric",
    "drug": "drug drugs medication medikament medikation medicament wirkstoff substance substanz atc ndc dose dosis "
    "dosage "
    "prescription infusion trt rate amount input ingredient cm",
    "start": "index prediction",
    "birth": "dob",
    "end": "out ende fin alta completed closed due",
    "entered": "",
    "stored": "",
    "time": "day days dy ts tag hora dt moment t",
    "minutes": "min mins",
    "hours": "hr hrs h",
    "days": "day days dy tag tage jour jours dia dias",
    "seconds": "sec secs",
    "unit": "unit units uom einheit unite unidad stresu orresu valueuom amountuom rateuom",
    "row number": "seq sequence rownum lfdnr seqnum",
}
#: Role -> what says it anywhere in a name, also inside a word, as in ``hospitaldischargestatus``.
_PARTS = {
    "person": r"uniquepid",
    "stay": r"stay|visit|encounter|admission|hadm|episode|aufenthalt|sejour|ingreso|^fall",
    "id": r"id$|(fall|pat|aufenthalt)nr$",
    "environment": r"hospitalid|siteid|clinicid|icutype|unittype|careunit|care site",
    "era": r"year group",
    "group": r"gender|ethnicity",
    "item": r"itemid|testcd|label|labname|labothername|parameter|concept id|analyte|result name",
    "value": r"valuenum|valuenumeric|labresult|labotherresult|chartvalue|value as number|stresn",
    "drug": r"drug|medication|infusion",
    "start": r"admi(t|ssion|tted)|intime|arriv|aufnahme|eintritt|entree|ingreso|enrol|baseline|rfst|exam ?date|"
    r"randomi[sz]|"
    r"inclusion|(visit|encounter|stay|unit|study|case) ?start",
    "birth": r"birth|geburt|naissance|nacimiento|geb(jahr|datum|dat)",
    "end": r"stop|\bend|discharge|\bdisch|outtime|expir|revis|updat|discontinu|cancel|entlass|austritt|sortie|prior|"
    r"schedul",
    "entered": r"enter(ed)?|\bsave|saveoffset|erfasst|saisi|registered|documented",
    "stored": r"\bstor(e|ed)|storetime|storedate|verif|resulted|result(ed)? (at|time|ts|date)|reported|released|"
    r"freigabe|valid",
    "time": r"time|date|offset|minute|hour|^(?!body|study|ready|lady)[a-z]{2,5}dy$|dtc$|zeit|datum|stunde|heure|\bjour|"
    r"fecha|\bam$",
    "minutes": r"offset|minute",
    "hours": r"hour|stunde|heure|\bhora",
    "days": r"^(?!body|study|ready|lady)[a-z]{2,5}dy$",
    "seconds": r"second|sekunde",
    "unit": r"uom$|unit concept",
    "row number": r"^unnamed|row ?num|lfd ?nr|seq ?num|seq$|^(s ?no|column0|index|row|x|v1|level 0)$",
}


def folded(name: str) -> str:
    """A name as small letters without accents, its words separated by one blank.

    Example:
        >>> folded("Größe_cm"), folded("hospitalDischargeStatus"), folded("In-hospital_death"), folded("LBSTRESN")
        ('grosse cm', 'hospital discharge status', 'in hospital death', 'lbstresn')
    """
    return _folded(name)


@cache
def _folded(name: str) -> str:
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name.replace("ß", "ss"))
    plain = unicodedata.normalize("NFKD", apart)
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return " ".join(re.sub(r"[^0-9a-z]+", " ", plain.casefold()).split())


@cache
def says(name: str, role: str) -> bool:
    """Whether a name says that a column plays a role.

    Args:
        name: The column's name.
        role: ``"person"``, ``"time"``, ``"environment"``, ...: a key of the module's tables.

    Example:
        >>> says("uniquepid", "person"), says("Klinik", "environment"), says("sodium", "time")
        (True, True, False)
    """
    plain = folded(name)
    by_part = role in _PARTS and re.search(_PARTS[role], plain) is not None
    return by_part or not frozenset(plain.split()).isdisjoint(_WORDS.get(role, "").split())
