"""What callers give, as arrays that the library takes."""

from __future__ import annotations

import operator
import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Number types that the library reads as they are.
READ_AS_THEY_ARE = tuple(np.dtype(name) for name in
                         ("float32", "float64", "float16", "int8", "uint8"))

_FIRST_PROCESS = os.getpid()


def refuse_masked(values: Any, what: str) -> None:
    """Raises ValueError for masked arrays, alone or in a list: their masks would be lost."""
    parts = values if isinstance(values, (list, tuple)) else (values,)
    for part in parts:
        if isinstance(part, np.ma.MaskedArray):
            masked = int(np.sum(np.ma.getmaskarray(part)))
            raise ValueError(f"{what} hold a masked array with {masked} masked "
                             "values, which have no distance: leave their rows out, or fill them, "
                             "as with .filled(0)")


def as_array(values: Any, what: str) -> NDArray[Any]:
    """A NumPy array of anything with the buffer protocol, DLPack or __array__, without a copy where
    that is possible; lists of Python numbers become float32. Raises TypeError for arrays of numbers
    other than float16/32/64, int8 and uint8, ValueError for masked arrays."""
    refuse_masked(values, what)
    if isinstance(values, np.ndarray):
        array = values
    elif isinstance(values, (list, tuple)):
        array = np.asarray(values)
        if array.dtype.kind in "iuf":
            with np.errstate(over="ignore"):  # becomes infinite, which is refused
                return array.astype(np.float32)
    elif hasattr(values, "__dlpack__") and not hasattr(values, "__array__"):
        array = np.from_dlpack(values)
    else:
        array = np.asarray(values)
    if array.dtype in READ_AS_THEY_ARE:
        return array
    raise TypeError(f"{what} must be of float16, float32, float64, int8 or uint8, not "
                    f"{array.dtype}; convert them, as with .astype('float32')")


def as_matrix(values: Any, what: str) -> NDArray[np.float32]:
    """float32 [n][dim], contiguous; one vector [dim] counts as [1][dim]."""
    array = as_array(values, what)
    if array.ndim == 1:
        array = array[np.newaxis]
    if array.ndim != 2:
        raise ValueError(f"{what} must be an array [n][dim] or [dim], not one of {array.ndim} axes")
    with np.errstate(over="ignore"):  # float64 beyond float32 becomes infinite, which is refused
        return np.ascontiguousarray(array, dtype=np.float32)


def as_seed(seed: int) -> int:
    """The seed, checked to be a whole number of 64 bits."""
    seed = operator.index(seed)
    if not 0 <= seed < 1 << 64:
        raise ValueError(f"seed must be 0 to 2**64 - 1, not {seed}")
    return seed


def team(threads: int) -> int:
    """Threads to ask for. OpenMP's threads do not survive a fork: a forked child works alone."""
    return threads if os.getpid() == _FIRST_PROCESS else 1
