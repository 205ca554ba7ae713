"""What callers give besides arrays: names, numbers, paths and callbacks, checked before the library
sees them. An error names the argument, its value and what to give instead, in one line."""

from __future__ import annotations

import numbers
import operator
import os
from typing import Any, Callable, Iterable, List, Optional

import numpy as np

_MOST = (1 << 63) - 1
_MOST_SHOWN = 60  # characters


def shown(value: Any) -> str:
    """A value for a message: one line, not long."""
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype} {list(value.shape)}"
    if isinstance(value, np.generic):
        value = value.item()
    try:
        text = " ".join(repr(value).split())
    except RecursionError:
        return f"a {type(value).__name__} that is nested too deeply to be shown"
    return text if len(text) <= _MOST_SHOWN else text[:_MOST_SHOWN - 3] + "..."


def as_name(value: Any, what: str, valid: Iterable[str]) -> str:
    """One of `valid`. Raises TypeError for other things than text, ValueError for other names."""
    names = ", ".join(valid)
    if not isinstance(value, str):
        raise TypeError(f"{what} must be one of {names}, not {shown(value)}")
    if value not in valid:
        raise ValueError(f"unknown {what.replace('_', ' ')} {shown(value)}; valid: {names}")
    return value


def as_spec(value: Any) -> str:
    """A spec of a quantizer, which the library reads. Raises TypeError when it is no text."""
    remedy = "name one, as 'sq8' or 'lm4'; obliq.quantizer_grammar() lists all"
    if not isinstance(value, str):
        raise TypeError(f"quantizer must be text, not {shown(value)}: {remedy}")
    if not value:
        raise ValueError(f"unknown quantizer '': {remedy}")
    return value


def as_whole(value: Any, what: str, least: int, most: int = _MOST, remedy: str = "") -> int:
    """A whole number from least to most. Raises TypeError for other things, ValueError outside."""
    wanted = f"{what} must be a whole number of {least} or more"
    if isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{wanted}, not {shown(value)}{remedy}")
    try:
        number = operator.index(value)
    except TypeError:
        if isinstance(value, (float, np.floating)) and float(value).is_integer():
            remedy = f": give {int(value)}"
        raise TypeError(f"{wanted}, not {shown(value)}{remedy}") from None
    if number < least:
        raise ValueError(f"{what} must be {least} or more, not {number}")
    if number > most:
        raise ValueError(f"{what} must be {most} or less, not {number}")
    return number


def as_real(value: Any, what: str) -> float:
    """A number. Raises TypeError for anything else; the library knows the bounds."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Real):
        if not (isinstance(value, np.ndarray) and value.ndim == 0 and value.dtype.kind in "iuf"):
            raise TypeError(f"{what} must be a number, as {what}=0.5, not {shown(value)}")
    return float(value)


def as_flag(value: Any, what: str) -> bool:
    """True or False. Raises TypeError for anything else."""
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    raise TypeError(f"{what} must be True or False, not {shown(value)}")


def as_threads(value: Any) -> int:
    """A number of threads; 0: as many as the process may use."""
    return as_whole(value, "threads", 0, (1 << 31) - 1)


def as_seed(seed: Any) -> int:
    """The seed, checked to be a whole number of 64 bits."""
    return as_whole(seed, "seed", 0, (1 << 64) - 1)


def as_path(path: Any) -> bytes:
    """The name of a file, as the system takes it. Raises TypeError for what names no file,
    ValueError for names that no file can have."""
    if not isinstance(path, (str, bytes, os.PathLike)):
        raise TypeError(f"path must be str, bytes or os.PathLike, not {shown(path)}")
    try:
        name = os.fsencode(path)
    except UnicodeEncodeError:
        raise ValueError(f"path {shown(path)} holds characters that file names here cannot "
                         "have: rename the file, or give the path as bytes") from None
    if not name:
        raise ValueError("path is '': give the name of a file")
    if b"\0" in name:
        raise ValueError(f"path {shown(path)} holds a NUL, which no file name has: leave it out")
    return name


def as_paths(paths: Any, what: str) -> List[bytes]:
    """The names of files. Raises TypeError for one path alone, and as as_path does."""
    if isinstance(paths, (str, bytes, os.PathLike)) or not hasattr(paths, "__iter__"):
        raise TypeError(f"{what} must be a list of paths, as [path], not {shown(paths)}")
    return [as_path(path) for path in paths]


def as_progress(progress: Any) -> Optional[Callable[[str, float], bool]]:
    """A callback for the library: false when the caller's returned False, Python's or NumPy's."""
    if progress is None:
        return None
    if not callable(progress):
        raise TypeError("progress must be a function of (stage, fraction) or None, not "
                        f"{shown(progress)}")

    def goes_on(stage: str, fraction: float) -> bool:
        answer = progress(stage, fraction)
        truth = isinstance(answer, bool) or str(getattr(answer, "dtype", "")).endswith("bool")
        return not truth or bool(answer)
    return goes_on


def unknown_argument(function: str, given: Iterable[str], known: str) -> TypeError:
    """The error for keywords that a function does not have."""
    names = sorted(given)
    remedy = f"it takes {known}"
    if any(name in ("filters", "where", "mask", "selector", "predicate") for name in names):
        remedy = "a filter is given as filter='year >= 2020', filter=ids or filter=mask"
    return TypeError(f"{function} has no argument {', '.join(map(repr, names))}: {remedy}")
