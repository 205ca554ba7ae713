"""What callers give, as arrays that the library takes."""

from __future__ import annotations

import numbers
from typing import TYPE_CHECKING, Any, Optional, Tuple

import numpy as np
from numpy.typing import NDArray

from obliq import _core
from obliq.arguments import shown
from obliq.foreign_arrays import BFLOAT16, bfloat16_bits, bfloat16_floats, foreign_array

if TYPE_CHECKING:
    from typing_extensions import TypeGuard

#: Number types that the library reads as they are.
READ_AS_THEY_ARE = tuple(np.dtype(name) for name in
                         ("float32", "float64", "float16", "int8", "uint8"))

_NO_LIST = (1 << 32) - 1


def refuse_masked(values: Any, what: str) -> None:
    """Raises ValueError for masked arrays, alone or in lists: their masks would be lost."""
    if isinstance(values, np.ma.MaskedArray):
        masked = int(np.sum(np.ma.getmaskarray(values)))
        raise ValueError(f"{what} hold a masked array with {masked} masked "
                         "values, which have no distance: leave their rows out, or fill them, "
                         "as with .filled(0)")
    if isinstance(values, (list, tuple)):
        for part in values:
            if isinstance(part, (float, int)):
                continue
            if hasattr(part, "__array__") and not isinstance(part, (np.ndarray, np.generic)):
                part = np.asanyarray(part)
            refuse_masked(part, what)


def plain_array(values: Any, what: str) -> NDArray[Any]:
    """np.asarray(values). Raises ValueError for masked arrays, whatever gives them, and for rows of
    different lengths."""
    refuse_masked(values, what)
    try:
        array = np.asanyarray(values)
    except ValueError:
        if isinstance(values, (list, tuple)):
            _refuse_ragged(values, what)
        raise
    refuse_masked(array, what)
    return np.asarray(array)


def as_array(values: Any, what: str) -> NDArray[Any]:
    """A NumPy array of anything with the buffer protocol, DLPack or __array__, of tensors of torch,
    arrays of Arrow and series of lists, without a copy where that is possible; lists of Python
    numbers become float32, bfloat16 is BFLOAT16. Raises TypeError for arrays of numbers other than
    float16/32/64, bfloat16, int8 and uint8, ValueError for masked arrays and ragged lists, for
    numbers in lists that float32 cannot hold, and as foreign_array does."""
    if type(values) is np.ndarray:
        array = values
    else:
        given = foreign_array(values, what)
        values = values if given is None else given
        if hasattr(values, "__dlpack__") and not hasattr(values, "__array__"):
            array = np.from_dlpack(values)
        else:
            array = plain_array(values, what)
        if isinstance(values, (list, tuple)) and array.dtype.kind in "iuf":
            return _as_float32(array, what)
    if array.dtype in READ_AS_THEY_ARE:
        return array
    array = bfloat16_bits(array)
    if array.dtype == BFLOAT16:
        return array
    if array.dtype.kind == "O":
        _refuse_objects(array, what)
    raise TypeError(f"{what} must be of float16, bfloat16, float32, float64, int8 or uint8, not "
                    f"{array.dtype}; convert them, as with .astype('float32')")


def as_matrix(values: Any, what: str) -> NDArray[np.float32]:
    """float32 [n][dim], contiguous; one vector [dim] counts as [1][dim]. Raises what as_array does,
    and ValueError for float64 values that float32 cannot hold."""
    array = as_array(values, what)
    if array.ndim == 1:
        array = array[np.newaxis]
    if array.ndim != 2:
        raise ValueError(f"{what} must be an array [n][dim] or [dim], not one of {array.ndim} axes")
    return np.ascontiguousarray(_as_float32(array, what))


def as_given(values: Any, what: str, otherwise: str) -> NDArray[np.float32] | None:
    """as_matrix of what may be left out (None). Raises ValueError for no vectors."""
    if values is None:
        return None
    array = as_matrix(values, what)
    if array.size == 0:
        raise ValueError(f"{what} hold no vectors, shape {list(np.shape(values))}: give some, or "
                         f"None, {otherwise}")
    return array


def as_base(vectors: Any) -> Any:
    """As an array [n][dim], of uint16 for bfloat16, which no other numbers are. Raises ValueError
    on other shapes."""
    array = as_array(vectors, "vectors")
    if array.ndim != 2:
        raise ValueError(f"vectors must be an array [n][dim], not one of {array.ndim} axes")
    return array["bfloat16"] if array.dtype == BFLOAT16 else array


def may_be_id(id: object) -> TypeGuard[int]:
    return isinstance(id, (int, np.integer)) and -(1 << 63) <= int(id) < 1 << 63


def whole_numbers(values: Any, what: str = "ids") -> NDArray[np.int64]:
    """int64, contiguous, of any shape. Raises ValueError for other numbers."""
    array = plain_array(values, what)
    if array.dtype.kind not in "iu" and array.size > 0:
        raise ValueError(f"{what} must be whole numbers below 2**63, not {shown(values)}")
    if array.dtype == np.uint64 and (array >> np.uint64(63)).any():
        raise ValueError(f"{what} must be below 2**63, not {array.max()}")
    return np.asarray(array, dtype=np.int64, order="C")


def as_ids(ids: Any, n: int) -> NDArray[np.int64]:
    array = whole_numbers(ids)
    if array.shape != (n,):
        raise ValueError(f"ids must be whole numbers [n], one for each of {n} vectors, not of "
                         f"shape {list(array.shape)}")
    return array


def as_neighbours(neighbours: Any, queries: NDArray[np.float32] | None) -> NDArray[np.int64]:
    """int64 [queries][any number]. Raises ValueError for other shapes and without queries."""
    array = whole_numbers(neighbours, "learn_neighbors")
    if queries is None:
        raise ValueError("learn_neighbors are given without learn_queries: give both, or neither")
    if array.ndim != 2 or len(array) != len(queries):
        raise ValueError(f"learn_neighbors must be ids [{len(queries)}][100 or more], a row per "
                         f"learn query, not of shape {list(array.shape)}")
    return array


def as_lists(lists: Any, queries: int, alone: bool) -> NDArray[np.uint32]:
    """Numbers of lists, uint32 [queries][any number]; `alone`: for one query [any number] will do.
    -1, which fills rows that name fewer, becomes the library's word for it. Raises ValueError for
    other shapes, and for numbers that no list has."""
    array = whole_numbers(lists, "lists")
    if alone and array.ndim == 1:
        array = array[np.newaxis]
    if array.ndim != 2 or len(array) != queries:
        raise ValueError(f"lists must be numbers of lists [{queries}][any number], a row per query "
                         f"as Model.route gives them, not of shape {list(array.shape)}")
    wrong = (array < -1) | (array > _NO_LIST)
    if wrong.any():
        raise ValueError(f"lists hold {array[wrong][0]}, which is no list: they count from 0, and "
                         "-1 means none")
    return array.astype(np.uint32)


def as_bounds(within: Any, queries: int) -> NDArray[np.float32]:
    """Distances float32 [queries][1], never NaN. Raises ValueError for other shapes."""
    array = np.asarray(within, np.float32)
    if array.size != queries or array.ndim > 1:
        raise ValueError(f"within must be a distance for each of {queries} queries, not of shape "
                         f"{list(array.shape)}")
    return np.ascontiguousarray(array.reshape(queries, 1))


def as_named(lists: Any, within: Any, queries: int,
             alone: bool) -> Tuple[Optional[NDArray[np.uint32]], Optional[NDArray[np.float32]]]:
    """as_lists and as_bounds of what is given."""
    return (None if lists is None else as_lists(lists, queries, alone),
            None if within is None else as_bounds(within, queries))


def team(threads: int) -> int:
    """Threads to ask for. OpenMP's threads do not survive a fork: a forked child works alone."""
    return 1 if _core.is_forked() else threads


def _as_float32(array: NDArray[Any], what: str) -> NDArray[np.float32]:
    """Raises ValueError naming a value that is lost: a float64 that becomes infinite or 0, or a
    whole number that is rounded."""
    if array.dtype == np.float32:
        return array
    if array.dtype == BFLOAT16:
        return bfloat16_floats(array)
    with np.errstate(over="ignore", under="ignore"):
        cast = array.astype(np.float32)
    if array.dtype.itemsize <= 2:
        return cast
    if array.dtype.kind == "f":
        lost = (np.isinf(cast) & ~np.isinf(array)) | ((cast == 0) & (array != 0))
    else:
        lost = cast.astype(np.longdouble) != array
    if lost.any():
        place = int(np.argmax(lost))
        row, column = divmod(place, lost.shape[-1]) if lost.ndim > 0 else (0, 0)
        raise ValueError(f"{what} hold {array.flat[place]} in row {row}, column {column}, which "
                         "float32 cannot hold: scale the vectors")
    return cast


def _refuse_ragged(rows: Any, what: str) -> None:
    """Raises ValueError where rows have different lengths."""
    lengths = [len(row) if hasattr(row, "__len__") else 0 for row in rows]
    for row, length in enumerate(lengths):
        if length != lengths[0]:
            raise ValueError(f"{what} have rows of different lengths, {lengths[0]} in row 0 and "
                             f"{length} in row {row}: give each row as many values")


def _refuse_objects(array: NDArray[Any], what: str) -> None:
    """Says what is in an array of Python objects."""
    if array.ndim == 0:
        raise TypeError(f"{what} must be an array [n][dim], or lists of numbers, not "
                        f"{shown(array.item())}")
    for place, value in np.ndenumerate(array):
        if isinstance(value, numbers.Real):
            continue
        if hasattr(value, "__len__") and not isinstance(value, (str, bytes)):
            if array.ndim == 1:
                _refuse_ragged(array, what)
            raise TypeError(f"{what} hold arrays in place of numbers (dtype object): make one "
                            "array of them, as with np.stack(list(rows))")
        raise TypeError(f"{what} hold {shown(value)} at {list(place)}, which is no number: leave "
                        "that row out, or put a number there")
    raise TypeError(f"{what} hold Python objects (dtype object): convert them, as with "
                    ".astype('float32')")
