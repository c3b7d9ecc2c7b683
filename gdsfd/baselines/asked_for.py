"""The baseline that a user asks for: by its name, or a classifier by the path that Python imports it from."""

from __future__ import annotations

import importlib
import re
from functools import lru_cache
from typing import Any

from gdsfd.baselines.baseline import BASELINES, Baseline
from gdsfd.baselines.classifier_baseline import ClassifierBaseline
from gdsfd.errors import InputError, near_names

__all__ = ["baseline_asked_for", "is_import_path"]

_PATH = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")


def is_import_path(name: str) -> bool:
    """Whether a name is a class by its module, ``module:Class``.

    Example:
        >>> is_import_path("sklearn.ensemble:RandomForestClassifier"), is_import_path("late:fusion=sum")
        (True, False)
    """
    return _PATH.fullmatch(name) is not None


def baseline_asked_for(name: str, field: str = "baselines") -> type[Baseline]:
    """The class of a baseline.

    Importing a module runs its code. This is for names that the user types, in a call or on the command line; names in
    files (a model's, a graph's) are looked up among the registered ones alone.

    Args:
        name: A registered name, or ``module:Class`` of a classifier that can be made without arguments:
            ``"sklearn.ensemble:ExtraTreesClassifier"``.
        field: What asks for it, for messages.

    Raises:
        InputError: There is no such baseline, module or class, it is no classifier, or what it needs is not installed.
    """
    if is_import_path(name):
        return _imported(name, field)
    if name not in BASELINES:
        known = BASELINES.names()
        raise InputError(
            f"{field}: unknown baseline {name!r}.{near_names(name, known)} Any classifier goes by the path that it is "
            "imported from: sklearn.ensemble:ExtraTreesClassifier"
        )
    kind = BASELINES.find(name, field)
    kind.check_available()
    return kind


@lru_cache(maxsize=256)
def _imported(path: str, field: str) -> type[Baseline]:
    module_name, _, class_name = path.partition(":")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        package = str(error.name).split(".")[0]
        raise InputError(
            f"{field}: {path!r}: there is no module {error.name!r}; is {package} installed? (pip install {package})"
        ) from None
    except (ImportError, OSError) as error:
        raise InputError(f"{field}: {path!r}: {module_name} cannot be loaded: {str(error).splitlines()[0]}") from error
    if not hasattr(module, class_name):
        classes = [each for each in dir(module) if each[:1].isupper()]
        raise InputError(f"{field}: {module_name} has no {class_name!r}.{near_names(class_name, classes)}")
    found: Any = getattr(module, class_name)
    if isinstance(found, type) and issubclass(found, Baseline):
        return found
    try:
        ClassifierBaseline(found())
    except InputError as error:
        raise InputError(f"{field}: {path!r}: {error}") from None
    except Exception as error:  # whatever a class says that needs arguments, or is none
        raise InputError(
            f"{field}: {path!r} cannot be made without arguments ({str(error).splitlines()[0][:200]}); make it in "
            "Python, ClassifierBaseline(...), and hand it to evaluate(..., baselines={...})"
        ) from error

    class Imported(ClassifierBaseline):
        __doc__ = f"The classifier {path}."
        name, key = class_name, path

        def __init__(self, seed: int = 0) -> None:
            super().__init__(found(), seed)

    return Imported
