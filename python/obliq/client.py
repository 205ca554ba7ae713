"""A client of what obliq.ray.app serves. Needs the standard library and NumPy, not Ray.

    with obliq.client.Client("http://127.0.0.1:8000") as client:
        answers = client.search(queries, k=10, filter="year >= ?", params=[2020])

A search that fails for no fault of its own (a connection that breaks, a server that is full or goes
away) is asked again, once: a search changes nothing, so that this is harmless.
"""

from __future__ import annotations

import http.client
import json
import threading
import time
import urllib.parse
from typing import Any, Dict, List, Optional, Sequence, Tuple, Type

import numpy as np

from obliq.wire import BINARY, Answers, decode_answers, encode_request, options_of

# What a gateway or a server says while it cannot answer; the next moment it may.
_TRANSIENT = {500, 502, 503, 504}
_FIRST_WAIT = 0.25  # seconds, where the server does not tell
_BROKEN = (OSError, http.client.HTTPException)


class ServerError(RuntimeError):
    """The server did not answer, twice. `status` is that of HTTP, 0 where there was none;
    `retry_after` the seconds it asked to wait."""

    def __init__(self, message: str, status: int, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after


class Client:
    """Searches over HTTP. For any number of threads, with a connection for each."""

    def __init__(self, url: str, *, timeout: float = 30.0, most_wait: float = 5.0,
                 headers: Optional[Dict[str, str]] = None) -> None:
        """Connects when it first searches.

        timeout     seconds for a connection to be made, and for it to be silent
        most_wait   seconds to wait before asking again, at most, whatever the server asks for
        headers     sent along, as those that your gateway wants: {"Authorization": "Bearer ..."}
        """
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"url must be like http://127.0.0.1:8000, not {url!r}")
        self._secure = parts.scheme == "https"
        self._place = (parts.hostname, parts.port or (443 if self._secure else 80))
        self._path = parts.path.rstrip("/")
        self._timeout = timeout
        self._most_wait = most_wait
        self._headers = dict(headers or {})
        self._of_thread = threading.local()
        self._lock = threading.Lock()
        self._connections: List[http.client.HTTPConnection] = []

    def search(self, queries: Any, k: int = 10, *, nprobe: Optional[int] = None,
               target_recall: float = 0.0, confidence: float = 0.964, filter: Any = None,
               params: Optional[Sequence[Any]] = None,
               columns: Optional[Sequence[str]] = None) -> Answers:
        """The k nearest vectors of each query, [m][dim] floats; options as of Index.search, filter
        an expression or a list of ids. Raises ValueError for what the server refuses, with its
        words; ServerError when it cannot answer, asked twice."""
        array = np.asarray(queries)
        if array.dtype not in (np.float16, np.float32, np.float64):
            array = array.astype(np.float32)
        if array.ndim == 1:
            array = array[np.newaxis]
        options = options_of(k, nprobe, target_recall, confidence, filter, params, columns)
        body = self._request("POST", "/search", encode_request(array, options))
        return decode_answers(body)

    def stats(self) -> Dict[str, Any]:
        """What is served: version, n, dim, metric, shards and the limits of a request."""
        content: Dict[str, Any] = json.loads(self._request("GET", "/stats", b""))
        return content

    def close(self) -> None:
        """Closes the connections of all threads."""
        with self._lock:
            for connection in self._connections:
                connection.close()
            self._connections.clear()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def _request(self, method: str, path: str, body: bytes) -> bytes:
        try:
            return self._once(method, path, body)
        except ServerError as error:
            if error.status and error.status not in _TRANSIENT:
                raise
            time.sleep(min(self._most_wait, error.retry_after))
        return self._once(method, path, body)

    def _once(self, method: str, path: str, body: bytes) -> bytes:
        connection = self._connection()
        try:
            connection.request(method, self._path + path, body, {
                "Content-Type": BINARY, "Accept": BINARY, **self._headers})
            reply = connection.getresponse()
            data = reply.read()
        except _BROKEN as error:
            connection.close()
            raise ServerError(f"no answer of {self._place}: {error!r}", 0, _FIRST_WAIT) from error
        if reply.status == 200:
            return data
        message = _message_of(data)
        if reply.status in (400, 413):
            raise ValueError(message)
        raise ServerError(f"{reply.status}: {message}", reply.status,
                          _seconds(reply.getheader("Retry-After")))

    def _connection(self) -> http.client.HTTPConnection:
        held: Optional[http.client.HTTPConnection] = getattr(self._of_thread, "connection", None)
        if held is None:
            kind: Type[http.client.HTTPConnection] = (
                http.client.HTTPSConnection if self._secure else http.client.HTTPConnection)
            place: Tuple[str, int] = self._place
            held = self._of_thread.connection = kind(*place, timeout=self._timeout)
            with self._lock:
                self._connections.append(held)
        return held


def _message_of(data: bytes) -> str:
    try:
        return str(json.loads(data)["error"])
    except (ValueError, KeyError, TypeError):
        return data[:300].decode(errors="replace")


def _seconds(header: Optional[str]) -> float:
    try:
        return max(0.0, float(header or _FIRST_WAIT))
    except ValueError:
        return _FIRST_WAIT
