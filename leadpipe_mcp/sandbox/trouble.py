"""Faults made to happen: spoilt answers, half answers, dropped connections."""

import json

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.types import Send

from leadpipe_mcp.sandbox.faults import Fault, Faults, read_fault

CONTROL_PATH = "/_sandbox/faults"
TRANSPORT = "sandbox_transport"
"""Where the server leaves a connection's transport in the state of its requests."""
_PAGE = "<!doctype html><title>{status}</title><h1>{status} {message}</h1>"


def spoil(fault: Fault) -> Response:
    """The answer that stands in place of the right one."""
    if fault.kind == "malformed":
        return Response('{"data": [{"id": ', media_type="application/json")
    if fault.kind == "empty":
        return Response(b"", media_type="application/json")
    if fault.kind == "wrong_shape":
        return JSONResponse({"data": {}})
    if fault.kind == "html":
        page = _PAGE.format(status=fault.status, message=fault.message)
        return HTMLResponse(page, fault.status)
    error = {"code": fault.code, "message": fault.message}
    headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    return JSONResponse({"error": error}, fault.status, headers)


async def drop(request: Request) -> None:
    """Drop the connection: abort its socket, or raise where there is none."""
    transport = request.scope.get("state", {}).get(TRANSPORT)
    if transport is None:
        raise ConnectionResetError("The sandbox dropped the connection")
    transport.abort()
    await _gone(request)


async def send_half(response: Response, request: Request, send: Send) -> None:
    """Send half of a body under the headers of the whole, and hang up."""
    transport = request.scope.get("state", {}).get(TRANSPORT)
    if isinstance(response, StreamingResponse):
        response = await _whole(response)
    half = bytes(response.body)[: len(response.body) // 2]
    await send(
        {
            "type": "http.response.start",
            "status": response.status_code,
            "headers": response.raw_headers,
        }
    )
    await send({"type": "http.response.body", "body": half, "more_body": transport is not None})
    if transport is not None:
        transport.close()
        await _gone(request)


def control(faults: Faults, method: str, body: bytes) -> Response:
    """Faults over HTTP: POST one, GET them all, DELETE them all."""
    if method == "POST":
        try:
            faults.add(read_fault(json.loads(body)))
        except ValueError as error:
            return JSONResponse({"error": {"code": "BAD_FAULT", "message": str(error)}}, 400)
    elif method == "DELETE":
        faults.clear()
    return JSONResponse({"data": faults.listed()}, 201 if method == "POST" else 200)


async def _whole(stream: StreamingResponse) -> Response:
    """The same answer in one piece, so that there is a length to fall short of."""
    content = bytearray()
    async for piece in stream.body_iterator:
        content += piece.encode() if isinstance(piece, str) else piece
    return Response(bytes(content), stream.status_code, stream.headers)


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
