"""The client of what is served, and what travels: without Ray."""

from __future__ import annotations

import contextlib
import datetime
import http.server
import json
import threading
from typing import Any, Iterator, List, Tuple

import numpy as np
import pytest

from obliq.client import Client, ServerError
from obliq.wire import (BINARY, Answers, SearchOptions, as_json, decode_answers, decode_request,
                        encode_answers, encode_request, pack, unpack)

QUERIES = np.arange(6, dtype=np.float32).reshape(2, 3)
ANSWERS = Answers(np.array([[0.5, np.inf]], np.float32), np.array([[7, -1]]), 3,
                  {"year": [[2001, None]]}, np.array([2]))


def test_a_request_comes_back_as_it_was() -> None:
    options = SearchOptions(3, 8, 0.0, 1.0, "year >= ? and made < ?", [2020, "2024-05-01"],
                            ["year"])
    for dtype in (np.float16, np.float32, np.float64):
        queries, found = decode_request(encode_request(QUERIES.astype(dtype), options), True)
        assert queries.dtype == dtype and (queries == QUERIES).all() and found == options
    body = json.dumps({"queries": QUERIES.tolist(), "k": 3, "filter": [1, 2]}).encode()
    queries, found = decode_request(body, False)
    assert (queries == QUERIES).all() and found == SearchOptions(3, filter=[1, 2])


def test_answers_come_back_as_they_were() -> None:
    found = decode_answers(encode_answers(ANSWERS, True))
    assert found.ids.tolist() == [[7, -1]] and found.distances.tolist() == [[0.5, np.inf]]
    assert (found.version, found.columns) == (3, ANSWERS.columns)
    assert found.asked is not None and found.asked.tolist() == [2]
    text = json.loads(encode_answers(ANSWERS, False))
    assert text == {"ids": [[7, -1]], "distances": [[0.5, None]], "version": 3,
                    "columns": {"year": [[2001, None]]}, "asked": [2]}


def test_every_cut_and_every_changed_byte_of_a_body_is_read_or_refused() -> None:
    body = encode_request(QUERIES, SearchOptions(3))
    for end in range(len(body)):
        with pytest.raises(ValueError):
            decode_request(body[:end], True)
    for place in range(len(body)):
        for value in (0, 0x7f, 0xff, body[place] ^ 1):
            changed = body[:place] + bytes([value]) + body[place + 1:]
            with contextlib.suppress(ValueError):
                decode_request(changed, True)


@pytest.mark.parametrize("body", [
    b"", b"[]", b"{}", b"nonsense", b'{"queries": 3}', b'{"queries": [[1], [1, 2]]}',
    b'{"queries": [["a"]]}', b'{"queries": [[NaN]]}', b'{"queries": [[1]], "unheard": 1}',
    b'{"queries": null}', b'{"queries": [1, 2]}', b"[" * 100_000, b"\xff\xfe"])
def test_a_body_of_json_that_is_no_search_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError):
        decode_request(body, False)


def test_arrays_beyond_the_body_are_refused_before_memory_is_taken() -> None:
    body = pack({}, {"queries": QUERIES})
    for shape in ("[4000000000000, 3]", "[-2, -3]", "[2, 3000000]"):
        grown = body[8:].replace(b"[2, 3]", shape.encode())
        head = grown[:grown.index(b"]]]}") + 4]
        made = b"OBQ1" + len(head).to_bytes(4, "little") + head + QUERIES.tobytes()
        with pytest.raises(ValueError, match="bytes"):
            unpack(made)


def test_values_of_filters_and_columns_become_json() -> None:
    zone = datetime.timezone(datetime.timedelta(hours=2))
    row = np.ma.array([1, 2], mask=[False, True])
    assert as_json(row) == [1, None]
    assert as_json(datetime.datetime(2024, 5, 1, 12, tzinfo=zone)) == "2024-05-01T10:00:00.000000Z"
    assert as_json(np.datetime64("2024-05-01")) == "2024-05-01T00:00:00.000000Z"
    assert as_json(np.datetime64("NaT")) is None and as_json(b"a") == "YQ=="
    assert as_json({"b"}) == ["b"] and as_json(np.float32(0.5)) == 0.5
    with pytest.raises(TypeError):
        as_json(object())


@contextlib.contextmanager
def server(replies: List[Tuple[int, bytes, dict[str, str]]]) -> Iterator[Tuple[str, List[Any]]]:
    """One that gives these replies in turn, then the last over and over; status 0 breaks the
    connection."""
    seen: List[Any] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            seen.append((self.path, self.headers, body))
            status, content, headers = replies[min(len(seen), len(replies)) - 1]
            if status == 0:
                self.close_connection = True
                return
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    held = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=held.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{held.server_port}", seen
    finally:
        held.shutdown()
        held.server_close()


OK: Tuple[int, bytes, dict[str, str]] = (200, encode_answers(ANSWERS, True), {})
FULL = (503, b'{"error": "full"}', {"Retry-After": "0"})


@pytest.mark.parametrize("first", [FULL, (500, b"gone", {"Retry-After": "0"}), (0, b"", {})])
def test_a_search_that_fails_for_no_fault_of_its_own_is_asked_again_once(first: Any) -> None:
    with server([first, OK]) as (url, seen), Client(url, most_wait=0.01) as client:
        assert client.search(QUERIES, k=2).ids.tolist() == [[7, -1]]
        assert len(seen) == 2 and seen[0][2] == seen[1][2]
    with server([first]) as (url, seen), Client(url, most_wait=0.01) as client:
        with pytest.raises(ServerError):
            client.search(QUERIES)
        assert len(seen) == 2


def test_what_is_refused_is_not_asked_again() -> None:
    for status, raised in ((400, ValueError), (413, ValueError), (404, ServerError)):
        with server([(status, b'{"error": "no such column"}', {})]) as (url, seen):
            with Client(url) as client, pytest.raises(raised, match="no such column"):
                client.search(QUERIES)
            assert len(seen) == 1


def test_headers_for_a_gateway_and_a_prefix_of_the_path_are_sent_along() -> None:
    with server([OK]) as (url, seen):
        with Client(url + "/books/", headers={"Authorization": "Bearer x"}) as client:
            client.search(QUERIES[0], k=2, filter=np.array([3, 4]))
        path, headers, body = seen[0]
        assert path == "/books/search" and headers["Authorization"] == "Bearer x"
        assert headers["Content-Type"] == BINARY
        queries, options = decode_request(body, True)
        assert queries.shape == (1, 3) and options.filter == [3, 4]


def test_an_url_that_is_none_is_refused() -> None:
    for url in ("", "127.0.0.1:8000", "ftp://a"):
        with pytest.raises(ValueError, match="url must be like"):
            Client(url)
