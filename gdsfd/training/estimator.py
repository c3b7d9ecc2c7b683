"""scikit-learn's manners of an estimator: ``get_params``, ``set_params``, ``clone``, and a table in a notebook."""

from __future__ import annotations

from typing import Any, Generic, Self, TypeVar, overload

from gdsfd.setting_checks import check_names

__all__ = ["Alias", "Estimator"]

T = TypeVar("T")


class Estimator:
    """Keeps the arguments it was constructed with, as they were given.

    A subclass's ``__init__`` takes them all as keywords, checks them, and keeps them as given in ``_params``, with the
    defaults of the others. So ``sklearn.base.clone`` and parameter sweeps work; pipelines, whose steps hand on arrays,
    do not.
    """

    _params: dict[str, Any]

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The constructor's arguments as given, with the defaults of those that were not.

        Args:
            deep: Without effect: no argument is itself an estimator.

        Example:
            >>> from gdsfd import Debiaser
            >>> Debiaser("concat", max_epochs=5).get_params()["max_epochs"]
            5
        """
        return dict(self._params)

    def set_params(self, **params: Any) -> Self:
        """Changes arguments; the estimator is then a new one, not fitted.

        Args:
            **params: Arguments of the constructor.

        Returns:
            The estimator itself.

        Raises:
            InputError: An argument is unknown (near ones are named) or out of range; then nothing has changed.
        """
        if not params:
            return self
        check_names(params, list(self._params), "setting")
        fresh = type(self)(**{**self._params, **params})
        self.__dict__.clear()
        self.__dict__.update(fresh.__dict__)
        return self


class Alias(Generic[T]):
    """An attribute under its former name.

    Args:
        name: What it is called now.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.__doc__ = f"The same as :attr:`{name}`."

    @overload
    def __get__(self, owner: None, kind: type) -> Self: ...

    @overload
    def __get__(self, owner: object, kind: type) -> T: ...

    def __get__(self, owner: object | None, kind: type) -> T | Self:
        return self if owner is None else getattr(owner, self.name)

    def __set__(self, owner: object, value: T) -> None:
        setattr(owner, self.name, value)
