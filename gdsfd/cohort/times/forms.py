"""How times are written that are read, as regular expressions (RE2) of a whole text."""

from __future__ import annotations

__all__ = [
    "ANY_STAMP",
    "DATE_ONLY",
    "DURATION",
    "HALF",
    "HALF_CLOCK",
    "HALF_END",
    "LIKE_A_DATE",
    "STAMP",
    "ZONED_STAMP",
    "ZONE_END",
]

_DATE = r"[0-9]{4}(?:-[0-9]{1,2}-[0-9]{1,2}|/[0-9]{1,2}/[0-9]{1,2})"
_CLOCK = r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?"
HALF = r" ?[AaPp][Mm]"
_ZONE = r" ?(?:Z|z|UTC|GMT|[+-][0-9]{2}(?::?[0-9]{2})?)"
#: A timestamp without AM, PM or a zone, and one with a zone: as regular expressions of the whole text.
STAMP = rf"^{_DATE}(?:[T ]{_CLOCK})?$"
ZONED_STAMP = rf"^{_DATE}[T ]{_CLOCK}{_ZONE}$"
ANY_STAMP = rf"^{_DATE}(?:[T ]{_CLOCK}(?:{HALF}|{_ZONE})?)?$"
DATE_ONLY = rf"^{_DATE}$"
DURATION = r"^(?:[+-]?[0-9]{1,7} days?(?:,? |$))?(?:[+-]?[0-9]{1,7}:[0-5][0-9](?::[0-5][0-9](?:\.[0-9]+)?)?)?$"
HALF_CLOCK = rf"^(?:0?[1-9]|1[0-2]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]+)?)?{HALF}$"
#: The beginning of a text that some system means as a date, in an order that is not in the text or with AM and PM.
LIKE_A_DATE = r"^[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}(?:[T ]|$)"
#: The end of a text that has AM or PM, and of one that has a zone.
HALF_END = rf"[0-9]{HALF}$"
ZONE_END = rf":[0-9]{{2}}(?:\.[0-9]+)?{_ZONE}$"
