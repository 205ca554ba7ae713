"""Ids that are strings, as the library takes and gives them."""

from __future__ import annotations

from typing import Any, List, Optional, Tuple

import numpy as np
from numpy.typing import NDArray

from obliq.arguments import shown
from obliq.arrays import refuse_masked


def as_keys(ids: Any) -> Tuple[List[str], Tuple[int, ...]]:
    """Strings, as a list of its own, and their shape, () for one string: of a list or array of str,
    of any shape. Raises TypeError for what is no string, naming the position, ValueError for what
    no UTF-8 holds and for masked arrays."""
    if isinstance(ids, str):
        ids = np.array(ids, dtype=object)  # else NumPy drops zeros at the end
    refuse_masked(ids, "ids")
    array = ids if isinstance(ids, np.ndarray) else np.array(ids, dtype=object)
    if array.dtype.kind not in "OU" and array.size > 0:
        raise TypeError(f"the ids of this collection are strings, not {array.dtype}")
    keys: List[str] = array.ravel().tolist()
    for position, key in enumerate(keys):
        if not isinstance(key, str):
            raise TypeError(f"the ids of this collection are strings, not {shown(key)} at position "
                            f"{position}")
    try:
        "".join(keys).encode()
    except UnicodeEncodeError:
        position = next(i for i, key in enumerate(keys) if _has_surrogate(key))
        raise ValueError(f"id {keys[position]!r} at position {position} has a lone surrogate, which"
                         " is no text: leave it out") from None
    return keys, array.shape


def key_array(keys: List[Optional[str]], shape: Tuple[int, ...]) -> NDArray[Any]:
    """An array of objects, which NumPy does not look into."""
    array = np.empty(len(keys), dtype=object)
    array[:] = keys
    return array.reshape(shape)


def may_be_key(id: object) -> bool:
    return isinstance(id, str) and not _has_surrogate(id)


def keys_for(ids: Any, n: int) -> List[str]:
    """Strings [n]; one alone is that of one vector. Raises what as_keys does, and ValueError for
    another number of them."""
    keys, shape = as_keys(ids)
    if shape != (n,) and not (shape == () and n == 1):
        raise ValueError(f"ids must be strings [n], one for each of {n} vectors, not of shape "
                         f"{list(shape)}")
    return keys


def _has_surrogate(key: str) -> bool:
    return any("\ud800" <= letter <= "\udfff" for letter in key) if not key.isascii() else False
