"""The values of one column, of whatever callers give, in the few forms that the library takes."""

from __future__ import annotations

import datetime
from itertools import chain
from typing import Any, Iterable, List, NamedTuple, Optional, Type

import numpy as np
from numpy.typing import NDArray

from obliq.arguments import shown
from obliq.column_tables import library_of

_REMEDY = "NULL is None, a masked value or a null of Arrow; pandas: convert_dtypes()"
_EPOCH = datetime.datetime(1970, 1, 1)
_NAT = -1 << 63
_UTC_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
_TIMES = (datetime.date, np.datetime64)
_SETS = (list, tuple, set, frozenset, np.ndarray)


class ColumnFault(Exception):
    """What is wrong with a column, before its name is known."""

    def __init__(self, kind: Type[Exception], reason: str, row: Optional[int] = None) -> None:
        super().__init__(reason)
        self._kind, self._reason, self._row = kind, reason, row

    def error(self, name: str) -> Exception:
        row = "" if self._row is None else f", row {self._row}:"
        return self._kind(f"column '{name}'{row} {self._reason}")


class Values(NamedTuple):
    """type: that of a column; "": all are NULL. values: int64 or float64 [n], or a list of texts,
    None for NULL. ends: where the texts of each row end; None: of each row one. valid: bool [n];
    None: no row is NULL, or the list tells."""

    type: str
    values: Any
    rows: int
    valid: Optional[NDArray[np.bool_]] = None
    ends: Optional[NDArray[np.int64]] = None


def values_of(values: Any, wanted: Optional[str] = None) -> Values:
    """Raises ColumnFault for what no column holds. `wanted`: the type it is to have, where that is
    known."""
    library = library_of(values)
    if library == "pandas":
        return _of_pandas(values)
    if library == "polars":
        return _of_polars(values)
    if library == "pyarrow":
        return _of_arrow(values)
    if isinstance(values, (list, tuple, range)):
        return _of_objects(list(values))
    if isinstance(values, (str, bytes)) or not (hasattr(values, "__array__")
                                                or hasattr(values, "__dlpack__")):
        raise ColumnFault(TypeError, f"must hold an array or a list, not {shown(values)}")
    if hasattr(values, "__dlpack__") and not hasattr(values, "__array__"):
        return _of_array(np.from_dlpack(values))
    return _of_array(np.asanyarray(values))


def _of_array(array: NDArray[Any], valid: Optional[NDArray[np.bool_]] = None) -> Values:
    """valid: of rows that are not NULL; what stands in the others is not looked at."""
    if array.ndim != 1:
        raise ColumnFault(ValueError, f"must hold values [n], not an array of {array.ndim} axes; "
                          "several texts of a vector are a list")
    if isinstance(array, np.ma.MaskedArray):
        valid = ~np.ma.getmaskarray(array)
        array = np.asarray(np.ma.getdata(array))
    kind = array.dtype.kind
    if kind in "OUST":
        objects = array.tolist()
        if valid is not None:
            objects = [value if there else None for value, there in zip(objects, valid.tolist())]
        return _of_objects(objects)
    if valid is not None:
        array = np.where(valid, array, np.zeros(1, array.dtype))
        valid = None if valid.all() else valid
    if kind in "iub":
        if array.dtype == np.uint64:
            _refuse_where(array >> np.uint64(63) > 0, array, "is above the most of int64, 2**63-1")
        numbers = np.ascontiguousarray(array, np.int64)
        return Values("bool" if kind == "b" else "int64", numbers, len(array), valid)
    if kind == "f" and array.dtype.itemsize <= 8:
        _refuse_where(np.isnan(array), array, f"has no place in an order: {_REMEDY}")
        return Values("double", np.ascontiguousarray(array, np.float64), len(array), valid)
    if kind == "M":
        return _of_times(array, valid)
    raise ColumnFault(TypeError, f"must hold integers, floats, bools, times or texts, not "
                      f"{array.dtype}: convert them, as with .astype('float64')")


def _of_times(array: NDArray[Any], valid: Optional[NDArray[np.bool_]]) -> Values:
    """Of datetime64 of any unit; what is finer than a microsecond is cut off."""
    there = ~np.isnat(array)
    if valid is not None:
        there &= valid
    times = array.astype("datetime64[us]")
    unit = np.datetime_data(array.dtype)[0]
    if unit not in ("us", "ns", "ps", "fs", "as", "generic"):
        _refuse_where(there & (times.astype(array.dtype) != array), array,
                      "is farther from 1970 than 64 bits of microseconds reach")
    numbers = np.where(there, times.view(np.int64), 0)
    return Values("timestamp", numbers, len(array), None if there.all() else there)


def _of_objects(values: List[Any]) -> Values:
    """Of a list of Python's objects."""
    kinds = set(map(type, values))
    if any(_is_null_type(kind) for kind in kinds):
        values = [None if _is_null_type(type(value)) else value for value in values]
        kinds = set(map(type, values))
    kinds.discard(type(None))
    names = {_type_of(kind) for kind in kinds}
    if names == {"int64", "double"}:
        names = {"double"}
    if len(names) > 1 or "" in names:
        _refuse_mixture(values)
    if not names:
        return Values("", None, len(values))
    name = names.pop()
    if name == "keyword":
        return Values(name, values, len(values))
    if name == "bytes":
        return Values(name, [value if value is None else bytes(value) for value in values],
                      len(values))
    there = np.fromiter((value is not None for value in values), np.bool_, len(values))
    valid = None if there.all() else there
    if name == "keywords":
        return _of_sets(values, valid)
    if name == "timestamp":
        return _of_times(_times_of(values), None)
    return _of_numbers(values, name, valid)


def _of_numbers(values: List[Any], name: str, valid: Optional[NDArray[np.bool_]]) -> Values:
    filled = values if valid is None else [0 if value is None else value for value in values]
    try:
        array = np.array(filled, np.float64 if name == "double" else np.int64)
    except OverflowError:
        row, value = next((row, value) for row, value in enumerate(filled)
                          if not -(1 << 63) <= value < 1 << 63)
        raise ColumnFault(ValueError, f"{shown(value)} does not fit into int64", row) from None
    if name == "double":
        _refuse_where(np.isnan(array), array, f"has no place in an order: {_REMEDY}")
    return Values(name, array, len(values), valid)


def _of_sets(values: List[Any], valid: Optional[NDArray[np.bool_]]) -> Values:
    if valid is not None:
        values = [() if value is None else value for value in values]
    if any(isinstance(value, np.ndarray) for value in values):
        values = [value.ravel().tolist() if isinstance(value, np.ndarray) else value
                  for value in values]
    ends = np.cumsum(np.fromiter(map(len, values), np.int64, len(values)))
    return Values("keywords", list(chain.from_iterable(values)), len(values), valid, ends)


def _times_of(values: List[Any]) -> NDArray[Any]:
    """datetime64[us] of dates and times; without a zone they are UTC."""
    return np.array([_NAT if value is None else _microseconds(value) for value in values],
                    np.int64).view("datetime64[us]")


def _microseconds(value: Any) -> int:
    if isinstance(value, np.datetime64):
        return int(value.astype("datetime64[us]").astype(np.int64))
    if not isinstance(value, datetime.datetime):
        value = datetime.datetime(value.year, value.month, value.day)
    span = value - (_EPOCH if value.tzinfo is None else _UTC_EPOCH)
    return int((span.days * 86400 + span.seconds) * 1000000 + span.microseconds)


def _of_pandas(series: Any) -> Values:
    """Of a Series or an array of pandas. NaN stands for NULL there but in columns of NumPy's
    floats, where it may be a number that is none."""
    dtype = getattr(series, "dtype", None)
    if dtype is None:
        raise ColumnFault(TypeError, f"must hold an array or a list, not {shown(series)}")
    if isinstance(dtype, np.dtype) and dtype.kind != "O":
        return _of_array(series.to_numpy())
    if hasattr(dtype, "pyarrow_dtype"):
        return _of_arrow(getattr(series, "array", series).__arrow_array__())
    valid = ~np.asarray(series.isna(), np.bool_)
    if getattr(dtype, "tz", None) is not None:
        return _of_array(np.asarray(series.to_numpy("datetime64[ns]")))
    kind = getattr(dtype, "kind", "O")
    if kind in "iufb" and not isinstance(dtype, np.dtype) and hasattr(dtype, "numpy_dtype"):
        return _of_array(series.to_numpy(dtype.numpy_dtype, na_value=dtype.type(0)), valid)
    return _of_array(np.asarray(series, object), valid)


def _of_polars(series: Any) -> Values:
    try:
        import pyarrow  # noqa: F401

        return _of_arrow(series.to_arrow())
    except ModuleNotFoundError:
        pass
    if series.dtype.is_numeric() or str(series.dtype) == "Boolean":
        if series.null_count() == 0:
            return _of_array(series.to_numpy())
        valid = series.is_not_null().to_numpy()
        filled = series.fill_null(False if str(series.dtype) == "Boolean" else 0)
        return _of_array(filled.to_numpy(), valid)
    return _of_objects(series.to_list())


def _of_arrow(array: Any) -> Values:
    """Of an Array or ChunkedArray of pyarrow."""
    import pyarrow as pa

    if isinstance(array, pa.ChunkedArray):
        array = (array.chunk(0) if array.num_chunks == 1 else
                 pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], array.type))
    if not isinstance(array, pa.Array):
        raise ColumnFault(TypeError, f"must hold an array, not {shown(array)}")
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    type, types, valid = array.type, pa.types, None
    if array.null_count > 0:
        valid = np.asarray(array.is_valid().to_numpy(zero_copy_only=False), np.bool_)
    if types.is_null(type):
        return Values("", None, len(array))
    if types.is_date(type):
        array = array.cast(pa.timestamp("s" if types.is_date32(type) else "ms"))
    if types.is_timestamp(array.type):
        numbers = array.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
        return _of_array(numbers.view(f"datetime64[{array.type.unit}]"), valid)
    if types.is_boolean(type) or types.is_integer(type) or types.is_floating(type):
        filled = array.fill_null(False if types.is_boolean(type) else 0) if valid is not None \
            else array
        return _of_array(filled.to_numpy(zero_copy_only=False), valid)
    if _is_text(types, type) or _is_binary(types, type):
        return _of_arrow_texts(array)
    if (types.is_list(type) or types.is_large_list(type)) and (
            _is_text(types, type.value_type) or types.is_null(type.value_type)):
        ends = np.cumsum(array.value_lengths().fill_null(0).to_numpy(zero_copy_only=False),
                         dtype=np.int64)
        texts = array.flatten().to_numpy(zero_copy_only=False).tolist()
        return Values("keywords", texts, len(array), valid, ends)
    raise ColumnFault(TypeError, f"must hold integers, floats, bools, times, texts, lists of texts "
                      f"or bytes, not {type}: cast them, as with .cast('float64')")


def _of_arrow_texts(array: Any) -> Values:
    import pyarrow as pa

    kind = "keyword" if _is_text(pa.types, array.type) else "bytes"
    if array.null_count == len(array):
        return Values(kind, [None] * len(array), len(array))
    array = array.cast(pa.large_string() if kind == "keyword" else pa.large_binary())
    return Values(kind, array.to_numpy(zero_copy_only=False).tolist(), len(array))


def _is_text(types: Any, type: Any) -> bool:
    return bool(types.is_string(type) or types.is_large_string(type)
                or str(type) == "string_view")


def _is_binary(types: Any, type: Any) -> bool:
    return bool(types.is_binary(type) or types.is_large_binary(type)
                or types.is_fixed_size_binary(type) or str(type) == "binary_view")


def _is_null_type(kind: Type[Any]) -> bool:
    """Of NA and NaT of pandas."""
    return kind.__name__ in ("NAType", "NaTType") and kind.__module__.startswith("pandas.")


def _type_of(kind: Type[Any]) -> str:
    """The type of column that holds values of a class; "": none does."""
    for name, classes in (("bool", (bool, np.bool_)), ("int64", (int, np.integer)),
                          ("double", (float, np.floating)), ("keyword", (str,)),
                          ("bytes", (bytes, bytearray, memoryview)), ("timestamp", _TIMES),
                          ("keywords", _SETS)):
        if issubclass(kind, classes):
            return name
    return ""


def _refuse_mixture(values: Iterable[Any]) -> None:
    """Raises ColumnFault for the first value that is of another type than those before."""
    first = ""
    for row, value in enumerate(values):
        if value is None:
            continue
        name = _type_of(type(value))
        if not name:
            raise ColumnFault(TypeError, f"{shown(value)} is of type {type(value).__name__}, which "
                              "no column holds", row)
        first = "double" if {first, name} == {"int64", "double"} else first or name
        if name not in (first, "int64" if first == "double" else first):
            if value != value:
                raise ColumnFault(ValueError, f"nan among values of type {first}: {_REMEDY}", row)
            raise ColumnFault(TypeError, f"{shown(value)} among values of type {first}: give one "
                              "type", row)


def _refuse_where(wrong: NDArray[np.bool_], array: NDArray[Any], reason: str) -> None:
    if wrong.any():
        row = int(np.argmax(wrong))
        raise ColumnFault(ValueError, f"{array[row]} {reason}", row)
