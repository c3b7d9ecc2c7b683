"""Classifiers that have a name of their own among the baselines; each is fitted where it is asked for."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any, ClassVar

from gdsfd.baselines.baseline import BASELINES
from gdsfd.baselines.classifier_baseline import ClassifierBaseline
from gdsfd.errors import InputError

__all__ = ["CatBoost", "NamedClassifier", "RandomForest", "TabICL", "TabPFN", "XGBoost"]


class NamedClassifier(ClassifierBaseline):
    """A classifier by its name, with settings that its makers recommend.

    Args:
        seed: Of its own generator.
    """

    #: The package that it needs, and the extra that brings it.
    package: ClassVar[str] = ""

    def __init__(self, seed: int = 0) -> None:
        self.check_available()
        super().__init__(None, seed)

    @classmethod
    def check_available(cls) -> None:
        """Refuses where the package is not installed.

        Raises:
            InputError: Says what to install.
        """
        if cls.package and importlib.util.find_spec(cls.package) is None:
            raise InputError(
                f"the baseline {cls.key!r} needs the package {cls.package}, which is not installed: "
                f"pip install {cls.package}, or pip install 'gdsfd[{cls.package}]'"
            )

    def _class(self, name: str) -> Any:
        """A class of the package, imported when it is needed.

        Raises:
            InputError: The package is there and cannot be loaded.
        """
        try:
            return getattr(importlib.import_module(self.package), name)
        except (ImportError, OSError, AttributeError) as error:
            why = str(error).splitlines()[0]
            raise InputError(f"the baseline {self.key!r}: {self.package} cannot be loaded here: {why}") from error


@BASELINES.register("random_forest")
class RandomForest(NamedClassifier):
    """scikit-learn's random forest, 500 trees; missing values as they are."""

    name, key = "random forest", "random_forest"

    def make(self, seed: int) -> Any:
        from sklearn.ensemble import RandomForestClassifier  # slow to import

        return RandomForestClassifier(n_estimators=500, random_state=seed)


@BASELINES.register("xgboost")
class XGBoost(NamedClassifier):
    """XGBoost, 300 trees of depth 6 at a rate of 0.05."""

    name, key, package = "XGBoost", "xgboost", "xgboost"

    def make(self, seed: int) -> Any:
        return self._class("XGBClassifier")(n_estimators=300, learning_rate=0.05, random_state=seed)


@BASELINES.register("catboost")
class CatBoost(NamedClassifier):
    """CatBoost with its own number of trees and rate."""

    name, key, package = "CatBoost", "catboost", "catboost"

    def make(self, seed: int) -> Any:
        make: Any = self._class("CatBoostClassifier")
        return make(random_seed=seed, verbose=False, allow_writing_files=False)


class _Pretrained(NamedClassifier):
    """A network that was trained on other tables, and needs its weights."""

    def hint(self) -> str:
        return (
            f". {self.name} fetches its weights when it is first used; on a machine without a network put them where "
            f"{self.package} looks for them, as its documentation says"
        )


@BASELINES.register("tabpfn")
class TabPFN(_Pretrained):
    """TabPFN, pre-trained on synthetic tables."""

    name, key, package = "TabPFN", "tabpfn", "tabpfn"

    def make(self, seed: int) -> Any:
        return self._class("TabPFNClassifier")(random_state=seed)


@BASELINES.register("tabicl")
class TabICL(_Pretrained):
    """TabICL, pre-trained on synthetic tables."""

    name, key, package = "TabICL", "tabicl", "tabicl"

    def make(self, seed: int) -> Any:
        return self._class("TabICLClassifier")(random_state=seed)
