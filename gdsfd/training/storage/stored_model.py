"""What ``model.json`` has to hold: names and types, versions, and what has to fit together."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gdsfd.cohort.schema import CohortSchema
from gdsfd.errors import InputError, RetiredError, cell_text
from gdsfd.file_digest import digest_of_json
from gdsfd.nn.streams.config import StreamConfig
from gdsfd.plugins import require_plugins
from gdsfd.training.config import TrainConfig
from gdsfd.training.suspects.declared_suspects import DEFAULT_SUSPECTS, read_suspects

__all__ = ["FORMAT", "VERSION", "check_stored", "damaged", "stored_config"]

FORMAT = "gdsfd model"
#: Version 1 stored settings only as resolved, and no digests.
VERSION = 2

_Count = Annotated[int, Field(ge=0)]
_Which = Literal["reference", "debiased"]
_Whole = ConfigDict(strict=True, extra="forbid")


class _Arguments(BaseModel):
    """The constructor's, as given."""

    model_config = _Whole
    backbone: str
    debias: str
    streams: dict[str, Any] | None
    suspects: list[str] | None
    seed: _Count
    config: dict[str, Any]


class _Resolved(BaseModel):
    """What ``fit`` chose for its cohort."""

    model_config = _Whole
    config: dict[str, Any]
    suspects: list[str]


class _Training(BaseModel):
    """Facts of the training."""

    model_config = ConfigDict(strict=True, extra="allow")
    train_patients: Annotated[int, Field(ge=1)]
    parameters: _Count
    epochs: _Count
    best_epoch: _Count
    seconds: float
    ended: dict[str, str] = {}
    choice: _Which = "reference"
    guard: str = ""
    suspects_found: list[str] = []
    suspect_codes: list[_Count] = []
    suspects_tell: list[float] = []


class _Guard(BaseModel):
    """A verdict (:class:`~gdsfd.training.model_selection.guard.Guard`)."""

    model_config = _Whole
    choice: _Which
    words: str
    tuning: dict[str, float]
    evidence: dict[str, Any]
    failed: bool


class _Row(BaseModel):
    """An epoch."""

    model_config = ConfigDict(strict=True, extra="allow")
    __pydantic_extra__: dict[str, float | str] = Field(init=False)
    epoch: _Count
    train_loss: float
    tuning_loss: float


class _Model(BaseModel):
    """The whole file."""

    model_config = _Whole
    format: Literal["gdsfd model"]
    version: Literal[1, 2]
    gdsfd: str
    arguments: _Arguments
    resolved: _Resolved
    fitted: dict[str, Any] = Field(alias="schema")
    training: _Training
    guard: _Guard | None
    choice: _Which
    record: dict[str, Any] | None = None
    plugins: list[dict[str, str]] = []
    strata: list[str] = []
    history: list[_Row]
    files: dict[str, str]
    digest: str | None


def check_stored(stored: Any, path: Path) -> dict[str, Any]:
    """Holds what a file says to the form that :func:`gdsfd.training.storage.model_folder.write_model` gives it.

    Args:
        stored: The file's content, as JSON has it.
        path: The file, for messages.

    Returns:
        The content, that of version 1 as version 2 has it.

    Raises:
        InputError: It is no model, of another version, damaged, or changed since it was written. Names the entry.
    """
    if not isinstance(stored, dict) or stored.get("format") != FORMAT:
        raise InputError(f"{path}: expected a file written by gdsfd, got another")
    version = stored.get("version")
    if version not in (1, VERSION) or isinstance(version, bool):
        raise InputError(
            f"{path}: version: expected 1 or {VERSION}, got {cell_text(version)}; read the model with the gdsfd that "
            f"wrote it ({cell_text(stored.get('gdsfd'))})"
        )
    content = stored if version == VERSION else _upgraded(stored)
    try:
        _Model.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        entry = ".".join(map(str, first["loc"]))
        missing = "" if first["type"] == "missing" else f", got {cell_text(first['input'])}"
        raise damaged(path, f"{entry}: {first['msg'].lower()}{missing}") from None
    require_plugins(content.get("plugins", []), f"the model {path.parent}")
    _check_settings(content, path)
    rest = {key: value for key, value in content.items() if key != "digest"}
    if content["digest"] != (None if version == 1 else digest_of_json(rest)):
        raise damaged(path, "it was changed after it was written")
    return content


def damaged(path: Path, why: str) -> InputError:
    """The error of a file that cannot be used."""
    return InputError(f"{path}: damaged ({why}); copy the folder again, or train the model anew")


def stored_config(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Training settings as a model has them; of models from before there were such, no member starts from trees."""
    return {"boosted_members": 0, **stored}


def _upgraded(stored: dict[str, Any]) -> dict[str, Any]:
    """Version 1 as version 2 has it."""
    content = {"digest": None, "files": {}, **stored}
    arguments = stored.get("arguments")
    if isinstance(arguments, dict) and "resolved" not in stored:
        content["resolved"] = {key: arguments[key] for key in ("config", "suspects") if key in arguments}
        content["arguments"] = {"streams": None, **arguments}
        if arguments.get("suspects") == list(DEFAULT_SUSPECTS):  # whether they were given was not written down
            content["arguments"]["suspects"] = None
    return content


def _check_settings(content: Mapping[str, Any], path: Path) -> None:
    """Whether the settings are ones, belong to each other, and to the networks."""
    arguments, resolved = content["arguments"], content["resolved"]
    entry = "arguments.config"
    try:
        given = TrainConfig.from_settings(stored_config(arguments["config"]))
        entry = "resolved.config"
        used = TrainConfig.from_settings(stored_config(resolved["config"]))
        entry = "arguments.streams"
        if arguments["debias"] == "none" and arguments["streams"] is not None:
            raise InputError("a model of debias='none' has none")
        streams = StreamConfig.read(arguments["streams"] or arguments["debias"])
        entry = "resolved.config"
        patients = content["training"]["train_patients"]
        # A mode without trees was for some days trained beside a network that had them.
        if used not in (given.resolved(patients), given.resolved(patients, streams is None or streams.beside_trees)):
            raise InputError("it does not follow from arguments.config and training.train_patients")
        entry = "arguments.suspects"
        read_suspects(arguments["suspects"])
        entry = "resolved.suspects"
        read_suspects(resolved["suspects"])
        entry = "guard"
        if (content["guard"] is None) != (streams is None):
            raise InputError("a model has a guard exactly when it was trained with debiasing")
        entry = "choice"
        if streams is None and content["choice"] != "reference":
            raise InputError("a model of debias='none' has no debiased network")
        entry = "schema"
        CohortSchema.from_dict(content["schema"])
    except RetiredError as error:
        raise InputError(f"{path}: {entry}: {error}") from None
    except InputError as error:
        raise damaged(path, f"{entry}: {error}") from None
