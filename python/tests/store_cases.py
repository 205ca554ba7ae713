"""What the tests of the stores have in common."""

import pathlib
from typing import Any, Dict, Mapping, Optional

import numpy as np

from obliq.columns import ColumnType
from obliq.store_documents import Document, Documents

SCHEMA: Dict[str, ColumnType] = {"year": "int64", "price": "double", "lang": "keyword",
                                 "tags": "keywords", "seen": "bool", "made": "timestamp",
                                 'x" or 1=1': "keyword", "order by": "int64", "\xe9": "keyword"}
HOSTILE = ["x' or 'a'='a", 'x" or 1=1 --', "?", "''", '"', "\\", "lang", "null", "\0", "') or (1=1",
           "\xe9", "\U0001f600", "a\nb"]


def documents(path: Optional[pathlib.Path] = None, *, columns: Any = SCHEMA, metric: Any = None,
              dim: Optional[int] = None, **options: Any) -> Documents:
    return Documents(path, columns, metric, dim, options)


def one(id: str, metadata: Optional[Mapping[str, Any]] = None, vector: Any = (1, 0, 0),
        text: Optional[str] = "text") -> Document:
    return Document(id, text, dict(metadata or {}), vector=None if vector is None
                    else np.array(vector, np.float32))
