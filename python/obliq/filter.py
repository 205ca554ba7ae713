"""Filters: which vectors may be answers of a search."""

from __future__ import annotations

import datetime
import math
from typing import Any, Callable, Iterable, List, Optional, Sequence

import numpy as np

from obliq import _core
from obliq.arguments import shown
from obliq.arrays import plain_array, refuse_masked, whole_numbers
from obliq.columns import as_column_names
from obliq.keys import as_keys

_MOST = 1 << 63
_UTC = datetime.timezone.utc
_PARAMS = "params must be a list of values, one for each ? of the filter, as params=[2020]"


class Filter:
    """Which vectors may be answers. Immutable; use it from any thread, in any number of searches:
    what it found is kept for the index, or the state of a collection, that it was used with last.

        obliq.Filter("year >= ? and lang in ('en', 'de')", [2020])
        obliq.Filter.allow([3, 7]), .deny(ids), .positions(mask), .callback(lambda id: id % 2 == 0)
        first & second      what passes both
    """

    __slots__ = ("_filter", "_text")
    _filter: _core.Filter
    _text: str

    def __init__(self, expression: str, params: Optional[Sequence[Any]] = None) -> None:
        """The vectors for which an expression over their columns is true (docs/filters.md).

        params      a value for each `?`, in their order: int, float, bool, str, datetime (without a
                    zone: UTC), date or numpy.datetime64, or for `in ?` a list of one of these.
                    What users give belongs here, never into the expression

        Raises ValueError pointing at the place where the text is no expression, and for another
        number of params; TypeError naming a param that is no such value. Columns are looked for
        when it is used.
        """
        if not isinstance(expression, str):
            raise TypeError(f"the expression of a filter must be text, not {shown(expression)}")
        self._filter = _core.Filter.where(_encodable(expression), _as_params(params))
        self._text = f"obliq.Filter({shown(expression)})"

    @classmethod
    def allow(cls, ids: Any) -> Filter:
        """The vectors of these ids, whole numbers of any shape or strings, which need not be there.
        Raises ValueError or TypeError for other values."""
        return cls._of(_of_ids(ids, True), "obliq.Filter.allow(...)")

    @classmethod
    def deny(cls, ids: Any) -> Filter:
        """All vectors but those of these ids, as allow takes them."""
        return cls._of(_of_ids(ids, False), "obliq.Filter.deny(...)")

    @classmethod
    def positions(cls, allowed: Any) -> Filter:
        """Vector i where allowed[i], bool [n]: for an index whose ids are positions. Raises
        TypeError for other arrays; a search raises ValueError where n is not its number of
        vectors."""
        refuse_masked(allowed, "the values of a filter")
        array = np.asarray(allowed)
        if array.dtype != np.bool_ or array.ndim != 1:
            raise TypeError(f"positions must be an array of bool [n], not {shown(array)}")
        return cls._of(_core.Filter.positions(np.ascontiguousarray(array).view(np.uint8)),
                       "obliq.Filter.positions(...)")

    @classmethod
    def callback(cls, allows: Callable[[int], object]) -> Filter:
        """The vectors for whose ids `allows` returns something true. Called once for each vector,
        about 0.2 us and its own time each, when the filter is used; what it raises, the search
        raises. It must not use this filter. Not for string ids. Raises TypeError for what cannot
        be called."""
        if not callable(allows):
            raise TypeError(f"callback must be a function of an id, not {shown(allows)}")
        return cls._of(_core.Filter.callback(allows), f"obliq.Filter.callback({shown(allows)})")

    def __and__(self, other: object) -> Filter:
        """What passes both."""
        if not isinstance(other, Filter):
            return NotImplemented
        return self._of(_core.Filter.all_of([self._filter, other._filter]),
                        f"{self._text} & {other._text}")

    def __repr__(self) -> str:
        return self._text

    def __bool__(self) -> bool:
        raise TypeError("a filter is neither true nor false: join filters with &, not with 'and'")

    def __reduce__(self) -> Any:
        raise TypeError("a filter is not copied or pickled: make it anew from its expression")

    @classmethod
    def _of(cls, core: _core.Filter, text: str) -> Filter:
        made = cls.__new__(cls)
        made._filter = core
        made._text = text
        return made


def as_filter(filter: Any, params: Any = None) -> Filter:
    """A Filter of what a search takes: a Filter, an expression, ids, an array of bool by position
    or a function of an id. Raises TypeError for other things."""
    if isinstance(filter, str):
        return Filter(filter, params)
    if params is not None:
        raise TypeError("params are values for the ? of an expression, and the filter is "
                        f"{'none' if filter is None else shown(filter)}: leave them out")
    if isinstance(filter, Filter):
        return filter
    if isinstance(filter, (list, tuple, set, frozenset, range)) or hasattr(filter, "__array__"):
        array = np.asarray(_listed(filter))
        return Filter.positions(filter) if array.dtype == np.bool_ else Filter.allow(filter)
    if callable(filter):
        return Filter.callback(filter)
    raise TypeError("filter must be an expression, as 'year >= 2020', an obliq.Filter, an array of "
                    f"ids or of bool, or a function of an id, not {shown(filter)}")


def wanted_of(filter: Any, params: Any, columns: Any) -> Optional[_core.Wanted]:
    """Filter and names of columns as searches of the library take them; None: neither."""
    names = [] if columns is None else as_column_names(columns)
    if filter is None and params is None:
        return _core.Wanted.of(None, names) if names else None
    return _core.Wanted.of(as_filter(filter, params)._filter, names)


def _listed(ids: Any) -> Any:
    return list(ids) if isinstance(ids, (set, frozenset, range)) else ids


def _of_ids(ids: Any, allowed: bool) -> _core.Filter:
    ids = _listed(ids)
    array = np.array([ids], object) if isinstance(ids, str) else plain_array(ids, "ids")
    if array.dtype.kind in "OUT" and array.size > 0:
        return _core.Filter.allow_keys(as_keys(ids)[0], allowed)
    if array.dtype.kind == "b":
        raise TypeError(f"ids of a filter must be whole numbers or strings, not {shown(array)}: "
                        "for values by position take Filter.positions")
    return _core.Filter.allow(whole_numbers(array).ravel(), allowed)


def _as_params(params: Any) -> List[Any]:
    """Values as the library takes them. Raises TypeError or ValueError naming the param."""
    if params is None:
        return []
    if isinstance(params, (str, bytes, dict)) or not isinstance(params, Iterable):
        raise TypeError(f"{_PARAMS}, not {shown(params)}")
    return [_as_param(value, f"param {place + 1}") for place, value in enumerate(params)]


def _as_param(value: Any, what: str) -> Any:
    if isinstance(value, (list, tuple, set, frozenset, range)) or (
            isinstance(value, np.ndarray) and value.ndim == 1) or (
            hasattr(value, "__array__") and not isinstance(value, (np.ndarray, np.generic))
            and not isinstance(value, datetime.date)):
        return _as_list(value, what)
    return _as_value(value, what)


def _as_list(values: Any, what: str) -> List[Any]:
    if hasattr(values, "__array__"):
        refuse_masked(values, what)
        values = np.asarray(values)
        values = list(values) if values.dtype.kind == "M" else values.tolist()
    listed = [_as_value(value, what) for value in values]
    kinds = {type(value) for value in listed}
    if kinds == {int, float}:
        listed = [_as_double(value, what) for value in listed]
    elif len(kinds) > 1 or bool in kinds:
        raise TypeError(f"{what} must be a list of integers, of floats, of texts or of times, not "
                        f"{shown(values)}")
    return listed


def _as_double(value: Any, what: str) -> float:
    if isinstance(value, int) and int(float(value)) != value:
        raise ValueError(f"{what} holds {value} among floats, which hold no such integer: give "
                         "integers alone")
    return float(value)


def _as_value(value: Any, what: str) -> Any:
    """bool, int, float or str; times as text."""
    if isinstance(value, np.datetime64):
        if np.isnat(value):
            raise ValueError(f"{what} is NaT, which nothing equals: write 'is null'")
        return str(value.astype("datetime64[us]")) + "Z"
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, datetime.datetime):
        return _time_text(value, what)
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        if not -_MOST <= value < _MOST:
            raise ValueError(f"{what} is {shown(value)}, which does not fit into 64 bits")
        return value
    if isinstance(value, float):
        if math.isnan(value):
            raise ValueError(f"{what} is NaN, which nothing equals: write 'is null', or give a "
                             "number")
        return value
    if isinstance(value, str):
        return _encodable(value)
    if value is None:
        raise TypeError(f"{what} is None, which nothing equals: write 'is null'")
    raise TypeError(f"{what} must be an int, float, bool, str or datetime, or a list of these, not "
                    f"{shown(value)}")


def _time_text(value: datetime.datetime, what: str) -> str:
    if value != value:
        raise ValueError(f"{what} is NaT, which nothing equals: write 'is null'")
    if value.tzinfo is not None:
        value = value.astimezone(_UTC)
    return value.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _encodable(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{text!r} has a lone surrogate, which is no text: leave it out") from None
    return str(text)
