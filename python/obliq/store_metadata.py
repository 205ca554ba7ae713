"""Metadata of documents in columns: those keys that are columns become their values, all others
JSON in one column more.

The JSON also keeps what a column would not give back as it was given: None, an integer of a double
column, the order of texts of keywords, a time that is text. It counts as long as it means what the
column holds, so that values that `Collection.update` changes are those that are read.
"""

from __future__ import annotations

import datetime
import json
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

import numpy as np

from obliq.arguments import shown
from obliq.columns import Columns
from obliq.store_filters import OWN

TEXT = OWN + "text"  # bytes: UTF-8; NULL: none
DATA = OWN + "data"  # bytes: JSON of metadata and what else a framework keeps; NULL: nothing
LENGTH = OWN + "length"  # double: Euclidean length of the vector as given; NULL: it has none

Metadata = Dict[str, Any]
_DEEPEST = 100  # lists and dicts inside each other
_UTC = datetime.timezone.utc
_EXACT: Mapping[str, Tuple[type, ...]] = {
    "int64": (int,), "double": (float,), "bool": (bool,), "keyword": (str,), "bytes": (bytes,),
    "timestamp": (datetime.datetime, datetime.date)}


def columns_of_documents(texts: Sequence[Optional[str]], metadatas: Sequence[Mapping[str, Any]],
                         extras: Sequence[Any], schema: Mapping[str, str]) -> Dict[str, List[Any]]:
    """Values by column of documents [n]: of the keys of the schema, TEXT and DATA. Raises TypeError
    or ValueError naming a key and its document."""
    values: Dict[str, List[Any]] = {name: [] for name in schema}
    values[TEXT] = [None if text is None else _encoded(text, place)
                    for place, text in enumerate(texts)]
    values[DATA] = []
    for place, (metadata, extra) in enumerate(zip(metadatas, extras)):
        rest = dict(metadata)
        for name, type in schema.items():
            given = rest.get(name)
            if isinstance(given, np.generic):
                given = given.item()
            values[name].append(column_value(given, type, name, place))
            if name in rest and _comes_back(given, type):
                del rest[name]
        values[DATA].append(_json_of(rest, extra, place))
    return values


def documents_of(columns: Columns, schema: Mapping[str, str]) -> Tuple[
        List[Optional[str]], List[Metadata], List[Any]]:
    """Texts, metadata and extras [n] of values of the columns that columns_of_documents gave."""
    texts = [None if text is None else text.decode("utf-8", "surrogatepass")
             for text in columns[TEXT].tolist()]
    datas = [{} if data is None else json.loads(data) for data in columns[DATA].tolist()]
    metadatas: List[Metadata] = [data.get("metadata", {}) for data in datas]
    for name, type in schema.items():
        for metadata, value in zip(metadatas, columns[name].tolist()):
            if value is None:
                continue
            if isinstance(value, datetime.datetime):
                value = value.replace(tzinfo=_UTC)
            if name not in metadata or not _means(metadata[name], value, type):
                metadata[name] = value
    return texts, metadatas, [data.get("extra") for data in datas]


def column_value(value: Any, type: str, name: str, place: int) -> Any:
    """The value as the column takes it: a time may be text of ISO 8601, keywords one text. What
    does not fit the column the collection refuses. Raises ValueError for a text that is no time."""
    if type == "timestamp" and isinstance(value, str):
        try:
            return datetime.datetime.fromisoformat(
                value[:-1] + "+00:00" if value[-1:] in ("Z", "z") else value)
        except ValueError:
            raise ValueError(f"metadata {shown(name)} of document {place} is {shown(value)}, which "
                             "is no time of ISO 8601 as '2024-05-31T12:00:00Z'") from None
    return [value] if type == "keywords" and isinstance(value, str) else value


def _comes_back(value: Any, type: str) -> bool:
    """Whether a column of the type gives the value back as it is, or as JSON could not."""
    if type == "keywords":
        if isinstance(value, (list, tuple)) and not all(isinstance(text, str) for text in value):
            return True  # the collection refuses it
        if isinstance(value, list):
            return bool(value == sorted(set(value)))
        return not (value is None or isinstance(value, str))
    if isinstance(value, bool):
        return type == "bool"
    return isinstance(value, _EXACT[type])


def _means(kept: Any, value: Any, type: str) -> bool:
    """Whether what the JSON keeps is what the column holds."""
    try:
        known = column_value(kept, type, "", 0)
    except (TypeError, ValueError):
        return False
    if type == "keywords":
        return known is not None and set(known) == set(value)
    if isinstance(known, datetime.datetime):
        return bool((known if known.tzinfo else known.replace(tzinfo=_UTC)) == value)
    return bool(known == value)


def _encoded(text: Any, place: int) -> bytes:
    if not isinstance(text, str):
        raise TypeError(f"the text of document {place} must be text, not {shown(text)}")
    return text.encode("utf-8", "surrogatepass")


def _json_of(rest: Metadata, extra: Any, place: int) -> Optional[bytes]:
    for name in rest:
        if not isinstance(name, str):
            raise TypeError(f"metadata of document {place} has the key {shown(name)}: keys are "
                            "texts")
    data = {**({"metadata": rest} if rest else {}), **({"extra": extra} if extra else {})}
    if not data:
        return None
    try:
        text = json.dumps(data, default=_plain, separators=(",", ":")).encode()
    except RecursionError:
        raise _too_deep(place) from None
    except (TypeError, ValueError) as error:
        raise TypeError(f"metadata of document {place} cannot be kept as JSON ({error}): give "
                        "texts, numbers, bools, lists and dicts of them; times as text, or in a "
                        "column of type timestamp") from None
    if text.count(b"[") + text.count(b"{") > _DEEPEST and _is_deep(data):
        raise _too_deep(place)
    return text


def _is_deep(data: Any) -> bool:
    """Whether json might not read it again, which would make a document that no search could
    return."""
    level = [data]
    for _ in range(_DEEPEST):
        level = [part for whole in level if isinstance(whole, (dict, list, tuple))
                 for part in (whole.values() if isinstance(whole, dict) else whole)]
    return bool(level)


def _too_deep(place: int) -> ValueError:
    return ValueError(f"metadata of document {place} has lists and dicts more than {_DEEPEST} deep "
                      "inside each other")


def _plain(value: Any) -> Any:
    """Of NumPy what json takes."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    raise TypeError(f"{shown(value)} is of type {type(value).__name__}")
