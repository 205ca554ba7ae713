"""Columns, the attributes of vectors: values that callers give, as the library takes them, and
those that it returns."""

from __future__ import annotations

from typing import Any, Dict, List, Literal, Mapping, Optional, Sequence, Tuple, cast, get_args

import numpy as np
from numpy.typing import NDArray

from obliq import _core
from obliq.arguments import as_name, shown
from obliq.column_tables import named_columns
from obliq.column_values import ColumnFault, Values, values_of

ColumnType = Literal["int64", "double", "bool", "timestamp", "keyword", "keywords", "bytes"]
Types = Mapping[str, ColumnType]

_TYPES = get_args(ColumnType)
#: What a column is taken for when its values are what is named first.
_WIDER = {("int64", "double"), ("int64", "timestamp"), ("int64", "bool")}


class Columns(Dict[str, NDArray[Any]]):
    """Values of columns by name, arrays of one shape, as they are returned:

    int64, double, bool     of that type; with NULLs among them a masked array
    timestamp               datetime64[us], UTC; NULL: NaT
    keyword, bytes          of objects: str or bytes; NULL: None
    keywords                of objects: lists of str; NULL: None

    types   the types of the columns by name

    Wherever columns are given they are a dict of arrays or lists [n] by name, or a table of
    pyarrow, pandas or polars. Integers become int64, floats double, bools bool, datetimes and
    datetime64 timestamp (without a zone they are UTC; what is finer than a microsecond is cut off),
    texts keyword, lists of texts keywords, bytes bytes; `types` names another type, as
    {"id": "double"}: a column of None alone needs one, and int64 becomes double, bool (0 and 1) or
    timestamp (microseconds since 1970). NULL is None, a masked value, NaT, NA of pandas or a null
    of Arrow. What does not fit raises ValueError or, where it is of another type, TypeError, naming
    column and row: NaN, which is no number, integers beyond 64 bits, values of several types.
    """

    types: Dict[str, ColumnType]

    def to_arrow(self) -> Any:
        """A pyarrow.Table, a row for each value in the order of the arrays. Raises
        ModuleNotFoundError where pyarrow is not there (pip install obliq[dataframe])."""
        import pyarrow

        return pyarrow.table({name: _arrow_of(pyarrow, array.ravel(), self.types[name])
                              for name, array in self.items()})

    def _at(self, place: Any) -> Columns:
        """The same of a part of the arrays."""
        part = Columns({name: array[place] for name, array in self.items()})
        part.types = self.types
        return part


def as_schema(columns: Any) -> List[Tuple[str, str]]:
    """Names and types of columns: of a dict as {'year': 'int64'}. Raises TypeError or ValueError
    naming what is none."""
    if not isinstance(columns, Mapping):
        raise TypeError("columns must be a dict of names and types, as {'year': 'int64'}, not "
                        f"{shown(columns)}")
    return [(as_column_name(name), as_column_type(type, name)) for name, type in columns.items()]


def as_column_name(name: Any) -> str:
    """Raises TypeError for what is no text, ValueError where no UTF-8 holds it."""
    if not isinstance(name, str):
        raise TypeError(f"the name of a column must be text, not {shown(name)}")
    try:
        name.encode()
    except UnicodeEncodeError:
        raise ValueError(f"column {name!r} has a lone surrogate in its name, which is no text: "
                         "rename it") from None
    return name


def as_column_type(type: Any, name: str) -> str:
    return as_name(type, f"type of column '{name}'", _TYPES)


def as_column_names(names: Any, what: str = "columns") -> List[str]:
    """Names of columns to return. Raises TypeError for other things than a list of them."""
    if isinstance(names, (str, bytes)) or not hasattr(names, "__iter__"):
        raise TypeError(f"{what} must be a list of names of columns, as ['year'], not "
                        f"{shown(names)}")
    return [as_column_name(name) for name in names]


def as_columns(columns: Any, rows: int, types: Any = None,
               known: Optional[Mapping[str, str]] = None) -> Optional[_core.Columns]:
    """Columns of `rows` vectors: of a dict of arrays and lists by name, or a table of pyarrow,
    pandas or polars. `types`: of columns that the caller names; `known`: of those that there are.
    Raises TypeError or ValueError naming column and row."""
    if columns is None:
        if types is not None:
            raise ValueError("types are those of columns, and there are none: give columns, too")
        return None
    wanted = {**(known or {}), **dict(as_schema({} if types is None else types))}
    given = _core.Columns()
    names = []
    for name, values in named_columns(columns):
        names.append(as_column_name(name))
        if known is not None and name not in known:
            raise ValueError(f"there is no column '{name}'; there are {', '.join(known) or 'none'}:"
                             " make it with add_column")
        try:
            _give(given, name, values_of(values, wanted.get(name)), rows, wanted.get(name))
        except ColumnFault as fault:
            raise fault.error(name) from None
    for name in types or {}:
        if name not in names:
            raise ValueError(f"types name column '{name}', which is not given: there are "
                             f"{', '.join(names) or 'none'}")
    return given


def columns_of(raw: Sequence[Tuple[str, str, Any, Any]], shape: Tuple[int, ...]) -> Columns:
    """What the library returned, as arrays of a shape."""
    columns = Columns()
    columns.types = {}
    for name, type, values, valid in raw:
        if isinstance(values, list):
            array = np.empty(len(values), dtype=object)
            array[:] = values
        elif type == "timestamp":
            array = values.view("datetime64[us]")
            if valid is not None:
                array[valid == 0] = np.datetime64("NaT")
        else:
            array = values.view(bool) if type == "bool" else values
            if valid is not None:
                array = np.ma.MaskedArray(array, valid == 0)
        columns[name] = array.reshape(shape)
        columns.types[name] = cast(ColumnType, type)
    return columns


def _give(given: _core.Columns, name: str, values: Values, rows: int,
          wanted: Optional[str]) -> None:
    """Raises ColumnFault where the values have another type than is wanted, or number."""
    if values.rows != rows:
        raise ColumnFault(ValueError, f"holds {values.rows} values, for {rows} vectors: give one "
                          "for each, None where there is none")
    kind = wanted or values.type
    if not kind:
        raise ColumnFault(ValueError, "has no value from which its type could be told: name it, as "
                          "types={'%s': 'keyword'}" % name)
    if values.type not in ("", kind) and (values.type, kind) not in _WIDER:
        raise ColumnFault(TypeError, f"holds values of type {values.type}, and is to be {kind}: "
                          "convert them")
    valid = None if values.valid is None else values.valid.astype(np.uint8)
    if not values.type:
        given.add_integers(name, kind, np.zeros(rows, np.int64), np.zeros(rows, np.uint8))
    elif values.ends is not None:
        _refuse_place(values, given.add_sets(name, values.values, values.ends, valid))
    elif isinstance(values.values, list):
        _refuse_place(values, given.add_texts(name, kind, values.values))
    elif kind == "double":
        given.add_doubles(name, kind, _as_doubles(values.values), valid)
    else:
        given.add_integers(name, kind, values.values, valid)


def _as_doubles(values: NDArray[Any]) -> NDArray[np.float64]:
    """Raises ColumnFault for an integer that a double cannot hold."""
    doubles = values.astype(np.float64)
    if values.dtype.kind == "i":
        wrong = doubles.astype(np.longdouble) != values
        if wrong.any():
            row = int(np.argmax(wrong))
            raise ColumnFault(ValueError, f"{values[row]} is an integer that no double holds", row)
    return np.ascontiguousarray(doubles)


def _refuse_place(values: Values, place: int) -> None:
    """Raises ColumnFault for what is no text at a place; -1: all are."""
    if place < 0:
        return
    row = place if values.ends is None else int(np.searchsorted(values.ends, place, "right"))
    text = values.values[place]
    if isinstance(text, str):
        raise ColumnFault(ValueError, f"{shown(text)} has a lone surrogate, which is no text", row)
    raise ColumnFault(TypeError, f"{shown(text)} among texts", row)


def _arrow_of(pyarrow: Any, array: NDArray[Any], type: str) -> Any:
    if type == "timestamp":
        numbers = pyarrow.array(array.view(np.int64), mask=np.isnat(array))
        return numbers.cast(pyarrow.timestamp("us", tz="UTC"))
    if array.dtype == object:
        kinds = {"keyword": pyarrow.string(), "bytes": pyarrow.large_binary(),
                 "keywords": pyarrow.list_(pyarrow.string())}
        return pyarrow.array(array.tolist(), kinds[type])
    return pyarrow.array(np.ma.getdata(array), mask=np.ma.getmaskarray(array))
