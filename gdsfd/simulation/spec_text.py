"""The spec that reads a simulated cohort."""

from __future__ import annotations

from gdsfd.simulation.catalogue import CATALOGUE
from gdsfd.simulation.config import SimulationConfig

__all__ = ["spec_text"]

_HEAD = """\
# A simulated cohort, written by gdsfd.simulate; truth.json says how it came about.
# Outcome: deterioration after the first 24 hours. Everything used was recorded before; what the files hold from later
# follows the outcome and is left out by the windows.

[cohort]
source = "patients.csv"
id = "patient_id"
subject = "subject_id"
environment = "site"
groups = ["sex", "ethnicity"]

[outcome]
name = "deterioration"
column = "deteriorated"
positive = "yes"
negative = "no"

[split]
kind = "column"   # train, tuning, test, and three further evaluation sets
column = "split"
"""


_FIELDS = {
    "labs": """\
time = "charted_at"
origin = "admitted"
window = [0, 1440]
bin = 240
item = "test"
value = "result"
missing = [-1]
""",
    "vitals": """\
time = "minute"
window = [0, 1440]
bin = 240
values = {columns}
""",
    "history": """\
code = "code"
""",
    "medications": """\
code = "drug"
time = "minute"
window = [0, 1440]
""",
    "imaging": """\
columns = "e_*"
""",
    "notes": """\
columns = "vector"
""",
    "demographics": "",
    "ecg": "",
}


def spec_text(config: SimulationConfig) -> str:
    """The TOML text of ``spec.toml``.

    Args:
        config: The knobs; they say which modalities there are.
    """
    parts = [_HEAD if config.environment else _HEAD.replace('environment = "site"\n', "")]
    for name in config.names:
        modality = CATALOGUE[name]
        columns = "[" + ", ".join(f'"{feature.name}"' for feature in modality.features) + "]"
        fields = _FIELDS[name].replace("{columns}", columns)
        parts.append(
            f'\n[[modality]]\nname = "{name}"\nkind = "{modality.kind}"\n'
            f'source = "{modality.file}"\nid = "patient_id"\n{fields}'
        )
    return "".join(parts)
