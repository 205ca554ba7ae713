"""Searches over HTTP.

    POST /search    a search as JSON or as a binary body (wire.py); the answers come in the form
                    that Accept names, else in that of the request
    GET /stats      what is served, and the limits of a request
    GET /health     200 while searches can be answered

    200  answers                        400  the request is at fault, as "error" says
    404, 405  another path or method    413  it is beyond a limit
    415  a body of another type         503  no room or no shard answers: again after Retry-After
"""

from __future__ import annotations

import asyncio
import json
import math
from typing import Any, Dict, Optional

from starlette.requests import ClientDisconnect
from starlette.responses import Response

from obliq.ray.serving.limits import Overloaded, TooLarge
from obliq.wire import BINARY, JSON, Answers, decode_request, encode_answers

_LONG = 1 << 16  # bytes that are decoded and encoded beside the loop


async def respond(router: Any, request: Any) -> Response:
    """The response to any request."""
    path = request.url.path.rstrip("/")
    root = str(request.scope.get("root_path", "")).rstrip("/")
    path = path[len(root):] if path.startswith(root) else path
    if path in ("/stats", "/health"):
        if request.method not in ("GET", "HEAD"):
            return _error(405, f"{path} is for GET", {"Allow": "GET"})
        return _json(200, router.stats() if path == "/stats" else {"status": "ok"})
    if path != "/search":
        return _error(404, "there are /search, /stats and /health")
    if request.method != "POST":
        return _error(405, "/search is for POST", {"Allow": "POST"})
    try:
        return await _search(router, request)
    except TooLarge as error:
        return _error(413, str(error))
    except (ValueError, TypeError) as error:
        return _error(400, str(error))
    except Overloaded as error:
        return _error(503, str(error), {"Retry-After": str(math.ceil(error.retry_after))})
    except ClientDisconnect:
        return _error(400, "the client went away")


async def _search(router: Any, request: Any) -> Response:
    type = _media_type(request.headers.get("content-type", JSON))
    if type not in (JSON, BINARY):
        return _error(415, f"a body is {JSON} or {BINARY}, not {type}")
    wanted = request.headers.get("accept", "")
    binary = BINARY in wanted or (type == BINARY and JSON not in wanted)
    body = await _body(request, router.limits.body_bytes)
    queries, options = await _beside(len(body), decode_request, body, type == BINARY)
    answers: Answers = await router.answer(queries, options)
    size = answers.ids.size * (16 + 32 * len(answers.columns))
    content = await _beside(size, encode_answers, answers, binary)
    return Response(content, 200, media_type=BINARY if binary else JSON)


async def _body(request: Any, most: int) -> bytes:
    """Raises TooLarge before it holds more than `most` bytes and a chunk."""
    declared = request.headers.get("content-length", "0")
    if not declared.isdigit() or int(declared) > most:
        raise TooLarge(f"a body has {most} bytes at most, not {declared[:20]}")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise TooLarge(f"a body has {most} bytes at most")
    return bytes(body)


async def _beside(size: int, work: Any, *arguments: Any) -> Any:
    """Long work goes to a thread: the loop answers others meanwhile."""
    if size < _LONG:
        return work(*arguments)
    return await asyncio.get_running_loop().run_in_executor(None, work, *arguments)


def _media_type(header: str) -> str:
    return header.split(";")[0].strip().lower()


def _json(status: int, content: Dict[str, Any],
          headers: Optional[Dict[str, str]] = None) -> Response:
    return Response(json.dumps(content).encode(), status, headers, JSON)


def _error(status: int, message: str, headers: Optional[Dict[str, str]] = None) -> Response:
    return _json(status, {"error": message}, headers)


