"""Vectors that other libraries hold, as NumPy arrays of the same memory where that is possible:
tensors of torch, arrays of Arrow, series of pandas and polars whose values are lists.

No library is imported for it: what is theirs can only be given where they have been."""

from __future__ import annotations

import sys
from typing import Any, List, Optional

import numpy as np
from numpy.typing import NDArray

#: The 16 bits of a bfloat16, which NumPy has no type for.
BFLOAT16 = np.dtype([("bfloat16", np.uint16)])


def foreign_array(values: Any, what: str) -> Any:
    """A NumPy array of what torch, pyarrow, pandas or polars hold, or a list of its rows; None
    where it is theirs not, or NumPy reads it by itself. Raises ValueError for a tensor that is not
    on the CPU or requires grad, and for vectors that are missing or of different lengths."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(values, torch.Tensor):
        return _of_tensor(torch, values, what)
    arrow = sys.modules.get("pyarrow")
    if arrow is not None and isinstance(values, (arrow.Array, arrow.ChunkedArray)):
        return _of_arrow(arrow, values, what)
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(values, pandas.Series) and values.dtype.kind == "O":
        if isinstance(values.dtype, pandas.ArrowDtype):
            return _of_arrow(arrow, values.array.__arrow_array__(), what)
        return _rows([None if row is pandas.NA else row for row in values], what)
    polars = sys.modules.get("polars")
    if polars is not None and isinstance(values, polars.Series) and values.dtype == polars.List:
        return _rows([None if row is None else row.to_numpy() for row in values], what)
    return None


def bfloat16_bits(array: NDArray[Any]) -> NDArray[Any]:
    """An array of the type bfloat16 that ml_dtypes has, as BFLOAT16; others as they are."""
    return array.view(BFLOAT16) if array.dtype.name == "bfloat16" else array


def bfloat16_floats(array: NDArray[Any]) -> NDArray[np.float32]:
    """The values of an array of BFLOAT16: the upper halves of floats."""
    return (array["bfloat16"].astype(np.uint32) << np.uint32(16)).view(np.float32)


def _of_tensor(torch: Any, tensor: Any, what: str) -> NDArray[Any]:
    if tensor.device.type != "cpu":
        raise ValueError(f"{what} are a tensor on {tensor.device}: give {what}.cpu()")
    if tensor.requires_grad:
        raise ValueError(f"{what} are a tensor that requires grad, which ends here: give "
                         f"{what}.detach()")
    if tensor.layout != torch.strided:
        raise ValueError(f"{what} are a tensor of layout {tensor.layout}: give {what}.to_dense()")
    if tensor.dtype == torch.bfloat16:
        bits: NDArray[Any] = tensor.view(torch.int16).numpy()
        return bits.view(BFLOAT16)
    plain: NDArray[Any] = tensor.numpy()
    return plain


def _of_arrow(arrow: Any, values: Any, what: str) -> Optional[NDArray[Any]]:
    """[n][dim] of an array of lists; [n] of one of numbers. A view, but of several chunks a
    copy."""
    if isinstance(values, arrow.ChunkedArray):
        parts = [_of_arrow(arrow, chunk, what) for chunk in values.chunks if len(chunk) > 0]
        if not parts:
            return np.empty((0, max(getattr(values.type, "list_size", 1), 1)), np.float32)
        if len({None if part is None else part.shape[1:] for part in parts}) > 1:
            _refuse_lengths(values, what)
        return parts[0] if len(parts) == 1 else np.concatenate(parts)  # type: ignore[arg-type]
    if isinstance(values, arrow.ExtensionArray):  # tensors of a fixed shape
        values = values.storage
    if values.null_count > 0:
        raise _missing(values.is_null().to_pylist().index(True), what)
    kinds = arrow.types
    if not (kinds.is_fixed_size_list(values.type) or kinds.is_list(values.type)
            or kinds.is_large_list(values.type)):
        return _numbers(kinds, values, what)
    flat = _numbers(kinds, values.flatten(), what)
    if len(values) == 0:
        return flat.reshape(0, max(getattr(values.type, "list_size", 1), 1))
    if not kinds.is_fixed_size_list(values.type):
        lengths = np.diff(values.offsets.to_numpy())
        if (lengths != lengths[0]).any():
            _refuse_lengths(values, what)
    return flat.reshape(len(values), -1)


def _numbers(kinds: Any, values: Any, what: str) -> NDArray[Any]:
    if values.null_count > 0:
        raise ValueError(f"{what} hold NULL among their numbers: leave those vectors out")
    if not (kinds.is_floating(values.type) or kinds.is_integer(values.type)):
        raise TypeError(f"{what} must hold numbers or lists of numbers, not Arrow's {values.type}")
    array: NDArray[Any] = values.to_numpy(zero_copy_only=True)
    return array


def _rows(rows: List[Any], what: str) -> Optional[List[Any]]:
    """The rows of a series of lists; None: they are numbers, or whatever else NumPy makes of
    it."""
    if not any(hasattr(row, "__len__") and not isinstance(row, (str, bytes)) for row in rows):
        return None
    for place, row in enumerate(rows):
        if row is None or isinstance(row, float):
            raise _missing(place, what)
    return rows


def _missing(row: int, what: str) -> ValueError:
    return ValueError(f"{what} have none in row {row}, it is missing: leave that row out, as with "
                      ".dropna()")


def _refuse_lengths(values: Any, what: str) -> None:
    """Raises ValueError for lists of different lengths."""
    lengths = [len(row) for row in values]
    row = next(i for i, length in enumerate(lengths) if length != lengths[0])
    raise ValueError(f"{what} have rows of different lengths, {lengths[0]} in row 0 and "
                     f"{lengths[row]} in row {row}: give each row as many values")
