"""What travels between obliq.client and what obliq.ray.app serves: a search and its answers, as
JSON or as a binary body. Needs NumPy alone.

A binary body is text and arrays, all little-endian:

    bytes 0-3   "OBQ1"
    4-7         uint32: bytes of the text
    text        JSON, an object; its "arrays" are [[name, dtype, shape], ...], padded with blanks
    arrays      one behind the other; each begins at a multiple of 8 bytes, as the text's end does

A request has the array "queries", float16, float32 or float64 [m][dim], and its options in the
text; answers have "distances" float32 [m][k] and "ids" int64 [m][k], and columns in the text.
"""

from __future__ import annotations

import base64
import datetime
import json
import struct
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Dict, List, Optional, Tuple, Union

import numpy as np
from numpy.typing import NDArray

JSON = "application/json"
BINARY = "application/vnd.obliq"

_MAGIC = b"OBQ1"
_DTYPES = {"<f2", "<f4", "<f8", "<i8"}
_UTC = datetime.timezone.utc


@dataclass(frozen=True)
class SearchOptions:
    """What a search asks for besides its queries; as the arguments of Index.search.

    filter      an expression, with a value of `params` for each `?`; or ids, a list of integers
    """

    k: int = 10
    nprobe: Optional[int] = None
    target_recall: float = 0.0
    confidence: float = 0.964
    filter: Union[str, List[int], None] = None
    params: Optional[List[Any]] = None
    columns: Optional[List[str]] = None

    def key(self) -> str:
        """Equal for searches that can share one call."""
        return json.dumps(asdict(self))


def options_of(k: Any, nprobe: Any, target_recall: Any, confidence: Any, filter: Any, params: Any,
               columns: Any) -> SearchOptions:
    """Options as a caller in Python gives them, in JSON's types; what does not fit is left as it is
    to be refused by name. Raises TypeError for a param that is no value."""
    if filter is not None and not isinstance(filter, (str, dict)):
        listed = list(filter) if isinstance(filter, (set, frozenset)) else filter
        filter = np.asarray(listed).tolist()
    if params is not None and not isinstance(params, (str, dict)):
        params = as_json(params)
    if columns is not None and not isinstance(columns, (str, dict)):
        columns = list(columns)
    return SearchOptions(as_json(k), nprobe, target_recall, confidence, filter, params, columns)


@dataclass(frozen=True)
class Answers:
    """Answers to m queries, nearest first; too few: id -1 and distance +inf.

    distances   float32 [m][k]
    ids         int64 [m][k]
    version     of the index that gave them, all of them
    columns     by name [m][k] values: int, float, bool, str, lists of str, bytes, times as texts of
                ISO 8601; None is NULL
    asked       int64 [m]: how many shards were asked for each query
    """

    distances: NDArray[np.float32]
    ids: NDArray[np.int64]
    version: int
    columns: Dict[str, List[List[Any]]] = field(default_factory=dict)
    asked: Optional[NDArray[np.int64]] = None


def pack(text: Dict[str, Any], arrays: Dict[str, NDArray[Any]]) -> bytes:
    """A binary body."""
    held = {name: np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
            for name, array in arrays.items()}
    listed = [[name, array.dtype.str, list(array.shape)] for name, array in held.items()]
    head = json.dumps({**text, "arrays": listed}, allow_nan=False).encode()
    head += b" " * (-len(head) % 8)
    parts = [_MAGIC, struct.pack("<I", len(head)), head]
    for array in held.values():
        parts += [array.tobytes(), bytes(-array.nbytes % 8)]
    return b"".join(parts)


def unpack(body: bytes) -> Tuple[Dict[str, Any], Dict[str, NDArray[Any]]]:
    """The reverse. Raises ValueError where it is no such body: every size is compared with the
    bytes that are there."""
    if len(body) < 8 or body[:4] != _MAGIC:
        raise ValueError(f"a binary body begins with {_MAGIC.decode()}; this one has "
                         f"{len(body)} bytes and begins with {body[:4]!r}")
    end = 8 + struct.unpack("<I", body[4:8])[0]
    if end > len(body):
        raise ValueError(f"the text of the body ends at {end}, and the body has {len(body)} bytes")
    text = as_object(body[8:end])
    arrays: Dict[str, NDArray[Any]] = {}
    try:
        listed = [(str(name), str(dtype), [int(length) for length in shape])
                  for name, dtype, shape in text.pop("arrays")]
    except (KeyError, TypeError, ValueError):
        raise ValueError("the text of the body lacks arrays: [[name, dtype, shape], ...]") from None
    for name, dtype, shape in listed:
        arrays[name], end = _array_at(body, end, name, dtype, shape)
    return text, arrays


def _array_at(body: bytes, start: int, name: str, dtype: str,
              shape: List[int]) -> Tuple[NDArray[Any], int]:
    """The array that begins there, and where the next one does."""
    if dtype not in _DTYPES:
        raise ValueError(f"array {name} is of {dtype}: take one of {sorted(_DTYPES)}")
    count = 1
    for length in shape:
        count *= length
    size = np.dtype(dtype).itemsize * count
    if any(length < 0 for length in shape) or size > len(body) - start:
        raise ValueError(f"array {name} {shape} of {dtype} takes more than the "
                         f"{len(body) - start} bytes that are left of the body")
    array = np.frombuffer(body, dtype, count, start).reshape(shape)
    return array, min(len(body), start + size + -size % 8)


def as_object(data: bytes) -> Dict[str, Any]:
    """An object of JSON. Raises ValueError for anything else, and for NaN."""
    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is no number of JSON")
    try:
        content = json.loads(data, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"the body is no JSON: {error}") from None
    if not isinstance(content, dict):
        raise ValueError("the body is no object of JSON: give {\"queries\": [[...]], \"k\": 10}")
    return content


def encode_request(queries: NDArray[Any], options: SearchOptions) -> bytes:
    """A search as a binary body."""
    asked = {name: value for name, value in asdict(options).items() if value is not None}
    return pack(asked, {"queries": queries})


def decode_request(body: bytes, binary: bool) -> Tuple[NDArray[Any], SearchOptions]:
    """Queries and options of a body, binary or of JSON. Raises ValueError, naming what is wrong;
    types of options are left to what searches."""
    if binary:
        content, arrays = unpack(body)
        queries = arrays.get("queries")
    else:
        content = as_object(body)
        queries = _listed_queries(content)
    if queries is None or queries.ndim != 2 or queries.dtype.kind != "f":
        raise ValueError("queries must be floats [m][dim]")
    known = {option.name for option in fields(SearchOptions)}
    unknown = sorted(content.keys() - known)
    if unknown:
        raise ValueError(f"there is no option {unknown[0]!r}; there are {sorted(known)}")
    return queries, SearchOptions(**content)


def _listed_queries(content: Dict[str, Any]) -> NDArray[Any]:
    if "queries" not in content:
        raise ValueError("the body lacks \"queries\": [[...], ...], lists of dim numbers")
    try:
        queries = np.array(content.pop("queries"), dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError("queries must be lists of dim numbers each") from None
    return queries


def encode_answers(answers: Answers, binary: bool) -> bytes:
    """Answers as a body. In JSON a distance that there is not is null."""
    text: Dict[str, Any] = {"version": answers.version, "columns": answers.columns}
    if answers.asked is not None:
        text["asked"] = answers.asked.tolist()
    if binary:
        return pack(text, {"distances": answers.distances, "ids": answers.ids})
    distances = answers.distances.astype(object)
    distances[~np.isfinite(answers.distances)] = None
    return json.dumps({"ids": answers.ids.tolist(), "distances": distances.tolist(), **text},
                      allow_nan=False).encode()


def decode_answers(body: bytes) -> Answers:
    """The reverse of the binary form. Raises ValueError."""
    text, arrays = unpack(body)
    try:
        return Answers(arrays["distances"].astype(np.float32), arrays["ids"].astype(np.int64),
                       int(text["version"]), text.get("columns", {}),
                       np.array(text["asked"], np.int64) if "asked" in text else None)
    except (KeyError, TypeError) as error:
        raise ValueError(f"the answers lack {error}") from None


def as_json(value: Any) -> Any:
    """A value of a column or of a filter as JSON has it: times are texts of ISO 8601 in UTC, bytes
    those of base64. Raises TypeError for other things."""
    if value is np.ma.masked or value is None:  # the masked value is an array, too
        return None
    if isinstance(value, (list, tuple, set, frozenset, np.ndarray)):
        return [as_json(item) for item in value]
    if isinstance(value, np.datetime64):
        return None if np.isnat(value) else str(value.astype("datetime64[us]")) + "Z"
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, datetime.datetime):
        moved = value if value.tzinfo is None else value.astimezone(_UTC)
        return moved.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(f"{value!r} is no value of a column: give an int, float, bool, str, bytes, a "
                    "time, or a list of these")
