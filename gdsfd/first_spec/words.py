"""What the names of columns and tables say, in the languages of European hospitals."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

__all__ = ["folded", "says", "tokens"]

#: Role -> regular expression. ``\b`` stands between the words of a name, however it joins them (see :func:`folded`);
#: what has none is also found inside a word, as in ``hospitaldischargestatus``.
_ROLES = {
    "person": r"\b(subject|person|patient|patienten|pat|mrn|pid|empi|uniquepid|usubjid|ptid|rid|probands?|malade|paciente)\b"
    r"|\bpat(ient)?\b|uniquepid",
    "stay": r"stay|visit|encounter|admission|hadm|episode|\bfall|aufenthalt|sejour|ingreso|\bcase\b|spell",
    "id": r"\b(id|ids|nr|no|num|number|key|sk|uid|uuid|guid|identifier|nummer|numero|clave|code|hash|usubjid|mrn|rid|ptid)\b"
    r"|id$|(fall|pat|aufenthalt)nr$",
    "environment": r"\b(hospital|site|sites|cent(er|re|ro|rum)|zentrum|clinic|klinik|clinica|clinique|krankenhaus|hopital|"
    r"facility|institution|provider|trust|standort|etablissement|region|country|land|unit|ward|station|service|department|dept|"
    r"abteilung|icu|careunit|site(id|code|name)|center(id|code)|dz(class))\b|hospitalid|siteid|clinicid|icutype|unittype|"
    r"careunit|care_site",
    "era": r"\b(era|epoch|period|year|jahr|annee|ano|wave|year_group|cohort)\b|year_group",
    "group": r"\b(sex|gender|race|ethnic|ethnicity|ethnic_group|geschlecht|sexe|sexo|genero|genre|herkunft|ethnie|raza|"
    r"ptgender|ptraccat|ptethcat|insurance|payer)\b|gender|ethnicity",
    "text": r"\b(note|text|comment|comments|remark|narrative|report|description|free ?text|kommentar|bemerkung|befundtext)\b",
    "item": r"\b(item|items|label|param|parameter|parameters|test|testcd|analyte?|analyt|measure|measurement|variable|"
    r"observation|component|loinc|vital|labname|kenngrosse|messgrosse|examen|prueba|feature|signal|channel|concept|code)\b"
    r"|itemid|testcd|label|labname|labothername|parameter|concept_id|analyte|result_name",
    "value": r"\b(value|values|val|valuenum|result|results|wert|messwert|ergebnis|valeur|resultat|resultado|valor|reading|"
    r"stresn|orres|numeric)\b|valuenum|valuenumeric|labresult|labotherresult|chartvalue|value_as_number|stresn",
    "code": r"\b(code|codes|icd|icd9|icd10|snomed|atc|ndc|drug|drugs|medication|medicament|medikament|wirkstoff|term|decod|trt|"
    r"diagnosis|diagnose|diagnostic|procedure|prozedur|ops|path|string|concept|name|item|category|organism|allergen|orderable|"
    r"order_type|service|specialty|event|site|type|careunit)\b|string|path$|icd|drug|medication|concept_id|decod$|term$|trt$|"
    r"code$|allergyname|hcpcs",
    "drug": r"\b(drug|drugs|medication|medikament|medikation|medicament|wirkstoff|substance|substanz|atc|ndc|dose|dosis|"
    r"dosage|prescription|infusion|trt|rate|amount|input|ingredient)\b|drug|medication|infusion|(^|\b)cm\b",
    "start": r"admi(t|ssion|tted)|intime|arriv|aufnahme|eintritt|entree|ingreso|enrol|baseline|\bindex\b|prediction|"
    r"(visit|encounter|stay|unit|study|case)\W?start|rfst|exam ?date|randomi[sz]|inclusion",
    "birth": r"birth|dob\b|geburt|naissance|nacimiento|geb(jahr|datum|dat)",
    "end": r"stop|\bend|(^|\b)end|discharge|\bdisch|\bout|outtime|expir|revis|updat|discontinu|cancel|entlass|austritt|"
    r"\bende?\b|\bfin\b|sortie|\balta\b|completed|closed|prior|due\b|schedul",
    "entered": r"enter(ed)?|\bsave|saveoffset|erfasst|saisi|registered|documented",
    "stored": r"\bstor(e|ed)|storetime|storedate|verif|result(ed)?_|resulted|reported|released|freigabe|valid",
    "time": r"time|date|offset|minute|hour|\bday|\bdy\b|dy$|dtc$|\bts\b|_ts$|zeit|datum|stunde|\btag\b|heure|\bjour|fecha|"
    r"\bhora|\bam$|timestamp|\bdt\b|moment|viscode|\bt\b",
    "minutes": r"offset|minute|\bmins?\b",
    "hours": r"hour|\bhrs?\b|\bh\b|stunde|heure|\bhora",
    "days": r"\bdays?\b|\bdy\b|dy$|\btage?\b|\bjours?\b|\bdias?\b",
    "seconds": r"second|\bsecs?\b|sekunde",
    "unit": r"\b(unit|units|uom|einheit|unite|unidad|stresu|orresu|valueuom|amountuom|rateuom)\b|uom$|unit_concept",
    "row number": r"^(sno|s no|unnamed.*|column0|index|row|row ?num(ber)?|rownum|x|v1|lfdnr|lfd nr|seq ?num|seq)$|"
    r"\bseq(uence)?\b|seq$",
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


def tokens(name: str) -> frozenset[str]:
    """The words of a name."""
    return frozenset(folded(name).split())


@cache
def says(name: str, role: str) -> bool:
    """Whether a name says that a column plays a role.

    Args:
        name: The column's name.
        role: A key of the module's table: ``"person"``, ``"time"``, ``"environment"``, ...

    Example:
        >>> says("uniquepid", "person"), says("Klinik", "environment"), says("sodium", "time")
        (True, True, False)
    """
    plain = folded(name)
    return re.search(_ROLES[role], plain) is not None or re.search(_ROLES[role], plain.replace(" ", "_")) is not None
