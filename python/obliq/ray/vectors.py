"""Vectors and ids out of Arrow tables, without a copy where a column is one piece.

Errors name rows by their ids: the position of a row in its batch means nothing to a caller.
"""

from __future__ import annotations

from typing import Any, List, Optional, Tuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

_NAMED = 5  # of the rows at fault, as many are named


def ids_of(table: pa.Table, name: str) -> NDArray[np.int64]:
    """The ids of the rows. Raises ValueError where one is NULL, or for what are no whole numbers
    below 2^63."""
    column = _column(table, name)
    if not pa.types.is_integer(column.type):
        raise ValueError(f"ids must be whole numbers; column '{name}' is of {column.type}")
    if column.null_count:
        raise ValueError(f"{column.null_count} ids of column '{name}' are NULL: each row needs one")
    try:
        return np.asarray(_one_piece(column.cast(pa.int64())).to_numpy(zero_copy_only=True))
    except pa.ArrowInvalid as error:
        raise ValueError(f"ids of column '{name}' must be below 2^63: {error}") from None


def vectors_of(table: pa.Table, name: str, ids: NDArray[np.int64]) -> NDArray[Any]:
    """The vectors [n][dim] of a column: lists of a fixed size or not, or tensors of one axis.
    Raises ValueError naming the rows that are NULL, or of another dim than the first."""
    piece = _one_piece(_column(table, name))
    while isinstance(piece, pa.ExtensionArray):
        piece = piece.storage
    if pa.types.is_struct(piece.type):  # Ray's tensors of several shapes: data and shape
        piece = piece.field("data")
    if piece.null_count:
        nulls: NDArray[Any] = np.asarray(piece.is_null())
        _refuse(ids, nulls, name, "are NULL")
    if pa.types.is_fixed_size_list(piece.type):
        dim: Optional[int] = piece.type.list_size
    elif pa.types.is_list(piece.type) or pa.types.is_large_list(piece.type):
        dim = _common_length(piece, ids, name)
    else:
        raise ValueError(f"column '{name}' holds no vectors, but {piece.type}: lists of a fixed "
                         "size or tensors of one axis are taken")
    values = piece.flatten()
    if values.null_count:
        inside: NDArray[Any] = np.asarray(values.is_null()).reshape(len(piece), -1)
        _refuse(ids, np.asarray(inside.any(axis=1)), name, "hold NULL")
    numbers = values.to_numpy(zero_copy_only=True)
    return np.asarray(numbers).reshape(len(piece), dim or 0)


def refuse_other_dim(ids: NDArray[np.int64], name: str, dim: int, wanted: int) -> None:
    """Raises ValueError naming rows, where their dim is not that of the model."""
    if dim != wanted:
        _refuse(ids, np.ones(len(ids), bool), name, f"are of dim {dim}, others of dim {wanted}")


def refuse_odd_numbers(vectors: NDArray[Any], ids: NDArray[np.int64], name: str) -> None:
    """Raises ValueError naming the rows that hold NaN or infinity."""
    if vectors.dtype.kind == "f":
        at_fault = np.zeros(len(vectors), bool)
        for first in range(0, len(vectors), 4096):
            at_fault[first:first + 4096] = ~np.isfinite(vectors[first:first + 4096]).all(axis=1)
        _refuse(ids, at_fault, name, "hold NaN or infinity")


def as_fixed_lists(vectors: NDArray[Any]) -> pa.Array:
    """The reverse of vectors_of, without a copy of what is contiguous."""
    flat = pa.array(np.ascontiguousarray(vectors).reshape(-1))
    return pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1])


def named(ids: NDArray[np.int64]) -> str:
    """Rows by their ids, the first of them."""
    some = ", ".join(str(id) for id in ids[:_NAMED])
    more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
    return f"{'row' if len(ids) == 1 else 'rows'} of id {some}{more}"


def _refuse(ids: NDArray[np.int64], at_fault: NDArray[Any], name: str, why: str) -> None:
    if at_fault.any():
        raise ValueError(f"{named(ids[at_fault])}: vectors of column '{name}' {why}")


def _common_length(piece: Any, ids: NDArray[np.int64], name: str) -> int:
    lengths = np.diff(np.asarray(piece.offsets))
    if len(lengths) == 0:
        return 0
    first = int(lengths[0])
    _refuse(ids, np.asarray(lengths != first), name,
            f"are not of dim {first}, as that of id {ids[0]} is")
    return first


def _column(table: pa.Table, name: str) -> pa.ChunkedArray:
    if name not in table.column_names:
        raise ValueError(f"there is no column '{name}'; there are {', '.join(table.column_names)}")
    return table.column(name)


def _one_piece(column: pa.ChunkedArray) -> Any:
    pieces: List[Any] = [piece for piece in column.chunks if len(piece)]
    if len(pieces) == 1:
        return pieces[0]
    if not pieces:
        return pa.array([], column.type) if not isinstance(
            column.type, pa.BaseExtensionType) else column.type.wrap_array(
                pa.array([], column.type.storage_type))
    return pa.concat_arrays(pieces)


def rows_of(table: pa.Table, vector: str, id: str) -> Tuple[NDArray[np.int64], NDArray[Any]]:
    """Ids and vectors of a table."""
    ids = ids_of(table, id)
    return ids, vectors_of(table, vector, ids)
